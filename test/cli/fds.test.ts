// What `jdos fds` prints, as in the golden file.
import t from 'tap';
import { Fds, fdsLines } from '../../src/cli/fds-view.ts';
import type { Io } from '../../src/cli/io.ts';
import { golden } from '../support/golden.ts';

const io = (columns: number): Io => ({ out: () => undefined, err: () => undefined, colour: false, columns, env: {} });
const NONE = { fds: 0, files: 0, bytes: 0, diskBytes: 0, unsized: 0, items: [] };

const leaking: Fds = {
  total: 9104,
  counted: 9104,
  leftOut: [],
  processes: [{ pid: 4711, comm: 'we\u001bb', fds: 9104, fdLimit: 10_000 }],
  kinds: [
    { kind: 'socket', count: 8700 },
    { kind: 'file', count: 400 },
    { kind: 'memfd', count: 3 },
    { kind: 'inotify', count: 1 },
  ],
  sockets: [
    { protocol: 'tcp', state: 'CLOSE_WAIT', count: 8600 },
    { protocol: 'unlisted', state: null, count: 99 },
    { protocol: 'tcp', state: 'LISTEN', count: 1 },
  ],
  listening: [{ protocol: 'tcp', address: '[::]:80', count: 1 }],
  inotifyWatches: 812,
  deleted: {
    fds: 5,
    files: 2,
    bytes: 3 * 1024 ** 3,
    diskBytes: 2 * 1024 ** 3,
    unsized: 1,
    items: [
      { path: '/var/log/web/access.log', bytes: 2 * 1024 ** 3, diskBytes: 2 * 1024 ** 3 - 4096, fds: 3 },
      { path: '/tmp/line\nfeed', bytes: 1024 ** 3, diskBytes: 4096, fds: 1 },
    ],
  },
  memfd: { ...NONE, fds: 3, files: 1, bytes: 1024 ** 2, diskBytes: 1024 ** 2 },
  targets: [
    { path: '/var/lib/web/index.db', kind: 'file', count: 300 },
    { path: `/var/lib/${'deep/'.repeat(40)}file`, kind: 'file', count: 2 },
  ],
};

const partial: Fds = {
  total: null,
  counted: 2,
  leftOut: ['all beyond the first 2 descriptors', 'the inotify watches of pid 8 fd 3'],
  container: '/docker/abc',
  processes: [
    { pid: 8, comm: 'a', fds: 2, fdLimit: null },
    { pid: 9, comm: 'b', fds: 0, fdLimit: 1024 },
  ],
  kinds: [{ kind: 'inotify', count: 2 }],
  sockets: [],
  listening: [],
  inotifyWatches: null,
  deleted: { ...NONE, fds: 1, unsized: 1 },
  memfd: NONE,
  targets: [],
};

t.test('the files of a process that leaks, of a container in part, and of one without any', async (t) => {
  const none: Fds = {
    ...partial,
    container: undefined,
    counted: 0,
    leftOut: [],
    processes: [],
    kinds: [],
    deleted: NONE,
  };
  const texts = [leaking, partial, { ...leaking, total: 9200, deleted: NONE, sockets: [] }, none].map((fds) =>
    fdsLines(fds, io(80)).join('\n'),
  );
  await golden(t, 'cli-fds.txt', `${texts.join('\n\n---\n\n')}\n`);
});
