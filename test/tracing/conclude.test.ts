// What becomes of messages: final states from facts and watermarks; nothing is called lost without proof.
import t from 'tap';
import { conclude, GRACE } from '../../src/tracing/ledger/conclude.ts';
import type { Facts } from '../../src/tracing/ledger/facts.ts';
import { newMessageId } from '../../src/tracing/ledger/message-id.ts';
import type { Watermark } from '../../src/tracing/ledger/recorder.ts';
import { clockOffset } from '../../src/tracing/ledger/view.ts';

const SECOND = 1_000_000;
const T0 = Date.UTC(2026, 10, 25, 10, 14, 3) * 1000;
const AFTER = T0 + 5 * SECOND + GRACE + SECOND;
const sent = {
  id: newMessageId(),
  attempt: 0,
  caller: 'cart',
  service: 'stock',
  peer: 'unix',
  instance: 'cart/1',
  seq: 17,
  sentAt: T0,
  deadlineAt: T0 + 5 * SECOND,
} as const satisfies Facts;
const received = { receivedAt: T0 + 1000 };
const executed = { ...received, execStart: T0 + 2000, execEnd: T0 + 100_000, calleeCode: 'ok' };
const replied = { ...executed, repliedAt: T0 + 101_000 };
const gaveUp = { ended: 'timed_out', code: 'deadline-exceeded', endedAt: T0 + 5 * SECOND } as const;
const mark = (instance: string, services: string[], from: number, upTo: number): Watermark => ({
  instance,
  services,
  from,
  upTo,
});
const stock = mark('stock/1', ['stock'], T0 - SECOND, AFTER);
const cart = mark('cart/1', ['cart'], T0 - SECOND, AFTER);

const CASES: readonly {
  readonly what: string;
  readonly facts: Partial<Facts>;
  readonly now?: number;
  readonly marks?: readonly Watermark[];
  readonly is: string;
  readonly proof?: RegExp;
}[] = [
  { what: 'a reply that arrived', facts: { ended: 'replied', code: 'ok' }, is: 'delivered yes' },
  {
    what: 'a refusal that arrived',
    facts: { ...received, ended: 'replied', code: 'not-found', calleeCode: 'not-found' },
    is: 'failed no not-found',
  },
  { what: 'no connection', facts: { ended: 'failed', code: 'unavailable' }, is: 'failed unknown unavailable' },
  { what: 'a caller that gave up by itself', facts: { ended: 'cancelled' }, is: 'cancelled unknown' },
  { what: 'a call whose time is not up', facts: {}, now: T0 + SECOND, is: 'in_flight unknown' },
  { what: 'a timeout, the callee silent', facts: gaveUp, is: 'timed_out unknown', proof: /stock has reported nothing/ },
  {
    what: 'a timeout before the grace is over, whatever the watermark',
    facts: gaveUp,
    now: T0 + 6 * SECOND,
    marks: [stock],
    is: 'timed_out unknown',
  },
  {
    what: 'a timeout, and the callee has reported everything but this',
    facts: gaveUp,
    marks: [stock],
    is: 'lost_request no',
    proof: /request 17 never arrived: stock has reported everything until 10:14:39/,
  },
  {
    what: 'a timeout, and a callee that was started after the sending',
    facts: gaveUp,
    marks: [mark('stock/2', ['stock'], T0 + 1, AFTER)],
    is: 'timed_out unknown',
  },
  {
    what: 'a timeout at a service of the same name on another host',
    facts: { ...gaveUp, peer: 'https://h2:9619' },
    marks: [stock],
    is: 'timed_out unknown',
  },
  {
    what: 'a timeout, begun and not ended',
    facts: { ...gaveUp, ...received, execStart: T0 + 2000 },
    is: 'timed_out unknown',
  },
  {
    what: 'a late reply',
    facts: { ...gaveUp, ...executed, execEnd: T0 + 6 * SECOND, repliedAt: T0 + 6 * SECOND },
    is: 'timed_out yes',
    proof: /waited until 10:14:08.000; executed 10:14:09.000/,
  },
  {
    what: 'a timeout, replied in good time',
    facts: { ...gaveUp, ...replied },
    is: 'lost_reply yes',
    proof: /executed 10:14:03.100; reply 17 missing/,
  },
  {
    what: 'a broken connection after the reply',
    facts: { ...replied, ended: 'failed', code: 'unavailable' },
    is: 'lost_reply yes',
  },
  {
    what: 'a call that arrived too late',
    facts: { ...gaveUp, receivedAt: T0 + 9 * SECOND, calleeCode: 'deadline-exceeded' },
    is: 'expired no',
  },
  { what: 'a caller that died, the callee silent', facts: {}, is: 'unconfirmed unknown' },
  { what: 'a caller that died, never received', facts: {}, marks: [stock], is: 'lost_request no' },
  { what: 'a caller that died after it was served', facts: replied, marks: [stock], is: 'unconfirmed yes' },
  {
    what: 'a reply that the caller, who reported everything, does not know',
    facts: replied,
    marks: [cart],
    is: 'lost_reply yes',
    proof: /executed 10:14:03.100; reply 17 missing; the caller's watermark passed 10:14:39/,
  },
];

t.test('the final state follows from the facts and the watermarks', async (t) => {
  for (const { what, facts, now = AFTER, marks = [], is, proof } of CASES) {
    const conclusion = conclude({ ...sent, ...facts }, now, marks);
    const said = [conclusion.state, conclusion.executed, conclusion.code].filter(Boolean).join(' ');
    t.equal(said, is, what);
    if (proof !== undefined) t.match(conclusion.proof, proof, what);
  }
});

t.test('callers that keep no records are judged by their connection', async (t) => {
  const plain = { id: newMessageId(), attempt: 0, caller: 'curl', service: 'jdos', ...replied };
  t.equal(conclude({ ...plain, written: 1 }, AFTER, []).state, 'delivered');
  t.match(conclude({ ...plain, written: 1, calleeCode: 'not-found' }, AFTER, []), {
    state: 'failed',
    code: 'not-found',
  });
  t.equal(conclude({ ...plain, written: 0 }, AFTER, []).state, 'lost_reply');
  t.equal(conclude(plain, T0 + SECOND, []).state, 'in_flight', 'not written yet');
  t.equal(conclude(plain, T0 + 3600 * SECOND, []).state, 'unconfirmed', 'the daemon died before it knew');
});

t.test('the offset of the clocks is estimated from the four times of a whole exchange', async (t) => {
  // The callee's clock is 2 s ahead; 3 ms there, 5 ms back.
  const whole = {
    ...sent,
    receivedAt: T0 + 3000 + 2 * SECOND,
    repliedAt: T0 + 13_000 + 2 * SECOND,
    endedAt: T0 + 18_000,
    ended: 'replied',
  } as const;
  t.same(clockOffset(whole), { offset: 2 * SECOND - 1000, network: 8000 });
  t.equal(clockOffset({ ...whole, ended: 'timed_out' }), undefined, 'not from the end of a wait');
  t.equal(clockOffset(sent), undefined);
});
