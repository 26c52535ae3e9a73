// Disks that fail: the block layer, SCSI, ATA, NVMe, RAID and the device mapper (block/blk-core.c, drivers/{scsi,ata,nvme,md}).
import type { Rule } from '../rule.ts';

export const blockIoRules: readonly Rule[] = [
  {
    reason: 'IOError',
    npd: true,
    literals: ['Buffer I/O error '],
    patterns: [
      String.raw`Buffer I/O error on dev(?:ice)? (?P<device>[^\s,]+), logical block (?P<block>\d+)`,
      String.raw`Buffer I/O error `,
    ],
  },
  {
    reason: 'BlockIOError',
    literals: [' error, dev ', 'I/O error, dev '],
    patterns: [
      String.raw`(?P<kind>I/O|timeout|recoverable transport|critical (?:target|nexus|space allocation)|protection|zone resource|device offline or changed|operation not supported) error, dev (?P<device>[^\s,]+), sector (?P<sector>\d+)(?: op (?P<op>\S+))?`,
    ],
  },
  {
    reason: 'MediumError',
    literals: ['critical medium error, dev '],
    patterns: [String.raw`critical medium error, dev (?P<device>[^\s,]+), sector (?P<sector>\d+)(?: op (?P<op>\S+))?`],
  },
  {
    reason: 'NVMeTimeout',
    literals: [
      ', aborting',
      ' timeout, reset controller',
      ' timeout, completion polled',
      ' timeout, disable controller',
    ],
    patterns: [
      String.raw`^nvme (?P<device>nvme\w+): I/O (?:tag )?(?P<tag>\d+) .*QID (?P<queue>\d+) timeout, (?P<action>aborting|reset controller|completion polled|disable controller)`,
    ],
  },
  {
    reason: 'NVMeControllerDown',
    literals: ['controller is down; will reset', 'Removing after probe failure', 'Device not ready; aborting reset'],
    patterns: [
      String.raw`^nvme (?P<device>nvme\w+): (?P<cause>controller is down; will reset|Removing after probe failure|Device not ready; aborting reset)`,
    ],
  },
  {
    reason: 'ATAError',
    report: 'ata',
    literals: [': exception Emask ', ': failed command: ', ': hard resetting link', ': COMRESET failed'],
    patterns: [
      String.raw`^(?P<device>ata\d+(?:\.\d+)?): (?P<kind>exception Emask \S+|failed command: .*|hard resetting link|COMRESET failed)`,
    ],
  },
  {
    reason: 'SCSIError',
    literals: ['FAILED Result: '],
    patterns: [
      String.raw`^sd (?P<address>\S+): (?:\[(?P<device>\w+)\] )?(?:tag#\d+ )?FAILED Result: hostbyte=(?P<host>\S+) driverbyte=(?P<driver>\S+)`,
    ],
  },
  {
    reason: 'RAIDDiskFailure',
    literals: ['Disk failure on '],
    patterns: [String.raw`^md/(?P<level>\w+):(?P<array>\w+): Disk failure on (?P<device>[^\s,]+),`],
  },
  {
    reason: 'DeviceMapperError',
    severity: 4,
    literals: ['device-mapper: '],
    patterns: [
      String.raw`^device-mapper: (?P<target>[\w -]+): (?P<message>.*(?:[Ee]rror|[Ff]ail|No usable|[Ii]nvalid|corrupt|out of).*)`,
    ],
  },
];
