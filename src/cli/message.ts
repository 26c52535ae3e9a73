// `jdos message ID`: the story of one message in lines, attempt by attempt: sent, received, executed, replied, delivered.
import { z } from '../base/schema.ts';
import { formatBytes } from '../base/units.ts';
import { type CliCommand, readOptions, type ReadOptions, withClient } from './command.ts';
import { type Io, paint, type Paint, printable } from './io.ts';

const text = z.string().optional();

/** A row as `jdos message` and `jdos messages` read it. */
export const Attempt = z.object({
  id: z.string(),
  attempt: z.number(),
  state: z.string(),
  code: text,
  executed: z.string(),
  proof: z.string(),
  caller: text,
  service: text,
  procedure: text,
  peer: text,
  traceId: text,
  seq: z.number().optional(),
  requestBytes: z.number().optional(),
  replyBytes: z.number().optional(),
  callerSide: z.object({ sentAt: text, deadlineAt: text, endedAt: text, ended: text }),
  calleeSide: z.object({ receivedAt: text, execStartAt: text, execEndAt: text, repliedAt: text, code: text }),
  clockOffsetMicros: z.number().optional(),
  networkMicros: z.number().optional(),
});
export type Attempt = z.output<typeof Attempt>;
const Message = z.object({ id: z.string(), attempts: z.array(Attempt) });

const HELP = `
Each line is one moment, with the time that passed since the one before; the side whose clock it is stands behind it.
The last line is what became of the message, and how that is known:
  delivered     the caller has the reply              failed       the caller has a refusal, or no connection
  timed_out     the caller gave up waiting            expired      it arrived too late and was not begun
  lost_request  it never arrived, and that is proven  lost_reply   it was executed, and the reply never arrived
  in_flight     its time is not up                    unconfirmed  nobody has reported its end
Where to get an ID: the header Rpc-Message-Id of a reply, the log, or \`jdos messages\`.`;

export const messageCommand: CliCommand = (program, { io }) => {
  readOptions(program.command('message'))
    .argument('<id>', 'message id, a UUIDv7')
    .description('the story of one message: both sides, every attempt, what became of it and how that is known')
    .addHelpText('after', HELP)
    .action(async (id: string, { json, ...server }: ReadOptions) => {
      const reply = await withClient(server, io, (client) => client.get(`/jdos/v1/messages/${encodeURIComponent(id)}`));
      if (json) return io.out(JSON.stringify(reply));
      for (const line of storyLines(Message.parse(reply).attempts, io)) io.out(line);
    });
};

const COLOURS: Readonly<Record<string, Paint>> = { delivered: 'green', in_flight: 'dim' };
const BAD: Paint = 'red';

/** The state as it is shown: `failed (unavailable)`. */
export function shownState({ state, code, executed }: Attempt, io: Io): string {
  const more = state === 'failed' ? code : state === 'timed_out' ? `executed: ${executed}` : undefined;
  return paint(io, COLOURS[state] ?? BAD, more === undefined ? state : `${state} (${more})`);
}

function storyLines(attempts: readonly Attempt[], io: Io): readonly string[] {
  const [first] = attempts;
  if (first === undefined) return [];
  const trace = first.traceId === undefined ? '' : `, trace ${first.traceId}`;
  return [
    `message ${first.id}`,
    printable(`${known(first.caller)} → ${known(first.service)} ${known(first.procedure)}${trace}`),
    ...attempts.flatMap((attempt) => attemptLines(attempt, attempts.length > 1, io)),
  ];
}

function attemptLines(attempt: Attempt, several: boolean, io: Io): readonly string[] {
  const { callerSide, calleeSide, clockOffsetMicros, networkMicros, requestBytes, replyBytes, seq } = attempt;
  const size = (value: number | undefined): string => (value === undefined ? '' : `, ${formatBytes(value)}`);
  const number = seq === undefined ? '' : `, no. ${seq}`;
  const moments: readonly (readonly [string, string | undefined, string])[] = [
    ['sent', callerSide.sentAt, `caller${number}${size(requestBytes)}`],
    ['received', calleeSide.receivedAt, 'callee'],
    ['begun', calleeSide.execStartAt, 'callee'],
    ['executed', calleeSide.execEndAt, 'callee'],
    ['replied', calleeSide.repliedAt, `callee, ${calleeSide.code ?? 'unknown code'}${size(replyBytes)}`],
    [callerSide.ended === 'replied' ? 'delivered' : (callerSide.ended ?? 'ended'), callerSide.endedAt, 'caller'],
  ];
  const lines = several ? [`attempt ${attempt.attempt}`] : [];
  let before: number | undefined;
  for (const [what, at, who] of moments) {
    if (at === undefined) continue;
    const micros = microsOf(at);
    const delta = before === undefined ? '' : shownDelta(micros - before);
    before = micros;
    lines.push(`  ${what.padEnd(10)} ${at.slice(11, 26)}  ${delta.padStart(11)}  ${printable(who)}`.trimEnd());
  }
  if (clockOffsetMicros !== undefined && networkMicros !== undefined)
    lines.push(
      `  clocks     the callee's is ${shownDelta(clockOffsetMicros)}; on the way ${shownMicros(networkMicros)}`,
    );
  return [...lines, `  ${shownState(attempt, io)}: ${printable(attempt.proof)}`];
}

const known = (name: string | undefined): string => name ?? '?';

/** Unix microseconds of an RFC 3339 time with six decimals. */
const microsOf = (iso: string): number => Date.parse(iso) * 1000 + Number(iso.slice(23, 26));

const shownDelta = (micros: number): string => `${micros < 0 ? '−' : '+'}${shownMicros(Math.abs(micros))}`;

function shownMicros(micros: number): string {
  if (micros < 1000) return `${micros} µs`;
  return micros < 1_000_000 ? `${(micros / 1000).toFixed(2)} ms` : `${(micros / 1_000_000).toFixed(3)} s`;
}
