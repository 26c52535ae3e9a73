// Where a reader of a container's log is: which run, which file (a rotated one has another inode), which byte.

export interface LogCursor {
  readonly attempt: number;
  readonly inode: number;
  readonly offset: number;
}

export const writeCursor = ({ attempt, inode, offset }: LogCursor): string => `${attempt}.${inode}.${offset}`;

/** Undefined for what no reader was given. */
export function parseCursor(text: string): LogCursor | undefined {
  const found = /^(\d{1,9})\.(\d{1,16})\.(\d{1,15})$/.exec(text);
  if (found === null) return undefined;
  const [attempt = 0, inode = 0, offset = 0] = found.slice(1).map(Number);
  return { attempt, inode, offset };
}
