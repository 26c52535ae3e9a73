// Which block devices are left out: those excluded by the configuration, and partitions.

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** `name` without its final digits; the name itself when it ends with none. */
function stemOf(name: string): string {
  let end = name.length;
  while (end > 0 && isDigit(name.charCodeAt(end - 1))) end -= 1;
  return name.slice(0, end);
}

const PARTITIONED = ['hd', 'sd', 'vd', 'xvd'] as const;

/** `sda` of `sda1`: one of the partitioned kinds and letters, nothing else. */
function isLetteredDisk(stem: string): boolean {
  const kind = PARTITIONED.find((prefix) => stem.startsWith(prefix));
  if (kind === undefined || stem.length === kind.length) return false;
  for (let at = kind.length; at < stem.length; at += 1) {
    const code = stem.charCodeAt(at);
    if (code < 0x61 || code > 0x7a) return false;
  }
  return true;
}

/** `nvme0n1p` of `nvme0n1p2`. */
function isNvmePartition(stem: string): boolean {
  if (!stem.startsWith('nvme') || !stem.endsWith('p')) return false;
  const namespace = stem.slice('nvme'.length, -1);
  const n = namespace.indexOf('n');
  const numbers = [namespace.slice(0, n), namespace.slice(n + 1)];
  return n !== -1 && numbers.every((part) => part !== '' && stemOf(part) === '');
}

/**
 * Whether a device of /proc/diskstats is left out, as node_exporter's default does it with
 * `^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$`: an excluded prefix and digits, or a partition of a disk.
 * Disks beyond the 26th (`sdaa`) count as disks too.
 */
export function isIgnoredDisk(device: string, prefixes: readonly string[]): boolean {
  const stem = stemOf(device);
  if (stem.length === device.length) return false;
  return prefixes.includes(stem) || isLetteredDisk(stem) || isNvmePartition(stem);
}
