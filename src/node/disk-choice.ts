import type { Disk } from '../env/disk.ts';
import { NodeDisk } from '../env/node-disk.ts';
import { BellwetherError } from '../errors.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { VolatileDisk } from './volatile-disk.ts';

/**
 * The disk of a node. `BELLWETHER_DISK` chooses another for tests of power loss: `volatile` keeps in memory what was
 * not reported durable, so that killing the process loses it; `unflushed` drops every wish for durability on the way
 * there, and stands for a store that never flushes. `BELLWETHER_DISK_FAULTS` lets the disk chosen fail (faulty-disk.ts).
 */
export function openDisk(environment: NodeJS.ProcessEnv, directory: string): Disk {
  const disk = chosenDisk(environment['BELLWETHER_DISK'], directory);
  const faults = environment['BELLWETHER_DISK_FAULTS'] ?? '';
  return faults === '' ? disk : new FaultyDisk(disk, faults);
}

function chosenDisk(kind: string | undefined, directory: string): Disk {
  switch (kind ?? '') {
    case '':
      return new NodeDisk(directory);
    case 'volatile':
      return new VolatileDisk(directory, true);
    case 'unflushed':
      return new VolatileDisk(directory, false);
    default:
      throw new BellwetherError(
        'BW_CONFIG_INVALID',
        `BELLWETHER_DISK is '${kind}'`,
        'Use volatile or unflushed, or leave it unset.',
      );
  }
}
