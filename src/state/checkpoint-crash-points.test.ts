import { expect, it } from 'vitest';
import type { Task } from '../env/task.ts';
import { runTask } from '../env/task.ts';
import { imagesAfterPowerLoss } from '../log/crash-images-test-kit.ts';
import { HandDisk, SeededRandom } from '../log/log-test-kit.ts';
import type { CheckpointId, Manifest } from './checkpoint-store.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import type { CheckpointLoader } from './types.ts';

/** Takes slices as they are: their bytes are the state. */
class Slices implements CheckpointLoader {
  bytes = '';

  load(slice: Buffer): void {
    this.bytes += slice.latin1Slice();
  }

  finish(): string {
    return this.bytes;
  }
}

const idAt = (lsn: number): CheckpointId => ({ shard: 1, term: 1, lsn });

function manifestOf(id: CheckpointId, digest: string): Manifest {
  return { ...id, terms: [], membership: '', digest, keys: 1, timeMs: 0 };
}

/** What a replica does: each checkpoint is finished before the one before it goes. */
function* work(store: CheckpointStore, promised: Set<number>): Task<void> {
  for (let lsn = 1; lsn <= 4; lsn++) {
    const id = idAt(lsn);
    if (lsn === 3) {
      // One that comes from the leader, as the bytes of a file, and is interrupted once.
      const bytes = (yield* store.readPiece(idAt(2), 0, 1 << 20))?.bytes as Buffer;
      const first = yield* store.receive(id);
      yield* first.write(bytes.subarray(0, 700));
      yield* first.close();
      const again = yield* store.receive(id);
      yield* again.write(bytes.subarray(again.received));
      yield* again.install();
    } else {
      const writer = yield* store.create(id);
      const slices = Array.from({ length: 3 }, (_, i) => `${lsn}.${i} `.repeat(150));
      for (const slice of slices) yield* writer.write(Buffer.from(slice));
      yield* writer.finish(manifestOf(id, slices.join('')));
    }
    promised.add(lsn);
    if (lsn === 1) continue;
    promised.delete(lsn - 1);
    yield* store.remove(idAt(lsn - 1));
  }
}

/** All finished checkpoints of an image, each read to its end. Throws when one of them is not whole. */
function wholeOnes(image: HandDisk): number[] {
  const store = new CheckpointStore(image.disk, 'checkpoints');
  return image.run(store.list(1)).map((id) => {
    image.run(store.load(store.path(id), new Slices()));
    return id.lsn;
  });
}

it('pitfall 11: a checkpoint that was reported finished is there after power loss at any point, and each one is whole', () => {
  const hand = new HandDisk();
  const store = new CheckpointStore(hand.disk, 'checkpoints');
  const promised = new Set<number>();
  const random = new SeededRandom(1);
  hand.run(store.list(1));
  let ended = false;
  let points = 0;
  let images = 0;
  runTask(work(store, promised), (error) => {
    expect(error).toBeNull();
    ended = true;
  });
  while (hand.step()) {
    points += 1;
    for (const image of imagesAfterPowerLoss(hand, true, random)) {
      images += 1;
      expect(wholeOnes(image), `after operation ${points}`).toEqual(expect.arrayContaining([...promised]));
    }
  }
  expect(ended).toBe(true);
  expect(points).toBeGreaterThan(40);
  expect(images).toBeGreaterThan(500);
});
