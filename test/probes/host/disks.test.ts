// What block devices are: by udev where it runs, by the drivers where it does not, and of real kernels under QEMU.
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { disks } from '../../../src/probes/host/disks.ts';
import { parseUdev } from '../../../src/probes/host/udev.ts';
import { RECORDED_HARDWARE, unpackHardware } from '../../support/hardware.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';
import { collectOnce } from '../kernel/written.ts';

const diskstats =
  ' 8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n 8 1 sda1 1 2 3 4 5 6 7 8 9 10 11\n 253 0 dm-0 1 2 3 4 5 6 7 8 9 10 11\n';
const SDA = `S:disk/by-id/ata-DISK
I:1234
E:ID_ATA=1
E:ID_ATA_WRITE_CACHE=1
E:ID_ATA_WRITE_CACHE_ENABLED=0
E:ID_ATA_ROTATION_RATE_RPM=7200
E:ID_MODEL=ST4000NM
E:ID_SERIAL=ST4000NM_Z1
E:ID_SERIAL_SHORT=Z1
E:SCSI_IDENT_SERIAL=Z1-LABEL
E:ID_PATH=pci-0000:00:1f.2-ata-1
E:ID_WWN=0x5000c500
E:ID_REVISION=SN02
G:systemd
`;
const DM =
  'E:DM_NAME=vg-data\nE:DM_UUID=LVM-x\nE:DM_VG_NAME=vg\nE:DM_LV_NAME=data\nE:ID_FS_TYPE=xfs\nE:ID_FS_UUID=1-2\n';

t.test('what udev knows is told in the words of node_exporter', async (t) => {
  const host = new HostFiles(
    t.testdir({
      proc: { diskstats },
      run: { udev: { data: { 'b8:0': SDA, 'b253:0': DM } } },
      sys: { block: { sda: { size: '7814037168\n', queue: { rotational: '1\n' } }, 'dm-0': { size: '8\n' } } },
    }),
  );
  t.equal(
    (await collectOnce(disks, host)).text,
    `node_disk_info{device="sda",major="8",minor="0",path="pci-0000:00:1f.2-ata-1",wwn="0x5000c500",model="ST4000NM",serial="Z1-LABEL",revision="SN02",rotational="1"} 1
jdos_disk_size_bytes{device="sda"} 4000787030016
node_disk_ata_write_cache{device="sda"} 1
node_disk_ata_write_cache_enabled{device="sda"} 0
node_disk_ata_rotation_rate_rpm{device="sda"} 7200
node_disk_info{device="dm-0",major="253",minor="0",path="",wwn="",model="",serial="",revision="",rotational=""} 1
jdos_disk_size_bytes{device="dm-0"} 4096
node_disk_filesystem_info{device="dm-0",type="xfs",usage="",uuid="1-2",version=""} 1
node_disk_device_mapper_info{device="dm-0",name="vg-data",uuid="LVM-x",vg_name="vg",lv_name="data",lv_layer=""} 1
`,
  );
});

for (const name of RECORDED_HARDWARE) {
  t.test(`without udev the drivers of ${name} say what the disks are`, async (t) => {
    const { samples } = await collectOnce(disks, new HostFiles(unpackHardware(t, name)));
    const info = samples.filter(({ metric }) => metric === 'node_disk_info').map(({ labels }) => labels);
    const of = (device: string) => info.find((labels) => labels['device'] === device);
    t.match(of('sda'), { model: 'QEMU HARDDISK', rotational: '1' });
    t.match(of('nvme0n1'), { model: 'QEMU NVMe Ctrl', serial: 'NVME0001', rotational: '0' });
    t.match(of('vda'), { serial: 'VIRTIO0001' });
    const sizes = samples.filter(({ metric }) => metric === 'jdos_disk_size_bytes');
    t.ok(sizes.length >= 4 && sizes.every(({ value }) => value === 64 * 2 ** 20), 'each has 64 MiB');
  });
}

t.test(`entries of udev are bounded, whatever stands in them (seed ${FUZZ_SEED})`, async (t) => {
  t.same(
    [...parseUdev('E:A=1=2\nE:B\nI:C=1\nE:D=\n')],
    [
      ['A', '1=2'],
      ['D', ''],
    ],
  );
  const next = random();
  for (let round = 0; round < 2000; round += 1) {
    for (const [, value] of parseUdev(mutate(Buffer.from(SDA), next).toString()))
      if (value.length > 256 || value.includes('\n')) t.fail(JSON.stringify(value));
  }
  t.equal(parseUdev(`E:X=${'y'.repeat(5000)}\n`).get('X')?.length, 256);
});
