import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { damaged, eachSeed } from '../bytes/damage-test-kit.ts';
import { BellwetherError } from '../errors.ts';
import { HandDisk } from '../log/log-test-kit.ts';
import { MemoryDisk } from '../sim/memory-disk.ts';
import { MemoryFile } from '../sim/memory-file.ts';
import type { SeededRandom } from '../sim/seeded-random.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { decodeEffects, EffectEncoder } from './effect-codec.ts';
import type { EffectSink } from './effects.ts';
import { Keyspace } from './keyspace.ts';

const id = { shard: 1, term: 2, lsn: 40 };

/** A state of every type, with values that are written in pieces. */
function aState(salt: number): Keyspace {
  const keyspace = new Keyspace();
  keyspace.writeLsn = 40;
  for (let i = 0; i < 30; i++) {
    keyspace.putString(`s${i}`, `${salt}`.repeat(i), i % 3 === 0 ? 5000 + i : 0);
    keyspace.hashSet('h', `f${i}`, 'x'.repeat(i));
    keyspace.listAppend('l', `i${i}`);
    keyspace.setAdd('t', `m${i}`);
    keyspace.sortedSetPut('z', `m${i}`, i / 3 - salt);
  }
  keyspace.setRange('long', 70_000 + salt, 'tail');
  return keyspace;
}

/** The bytes of a checkpoint file, and where its slices begin. */
function fileOf(keyspace: Keyspace): Buffer {
  const hand = new HandDisk();
  const store = new CheckpointStore(hand.disk, 'checkpoints');
  const slices = keyspace.beginCheckpoint();
  const writer = hand.run(store.create(id));
  for (let slice = slices.next(300); slice !== null; slice = slices.next(300)) hand.run(writer.write(slice));
  const { digest, keys } = slices;
  hand.run(writer.finish({ ...id, terms: [], membership: 'e30=', digest, keys, timeMs: 7 }));
  return Buffer.from(hand.disk.bytesOf(store.path(id)));
}

const file = fileOf(aState(1));
const other = fileOf(aState(2));
const digest = aState(1).digest();

/** What becomes of the file when it is loaded: the digest of the state, or null when it is refused as damaged. */
function loaded(bytes: Buffer): string | null {
  const path = new CheckpointStore(new HandDisk().disk, 'checkpoints').path(id);
  const entries = new Map<string, MemoryFile | null>([
    ['checkpoints', null],
    [path, new MemoryFile(bytes)],
  ]);
  const hand = new HandDisk((options) => new MemoryDisk(options, entries));
  const keyspace = new Keyspace();
  try {
    const manifest = hand.run(new CheckpointStore(hand.disk, 'checkpoints').load(path, keyspace.restore()));
    expect(keyspace.digest()).toBe(manifest.digest);
    return manifest.digest;
  } catch (error) {
    // Damage may make it look like one of another version.
    const refusals = ['BW_CHECKPOINT_DAMAGED', 'BW_DATA_VERSION'];
    if (error instanceof BellwetherError && refusals.includes(error.code)) return null;
    throw error;
  }
}

/** The slices of a file, the empty one and the manifest behind them included. */
function slicesOf(bytes: Buffer): Buffer[] {
  const slices: Buffer[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    slices.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return slices;
}

function withSlices(slices: readonly Buffer[]): Buffer {
  const parts = slices.flatMap((slice) => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(slice.length, 0);
    head.writeUInt32LE(crc32(slice), 4);
    return [head, slice];
  });
  return Buffer.concat([file.subarray(0, 8), ...parts]);
}

test('a checkpoint is loaded whole or refused as damaged', () => {
  expect(loaded(file)).toBe(digest);
  eachSeed(500, (random) => {
    const bytes = damaged(random, file, [other, file]);
    const found = loaded(bytes);
    if (found !== null && !bytes.equals(file) && !bytes.equals(other))
      throw new Error('damage was not noticed');
  });
});

function anyDamage(random: SeededRandom, slices: Buffer[]): Buffer[] {
  const i = random.below(slices.length);
  const slice = slices[i] as Buffer;
  switch (random.below(4)) {
    case 0:
      slices.splice(i, 1);
      break;
    case 1:
      slices.splice(i, 0, random.pick(slices));
      break;
    default:
      slices[i] = damaged(random, slice, [
        random.pick(slices),
        Buffer.from('null'),
        Buffer.from('{"lsn":1}'),
      ]);
  }
  return slices;
}

test('a checkpoint with right checksums and wrong contents is refused as damaged, or has the digest that it says', () => {
  eachSeed(800, (random) => {
    loaded(withSlices(anyDamage(random, slicesOf(random.pick([file, other])))));
  });
});

/** Effects that were handed on, with everything about them. */
function effectsIn(bytes: Buffer): number {
  let effects = 0;
  const sink = new Proxy({} as EffectSink, {
    get: () => () => {
      effects += 1;
    },
  });
  try {
    decodeEffects(bytes, 0, bytes.length, sink);
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
  }
  return effects;
}

test('effects that were damaged are effects or malformed, and no more than their bytes', () => {
  const encode = (write: (sink: EffectSink) => void): Buffer => {
    const out = new ByteWriter(1024);
    const encoder = new EffectEncoder(out);
    encoder.begin();
    write(encoder);
    return Buffer.from(out.take());
  };
  const valid = encode((sink) => {
    sink.putString('k', 'value', 0);
    sink.putString('k', 'value', 77);
    sink.setRange('k', 3, 'x');
    sink.hashSet('h', 'f', 'v');
    sink.sortedSetPut('z', 'm', 1.5);
    sink.listInsert('l', 1, 'i');
    sink.listRemove('l', 1, 2);
    sink.combineBits('xor', 't', ['a', 'b']);
    sink.rename('a', 'b');
    sink.clear();
  });
  expect(effectsIn(valid)).toBe(10);
  eachSeed(5000, (random) => {
    const bytes = damaged(random, valid, [valid]);
    if (effectsIn(bytes) > bytes.length) throw new Error('more effects than bytes');
  });
});
