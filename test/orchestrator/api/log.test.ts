// Logs come from the node agent in pieces; what is wrong with the question is told by the status of the answer.
import t from 'tap';
import type { ReadLogReply, ReadLogRequest } from '../../../src/orchestrator/node/procedures.ts';
import { openApiDoor, pod, PODS } from '../api-door.ts';

/** An agent whose container has written `text`, in pieces of five bytes. */
function agent(text: string): { asked: ReadLogRequest[]; readLog: (request: ReadLogRequest) => Promise<ReadLogReply> } {
  const asked: ReadLogRequest[] = [];
  return {
    asked,
    async readLog(request) {
      asked.push(request);
      const at = Number(request.cursor ?? 0);
      const data = Buffer.from(text).subarray(at, at + 5);
      const atEnd = at + 5 >= text.length;
      return { data: data.toString('base64'), cursor: String(at + data.length), atEnd, ended: atEnd };
    },
  };
}

const plan = (): Promise<never> => Promise.reject(new Error('not asked'));

t.test('a log is read piece by piece, within limitBytes', async (t) => {
  const { asked, readLog } = agent('one\ntwo\nthree\n');
  const { call, door, tokens } = await openApiDoor(t, { call: { readLog, plan } });
  await call('POST', PODS, pod('one', { nodeName: 'host-1' }));
  const read = async (query: string): Promise<string> =>
    (await door.ask({ path: `${PODS}/one/log${query}`, token: tokens.operator })).text;
  t.equal(await read('?follow=true'), 'one\ntwo\nthree\n');
  t.match(
    asked.map(({ waitMs, cursor }) => [waitMs, cursor]),
    [
      [0, undefined],
      [15_000, '5'],
      [15_000, '10'],
    ],
  );
  t.equal(await read('?limitBytes=7'), 'one\ntwo');
  asked.length = 0;
  await read('?container=main&tailLines=3&sinceTime=2026-11-22T08:00:00Z&timestamps=true&previous=true');
  t.match(asked[0], {
    container: 'main',
    tailLines: 3,
    since: Date.parse('2026-11-22T08:00:00Z'),
    timestamps: true,
    previous: true,
  });
});

t.test(
  'without follow a log ends where it ended when it was read: not at an empty piece, nor with what comes later',
  async (t) => {
    const pieces = [
      ['of the file before\n', false],
      ['', false], // that one is exhausted
      ['of this file\n', true],
      ['too late\n', true],
    ] as const;
    const readLog = async ({ cursor }: ReadLogRequest): Promise<ReadLogReply> => {
      const at = Number(cursor ?? 0);
      const [text, atEnd] = pieces[at] ?? ['', true];
      return { data: Buffer.from(text).toString('base64'), cursor: String(at + 1), atEnd, ended: false };
    };
    const { call, door, tokens } = await openApiDoor(t, { call: { readLog, plan } });
    await call('POST', PODS, pod('one', { nodeName: 'host-1' }));
    const { text } = await door.ask({ path: `${PODS}/one/log`, token: tokens.operator });
    t.equal(text, 'of the file before\nof this file\n');
  },
);

t.test('what cannot be read is refused in Kubernetes’ words', async (t) => {
  const { call } = await openApiDoor(t, { call: { readLog: agent('').readLog, plan } });
  const two = [
    { name: 'a', image: 'x' },
    { name: 'b', image: 'x' },
  ];
  await call('POST', PODS, pod('two', { nodeName: 'host-1', containers: two }));
  await call('POST', PODS, pod('waiting'));
  const message = async (path: string): Promise<unknown> => (await call('GET', path)).body['message'];
  t.equal(await message(`${PODS}/two/log`), 'a container name must be specified for pod two, choose one of: [a b]');
  t.equal(await message(`${PODS}/two/log?container=c`), 'container c is not valid for pod two');
  t.equal(await message(`${PODS}/two/log?container=a&limitBytes=0`), 'limitBytes must be greater than 0');
  t.match(await message(`${PODS}/two/log?container=a&sinceSeconds=1&sinceTime=x`), /at most one of/);
  t.equal(await message(`${PODS}/waiting/log`), 'pod waiting does not have a host assigned');
  t.equal(await message(`${PODS}/none/log`), 'pods "none" not found');
  t.equal((await call('GET', `${PODS}/two/log`, undefined, { as: 'viewer' })).status, 403);
});
