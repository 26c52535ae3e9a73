// The tables of sockets in /proc/PID/net: lines as the kernel writes them, states, addresses, and nonsense.
import t from 'tap';
import { addressOf, SOCKET_TABLES, visitSockets, type SocketFacts } from '../../../src/probes/fds/sockets.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';

/** Recorded on Linux 6.18, x86-64; some lines left out. */
const TABLES: Readonly<Record<string, string>> = {
  tcp: `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 0100007F:9325 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3265438 1 00000000e1f4ed7e 100 0 0 10 0                   
   1: 0100007F:9325 0100007F:B57C 01 00000000:00000000 00:00000000 00000000     0        0 3265433 2 0000000009d3e9e9 20 4 0 10 -1                   
   2: 0100007F:B57E 0100007F:9325 08 00000000:00000000 00:00000000 00000000     0        0 3265435 1 0000000049feb9bb 20 4 0 10 -1                   
   3: 0100007F:9325 0100007F:B57E 06 00000000:00000000 03:00001770 00000000     0        0 0 3 00000000dd1ad6e4                                      
`,
  tcp6: `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 00000000e1f4ed7e 100 0 0 10 0
`,
  udp: `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops             
  323: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 5 2 00000000f3a5a0b6 0         
  324: 0A00000A:D431 01010101:0035 01 00000000:00000000 00:00000000 00000000     0        0 6 2 00000000f3a5a0b7 0         
`,
  unix: `Num       RefCount Protocol Flags    Type St Inode Path
000000006fb4dda6: 00000002 00000000 00010000 0001 01  9010 /tmp/a b/sock et
00000000bfa03ec1: 00000003 00000000 00000000 0001 03 3265440
00000000bfa03ec2: 00000002 00000000 00000000 0002 01     9 @/org/x
`,
  netlink: `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
000000000a7c0a93 0   0          00000000 0        0        0     2        0        3       
`,
  packet: `sk               RefCnt Type Proto  Iface R Rmem   User   Inode
00000000a7c0a931 3      3    0003   2     1 0      0      4321
`,
};

const tableOf = (file: string) => {
  const found = SOCKET_TABLES.find((table) => table.file === file);
  if (found === undefined) throw new Error(file);
  return found;
};
function read(file: string, wanted: (inode: number) => boolean = () => true, text = TABLES[file] ?? '') {
  const found: [number, SocketFacts][] = [];
  visitSockets(text, tableOf(file), wanted, (inode, facts) => found.push([inode, facts]));
  return found;
}

for (const [file, sockets] of [
  [
    'tcp',
    [
      [3265438, 'LISTEN', '127.0.0.1:37669'],
      [3265433, 'ESTABLISHED', undefined],
      [3265435, 'CLOSE_WAIT', undefined],
    ],
  ],
  ['tcp6', [[77, 'LISTEN', '[::]:80']]],
  [
    'udp',
    [
      [5, 'UNCONNECTED', '0.0.0.0:68'],
      [6, 'ESTABLISHED', undefined],
    ],
  ],
  [
    'unix',
    [
      [9010, 'LISTEN', '/tmp/a b/sock et'],
      [3265440, 'CONNECTED', undefined],
      [9, 'UNCONNECTED', undefined],
    ],
  ],
  ['netlink', [[3, undefined, undefined]]],
  ['packet', [[4321, undefined, undefined]]],
] as const) {
  t.test(`the sockets of ${file} have their states and addresses`, async (t) => {
    t.same(
      read(file),
      sockets.map(([inode, state, listens]) => [inode, { protocol: file, state, listens }]),
      'a connection in TIME_WAIT belongs to no process any more',
    );
  });
}

t.test('only what is asked for is told', async (t) => {
  t.same(
    read('tcp', (inode) => inode === 3265435).map(([inode]) => inode),
    [3265435],
  );
});

t.test('addresses are read in the order of the machine', async (t) => {
  for (const [text, order, address] of [
    ['0100007F:0050', 'LE', '127.0.0.1:80'],
    ['7F000001:0050', 'BE', '127.0.0.1:80'],
    ['0000000000000000FFFF00000100007F:01BB', 'LE', '[::ffff:7f00:1]:443'],
    ['B80D01200000000067452301EFCDAB89:FFFF', 'LE', '[2001:db8::123:4567:89ab:cdef]:65535'],
    ['00000000000000000000000000000000:0000', 'LE', undefined],
    ['00000000:0000', 'LE', undefined],
    ['0100007F', 'LE', undefined],
    ['0100007F:', 'LE', undefined],
    ['xyz:0050', 'LE', undefined],
    ['', 'LE', undefined],
  ] as const)
    t.equal(addressOf(text, order), address, text);
});

t.test(`mutilated tables give sockets or nothing (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  let seen = 0;
  for (const file of Object.keys(TABLES)) {
    const original = Buffer.from(TABLES[file] ?? '');
    for (let round = 0; round < 1000; round += 1) {
      for (const [inode, { state = 'none' }] of read(file, () => true, mutate(original, next).toString())) {
        seen += 1;
        if (!Number.isSafeInteger(inode) && inode < 2 ** 53) {
          t.fail(`inode ${inode}`);
          return;
        }
        if (!/^[A-Z_0-9]+$|^none$/.test(state)) {
          t.fail(`state ${state}`);
          return;
        }
      }
    }
  }
  t.ok(seen > 5000, `${seen} sockets`);
});
