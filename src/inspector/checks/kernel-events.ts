// KERNEL_EVENTS: what the kernel told of in its log within a day, by the reasons of the probes.
import { z } from '../../base/schema.ts';
import { above, HOST, SAMPLE_NOW, type Check, type Facts, type Sample } from '../check.ts';
import type { Observation } from '../model.ts';
import { absent, both, plain, shellWord } from '../wording.ts';
import { gravityOf } from './kernel-reasons.ts';

const READING = 'jdos_kmsg_reading';
const LOST = 'jdos_kmsg_lost_total';
const MOST = 100;
const MESSAGE = 80;

const last = z.object({ at: z.number(), message: z.string(), of: z.string().optional() });
const details = z.object({
  day: z.array(z.object({ reason: z.string(), count: z.number(), last: last.optional() })).max(10_000),
  lasting: z
    .array(z.object({ type: z.string(), reason: z.string(), subject: z.string(), since: z.number() }))
    .max(1000),
});
type Told = z.output<typeof details>;
type Day = Told['day'][number];

/** Why nothing is known, or undefined where the log is read. */
function unread(facts: Facts): Observation | undefined {
  const reading = facts.samples(READING)?.[0];
  if (reading === undefined) return absent(facts, READING, HOST);
  if (reading.value === 1) return undefined;
  const why = reading.labels['reason'] ?? '';
  const reason = both(`不能读取内核日志 /dev/kmsg (${why})`, `the kernel's log /dev/kmsg is not read (${why})`);
  const verdict = why === 'permission' ? 'unknown' : 'skipped';
  return { target: HOST, value: undefined, missing: { verdict, reason }, evidence: [`reason=${why}`] };
}

function observe({ reason, count, last: newest }: Day, { lasting }: Told): Observation | undefined {
  const gravity = gravityOf(reason);
  if (gravity === undefined) return undefined;
  const subjects = lasting.filter((one) => one.reason === reason).map(({ subject }) => plain(subject, 40));
  const still = subjects.filter((one) => one !== '').join(',');
  const of = newest?.of === undefined ? '' : plain(newest.of);
  return {
    target: plain(reason),
    value: count,
    evidence: [
      ...(newest === undefined ? [] : [`last=${new Date(newest.at).toISOString()}`, plain(newest.message, 190)]),
      ...(of === '' ? [] : [`of=${of}`]),
      ...(subjects.length === 0 ? [] : [`still=${still || 'yes'}`]),
    ],
    variant: gravity,
    facts: { message: plain(newest?.message ?? '', MESSAGE), of, old: Number(newest === undefined) },
  };
}

/** What still lasts is told though what began it is older than a day. */
const withLasting = (told: Told): readonly Day[] => {
  const known = new Set(told.day.map(({ reason }) => reason));
  const older = [...new Set(told.lasting.map(({ reason }) => reason))].filter((reason) => !known.has(reason));
  return [...told.day, ...older.map((reason): Day => ({ reason, count: 1 }))];
};

export const kernelEvents: Check = {
  code: 'KERNEL_EVENTS',
  area: 'system',
  unit: 'count',
  needs: [READING, LOST],
  limits: above(1, 10, 1, 10),
  variants: {
    grave: { limits: above(1, 1, 1, 1) },
    serious: { limits: above(1, 10, 1, 10) },
    minor: { limits: above(10, 1000, 10, 1000) },
  },
  source:
    'node-problem-detector (KernelDeadlock, ReadonlyFilesystem and the rest of its kernel rules); the counts are our own',
  text: {
    title: both('内核日志', 'the kernel’s log'),
    meaning: both(
      '24 小时内内核日志 (/dev/kmsg) 报告的故障,按原因计数:oops、死锁、I/O 错误、文件系统、硬件、网络。OOM 另见 OOM_KILLS。',
      'Troubles that the kernel told of in its log (/dev/kmsg) within 24 hours, counted by reason: oopses, lockups, I/O errors, file systems, hardware, network. Kills for want of memory are in OOM_KILLS.',
    ),
    remedy: both(
      '看事件全文:jdos events --kernel --reason 原因 --lines。oops、硬件错误、只读文件系统:迁走容器后处理。',
      'Read the whole report: jdos events --kernel --reason REASON --lines. With an oops, broken hardware or a read-only file system, move the containers away first.',
    ),
  },
  evaluate(facts) {
    const missing = unread(facts);
    if (missing !== undefined) return { observations: [missing] };
    const parsed = details.safeParse(facts.details('kmsg'));
    if (!parsed.success) return { observations: [absent(facts, READING, HOST)] };
    const seen = withLasting(parsed.data).flatMap((day) => observe(day, parsed.data) ?? []);
    const lost = facts.samples(LOST)?.[0]?.value ?? 0;
    const none: Observation = {
      target: HOST,
      value: 0,
      evidence: [`lost_records=${lost}`],
      variant: 'serious',
      facts: { lost },
    };
    return { observations: seen.length === 0 ? [none] : seen.slice(0, MOST) };
  },
  line({ target, facts }, value, verdict, limit) {
    if (target === HOST) {
      const lost = facts?.['lost'] ?? 0;
      const [zh, en] =
        lost === 0
          ? ['', '']
          : [`(启动以来 ${lost} 条未及读取)`, ` in what could be read (${lost} records since the boot could not)`];
      return both(`内核日志 24 小时内无故障${zh}`, `the kernel told of no trouble within 24 hours${en}`);
    }
    const message = facts?.['message'] === '' ? '' : `: ${facts?.['message'] ?? ''}`;
    const of = facts?.['of'] === '' ? '' : ` [${facts?.['of'] ?? ''}]`;
    const held = verdict === 'ok' ? '' : message;
    if (facts?.['old'] === 1)
      return both(`内核 ${target} 一天前出现,仍在持续`, `kernel ${target}: told over a day ago, and still so`);
    return both(
      `内核 ${target} 24 小时 ${value} 次(限 ${limit})${of}${held}`,
      `kernel ${target}: ${value} in 24 hours (limit ${limit})${of}${held}`,
    );
  },
  command: ({ target }) =>
    target === HOST ? undefined : `jdos events --kernel --lines --since 1d --reason ${shellWord(target) ?? ''}`.trim(),
  samples: [
    written('nothing', [], [], { host: 'ok' }),
    written('nothing, in a log of which some was overwritten unread', [], [], { host: 'ok' }, 1200),
    written(
      'an oops, an I/O error, an OOM, a rule of the operator’s own',
      [
        ['KernelOops', 1, 'Oops: 0002 [#1] PREEMPT SMP NOPTI', undefined],
        ['IOError', 3, 'Buffer I/O error on dev dm-0, logical block 0, async page read', undefined],
        ['OOMKilling', 5, 'Memory cgroup out of memory: Killed process 7 (java)', 'shop/cart/web'],
        ['OurOwn', 12, 'mlx5_core 0000:3b:00.0: cmd timeout', undefined],
      ],
      [],
      { KernelOops: 'crit', IOError: 'warn', OurOwn: 'crit' },
    ),
    written(
      'few of what is minor, and many of it by one container',
      [
        ['NetworkLinkDown', 2, 'igb 0000:01:00.0 eth0: igb: eth0 NIC Link is Down', undefined],
        ['Segfault', 40, 'php[81]: segfault at 0 ip 000055d1 sp 00007ffc error 4 in php[5f000+1000]', 'shop/php/web'],
      ],
      [],
      { NetworkLinkDown: 'ok', Segfault: 'warn' },
    ),
    written(
      'a file system that has been read-only for days',
      [],
      [{ type: 'ReadonlyFilesystem', reason: 'FilesystemIsReadOnly', subject: 'sda1', since: SAMPLE_NOW - 4e8 }],
      { FilesystemIsReadOnly: 'crit' },
    ),
    {
      name: 'written: not permitted to read the log',
      metrics: { [READING]: [{ labels: { reason: 'permission' }, value: 0 }] },
      expect: { host: 'unknown' },
    },
    {
      name: 'written: a host without a log of its own',
      metrics: { [READING]: [{ labels: { reason: 'absent' }, value: 0 }] },
      expect: { host: 'skipped' },
    },
  ],
};

function written(
  name: string,
  day: readonly (readonly [reason: string, count: number, message: string, of: string | undefined])[],
  lasting: Told['lasting'],
  expect: Sample['expect'],
  lost = 0,
): Sample {
  return {
    name: `written: ${name}`,
    metrics: { [READING]: [{ labels: { reason: '' }, value: 1 }], [LOST]: [{ labels: {}, value: lost }] },
    details: {
      kmsg: {
        day: day.map(([reason, count, message, of]) => ({
          reason,
          count,
          last: { at: SAMPLE_NOW - 60_000, message, ...(of === undefined ? {} : { of }) },
        })),
        lasting,
      },
    },
    expect,
  };
}
