// Users and groups of this host, from the files that always have the system accounts (passwd(5), group(5)).
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The account called `name` in the text of a passwd file. */
export function findAccount(passwd: string, name: string): Account | undefined {
  for (const line of passwd.split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name && /^\d+$/.test(uid ?? '') && /^\d+$/.test(gid ?? ''))
      return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/** The account called `name` on this host; users of LDAP and the like are not looked up. */
export const hostAccount = (name: string): Account | undefined =>
  findAccount(readFileSync('/etc/passwd', 'utf8'), name);

/** The first directory on the way to `file` that `account` may not pass, or undefined when it may pass all. */
export function closedDirectory(file: string, account: Account): string | undefined {
  const parents: string[] = [];
  for (let dir = dirname(file); ; dir = dirname(dir)) {
    parents.unshift(dir);
    if (dir === dirname(dir)) break;
  }
  return parents.find((dir) => {
    const { mode, uid, gid } = statSync(dir);
    const bits = uid === account.uid ? mode >> 6 : gid === account.gid ? mode >> 3 : mode;
    return (bits & 1) === 0;
  });
}
