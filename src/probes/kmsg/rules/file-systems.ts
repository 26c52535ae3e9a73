// File systems that are damaged, shut down or read-only, and servers of files that do not answer (fs/, net/sunrpc/clnt.c).
import type { Rule } from '../rule.ts';

const DAY_SECONDS = 86_400;
const NFS = { type: 'NFSServer', subject: 'server' } as const;

export const fileSystemRules: readonly Rule[] = [
  {
    reason: 'Ext4Error',
    npd: true,
    literals: ['EXT4-fs error '],
    patterns: [
      String.raw`EXT4-fs error \(device (?P<device>[^)\s]+)\)(?: in (?P<function>\w+)|: (?P<where>\w+):\d+)?`,
      String.raw`EXT4-fs error `,
    ],
  },
  {
    reason: 'Ext4Warning',
    npd: true,
    literals: ['EXT4-fs warning '],
    patterns: [
      String.raw`EXT4-fs warning \(device (?P<device>[^)\s]+)\)(?:: (?P<where>\w+):\d+)?`,
      String.raw`EXT4-fs warning `,
    ],
  },
  {
    reason: 'FilesystemIsReadOnly',
    npd: true,
    literals: ['Remounting filesystem read-only'],
    patterns: [
      String.raw`\((?:device )?(?P<device>[^)\s]+)\).*Remounting filesystem read-only`,
      String.raw`Remounting filesystem read-only`,
    ],
    raises: { type: 'ReadonlyFilesystem', subject: 'device', recheck: 'writable', ttlSeconds: DAY_SECONDS },
  },
  {
    reason: 'XfsHasShutdown',
    npd: true,
    literals: ['Shutting down filesystem'],
    patterns: [
      String.raw`XFS \((?P<device>[^)\s]+)\): .*Shutting down filesystem`,
      String.raw`XFS .* Shutting down filesystem`,
    ],
    raises: { type: 'XfsShutdown', subject: 'device', recheck: 'unmounted', ttlSeconds: DAY_SECONDS },
  },
  {
    reason: 'XfsMounted',
    literals: ['Mounting V'],
    patterns: [String.raw`^XFS \((?P<device>[^)\s]+)\): Mounting V\d Filesystem`],
    clears: { type: 'XfsShutdown', subject: 'device' },
  },
  {
    reason: 'XfsError',
    literals: [
      'Corruption',
      'corruption detected',
      'etadata I/O error',
      'log I/O error',
      'Filesystem has been shut down',
      'xfs_log_force: error',
    ],
    patterns: [
      String.raw`^XFS \((?P<device>[^)\s]+)\): (?P<kind>Metadata corruption detected|Metadata CRC error|Corruption(?: warning| detected| of in-memory data)?|Internal error|(?:meta|Meta)data I/O error|log I/O error|Filesystem has been shut down|xfs_log_force: error)`,
    ],
  },
  {
    reason: 'BtrfsError',
    literals: ['BTRFS error', 'BTRFS critical', 'BTRFS: error'],
    patterns: [
      String.raw`^BTRFS (?P<level>error|critical)(?: \(device (?P<device>[^)\s]+?)(?: state \w+)?\))?: (?P<message>.*)`,
      String.raw`^BTRFS: (?P<level>error) \(device (?P<device>[^)\s]+?)(?: state \w+)?\) (?P<message>.*)`,
    ],
  },
  {
    reason: 'Jbd2Error',
    severity: 4,
    literals: ['JBD2: ', 'Aborting journal on device '],
    patterns: [
      String.raw`^JBD2: (?P<message>.*(?:[Ee]rror|[Dd]etected|[Aa]bort|I/O|[Ff]ail).*?)(?: on (?P<device>\S+?-\d+))?\.?$`,
      String.raw`^(?P<message>Aborting journal) on device (?P<device>\S+?)\.?$`,
    ],
  },
  {
    reason: 'FATError',
    literals: ['FAT-fs ('],
    patterns: [String.raw`^FAT-fs \((?P<device>[^)\s]+)\): error, (?P<message>.*)`],
  },
  {
    reason: 'OverlayfsWarning',
    severity: 4,
    literals: ['overlayfs: '],
    patterns: [String.raw`^overlayfs: (?P<message>.*)`],
  },
  {
    reason: 'NFSServerNotResponding',
    literals: [' not responding'],
    patterns: [String.raw`(?:nfs|lockd): server (?P<server>\S+) not responding(?P<gave_up>, timed out)?`],
    raises: { ...NFS, ttlSeconds: DAY_SECONDS },
  },
  {
    reason: 'NFSServerOK',
    literals: ['nfs: server ', 'lockd: server '],
    patterns: [String.raw`(?:nfs|lockd): server (?P<server>\S+) OK`],
    clears: NFS,
  },
];
