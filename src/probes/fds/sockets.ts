// Which sockets there are in a network namespace: protocol, state and address by inode, from the tables in /proc/PID/net.
import { endianness } from 'node:os';
import { eachLine, hexadecimal, unsigned, words } from '../kernel/text.ts';

export interface SocketFacts {
  readonly protocol: string;
  /** As netstat(8) calls it; undefined for protocols without states. */
  readonly state: string | undefined;
  /** Where it listens: `0.0.0.0:80`, `[::]:80`, the path of a Unix socket. */
  readonly listens: string | undefined;
}

interface SocketTable {
  /** Below /proc/PID/net. */
  readonly file: string;
  /** Which word of a line is the inode. */
  readonly inode: number;
  readonly facts: (cells: readonly string[], line: string) => SocketFacts;
}

/** include/net/tcp_states.h, from 1. */
const TCP_STATES = [
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
  'BOUND_INACTIVE',
] as const;
/** include/uapi/linux/net.h, from 1. */
const UNIX_STATES = ['UNCONNECTED', 'CONNECTING', 'CONNECTED', 'DISCONNECTING'] as const;
const SO_ACCEPTCON = 0x1_0000;

const stateAt = (states: readonly string[], cell: string | undefined): string =>
  states[(hexadecimal(cell) ?? 0) - 1] ?? 'UNKNOWN';

const tcp = (file: string): SocketTable => ({
  file,
  inode: 9,
  facts([, local, , st]) {
    const state = stateAt(TCP_STATES, st);
    return { protocol: file, state, listens: state === 'LISTEN' ? addressOf(local) : undefined };
  },
});

/** An unconnected socket takes from anyone: a server's, and a client's that has not sent yet. */
const udp = (file: string): SocketTable => ({
  file,
  inode: 9,
  facts([, local, , st]) {
    const connected = stateAt(TCP_STATES, st) === 'ESTABLISHED';
    return {
      protocol: file,
      state: connected ? 'ESTABLISHED' : 'UNCONNECTED',
      listens: connected ? undefined : addressOf(local),
    };
  },
});

const stateless = (file: string, inode: number): SocketTable => ({
  file,
  inode,
  facts: () => ({ protocol: file, state: undefined, listens: undefined }),
});

const unix: SocketTable = {
  file: 'unix',
  inode: 6,
  facts([, , , flags, , st, inode = ''], line) {
    const listening = ((hexadecimal(flags) ?? 0) & SO_ACCEPTCON) !== 0;
    const named = listening ? line.indexOf(` ${inode} `) : -1;
    return {
      protocol: 'unix',
      state: listening ? 'LISTEN' : stateAt(UNIX_STATES, st),
      listens: named === -1 ? undefined : line.slice(named + inode.length + 2),
    };
  },
};

/** Those that most sockets are in come first: when all are found, the rest is not read. */
export const SOCKET_TABLES: readonly SocketTable[] = [
  tcp('tcp'),
  unix,
  tcp('tcp6'),
  udp('udp'),
  udp('udp6'),
  stateless('netlink', 9),
  stateless('packet', 8),
  stateless('raw', 9),
  stateless('raw6', 9),
];

/**
 * Visits the sockets of a table that `wanted` says yes to, by inode. Lines that are no sockets, the head among them, are
 * skipped. A path of a Unix socket may hold anything, a line feed too: the first line of an inode is believed.
 */
export function visitSockets(
  text: string,
  { inode: column, facts }: SocketTable,
  wanted: (inode: number) => boolean,
  visit: (inode: number, socket: SocketFacts) => void,
): void {
  eachLine(text, (line) => {
    const inode = unsigned(wordAt(line, column));
    if (inode !== undefined && inode !== 0 && wanted(inode)) visit(inode, facts(words(line), line));
  });
}

const SPACE = 0x20;
const isBlank = (code: number): boolean => code === SPACE || code === 0x09;

/** One word of a line; of a hundred thousand lines nine in ten are not wanted, and are not split. */
function wordAt(line: string, index: number): string | undefined {
  let at = 0;
  for (let word = 0; ; word += 1) {
    while (at < line.length && isBlank(line.charCodeAt(at))) at += 1;
    if (at >= line.length) return undefined;
    let end = at;
    while (end < line.length && !isBlank(line.charCodeAt(end))) end += 1;
    if (word === index) return line.slice(at, end);
    at = end;
  }
}

/**
 * `127.0.0.1:80` from `0100007F:0050`: words of four bytes in the order of the machine, the port as a number. Undefined for
 * what is no address, and for a port that is not chosen yet.
 */
export function addressOf(text: string | undefined, order: 'BE' | 'LE' = endianness()): string | undefined {
  const [, hex = '', port = ''] = /^([0-9A-Fa-f]{8}|[0-9A-Fa-f]{32}):([0-9A-Fa-f]{4})$/.exec(text ?? '') ?? [];
  if (hex === '' || port === '0000') return undefined;
  const bytes = Buffer.from(hex, 'hex');
  if (order === 'LE') bytes.swap32();
  const number = Number.parseInt(port, 16);
  if (bytes.length === 4) return `${bytes.join('.')}:${number}`;
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16));
  return `${new URL(`http://[${groups.join(':')}]/`).hostname}:${number}`; // the shortest form (RFC 5952)
}
