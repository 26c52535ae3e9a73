// What udev knows of a block device, from its database in /run/udev/data.
import { eachLine } from '../kernel/text.ts';
import { readFailure, type HostFiles } from '../host-files.ts';

const PROPERTY = 'E:';
const LARGEST = 64 * 1024;
const LONGEST_VALUE = 256;
const MOST_PROPERTIES = 1000;

/** The properties of an entry, `E:ID_MODEL=QEMU_HARDDISK`; its other lines are links and tags. */
export function parseUdev(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  eachLine(text, (line) => {
    const equals = line.indexOf('=');
    if (!line.startsWith(PROPERTY) || equals === -1 || properties.size === MOST_PROPERTIES) return;
    properties.set(line.slice(PROPERTY.length, equals), line.slice(equals + 1, equals + 1 + LONGEST_VALUE));
  });
  return properties;
}

/** Undefined where udev does not run, or has not seen the device yet. */
export function readUdev(host: HostFiles, major: string, minor: string): ReadonlyMap<string, string> | undefined {
  try {
    return parseUdev(host.text(`/run/udev/data/b${major}:${minor}`, LARGEST));
  } catch (error) {
    if (readFailure(error) === 'failed') throw error;
    return undefined;
  }
}
