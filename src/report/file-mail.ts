// A mail as a file, for hosts without a relay: whole or not there, also after a power cut.
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes `file` by way of a temporary one beside it, on disk when it resolves. Mode 0640. */
export async function writeAtomically(file: string, bytes: Buffer): Promise<void> {
  const directory = dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const temporary = `${file}.${process.pid}.tmp`;
  const handle = await open(temporary, 'w', 0o640);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await handle.close();
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await handle.close();
  await rename(temporary, file);
  const parent = await open(directory, 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}
