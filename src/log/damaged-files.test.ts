import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { damaged, eachSeed } from '../bytes/damage-test-kit.ts';
import { BellwetherError } from '../errors.ts';
import { MemoryDisk } from '../sim/memory-disk.ts';
import { MemoryFile } from '../sim/memory-file.ts';
import type { SeededRandom } from '../sim/seeded-random.ts';
import { back, blockBytes, front, headBytes, readHead, writeHead } from './frame.ts';
import { batchOf, HandDisk, type Opened, openOn, readAll } from './log-test-kit.ts';
import { segmentName } from './segment.ts';

const segmentBytes = 64 << 10;

/** The files of a log that a workload left: two shards, votes, a cut, checkpoints, several segments. */
function writtenFiles(): Map<string, Buffer> {
  const hand = new HandDisk();
  const { log } = openOn(hand, { segmentBytes });
  for (let lsn = 1; lsn <= 30; lsn++) {
    log.append(batchOf(1, 1 + Math.floor(lsn / 12), lsn, [`1:${lsn}:${'v'.repeat(lsn * 20)}`]));
    log.append(batchOf(2, 1, lsn, [`2:${lsn}`]));
    if (lsn % 10 === 0) log.putHardState(1, { term: lsn, vote: 'n2' });
    if (lsn === 20) log.checkpointed(2, { term: 1, lsn: 12 }, Buffer.from('members'));
    log.flush();
    hand.settle();
  }
  log.cut(2, { term: 1, lsn: 28 });
  log.flush();
  hand.settle();
  const names = hand.disk.names('log');
  return new Map(names.map((name) => [name, Buffer.from(hand.disk.bytesOf(`log/${name}`))]));
}

const files = writtenFiles();
const names = [...files.keys()];
const contents = [...files.values()];

function onDisk(changed: ReadonlyMap<string, Buffer>): HandDisk {
  const entries = new Map<string, MemoryFile | null>([['log', null]]);
  for (const [name, bytes] of changed) entries.set(`log/${name}`, new MemoryFile(bytes));
  return new HandDisk((options) => new MemoryDisk(options, entries));
}

/** Opens the log; null when it refuses to, with an error of the catalogue. */
function opened(hand: HandDisk): Opened | null {
  try {
    return openOn(hand, { segmentBytes });
  } catch (error) {
    if (error instanceof BellwetherError && error.code !== 'BW_INTERNAL') return null;
    throw error;
  }
}

/** Bytes of one file that frames are in, damaged, most often near where one begins. */
function damageIn(random: SeededRandom, bytes: Buffer): Buffer {
  const from =
    random.below(bytes.length / blockBytes) * blockBytes + random.pick([0, 0, 0, random.below(blockBytes)]);
  const length = random.pick([8, 80, 200, 5000]);
  const piece = bytes.subarray(from, Math.min(bytes.length, from + length));
  const other = random.pick(contents);
  const otherFrom = random.below(other.length / blockBytes) * blockBytes;
  const wrong = damaged(random, piece, [other.subarray(otherFrom, otherFrom + length)]);
  const rest = bytes.subarray(from + piece.length);
  // Files rarely change their lengths, so what follows stays where it was.
  if (random.chance(0.1)) return Buffer.concat([bytes.subarray(0, from), wrong, rest]);
  const same = Buffer.from(bytes);
  wrong.copy(same, from, 0, Math.min(wrong.length, piece.length));
  return same;
}

/** Where each shard's log ended. */
const ends = new Map([
  [1, 30],
  [2, 28],
]);

/** Reads all of a shard back: the LSN of its last entry. Throws when an entry is not the one that was written there. */
function lastOf(hand: HandDisk, { log, shards }: Opened, shard: number): number {
  const base = shards.find((one) => one.shard === shard)?.base.lsn ?? 0;
  let lsn = base;
  for (const batch of readAll(hand, log, shard, base + 1)) {
    for (const entry of batch.entries()) {
      lsn += 1;
      const text = batch.bytes.latin1Slice(entry.start, entry.end);
      if (!text.startsWith(`${shard}:${lsn}${shard === 1 ? ':' : ''}`))
        throw new Error(`shard ${shard} has ${text} at LSN ${lsn}`);
    }
  }
  return lsn;
}

test('a damaged log gives back nothing that was not written', () => {
  let read = 0;
  eachSeed(300, (random) => {
    const changed = new Map(files);
    for (let times = 1 + random.below(3); times > 0; times--) {
      const name = random.pick(names);
      changed.set(name, damageIn(random, changed.get(name) as Buffer));
    }
    const hand = onDisk(changed);
    const log = opened(hand);
    if (log === null) return;
    for (const { shard } of log.shards) read += lastOf(hand, log, shard);
  });
  expect(read).toBeGreaterThan(0);
});

test('pitfall 08, 10: one changed byte anywhere is made good, or the log says that it is damaged', () => {
  const outcomes = new Set<string>();
  eachSeed(300, (random) => {
    const changed = new Map(files);
    const name = random.pick(names);
    const bytes = Buffer.from(changed.get(name) as Buffer);
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 + random.below(255));
    changed.set(name, bytes);
    const hand = onDisk(changed);
    const log = opened(hand);
    if (log === null) throw new Error(`byte ${at} of ${name}: refused`);
    for (const [shard, end] of ends) {
      const damage = log.shards.find((one) => one.shard === shard)?.damage ?? null;
      const whole = lastOf(hand, log, shard) === end;
      if (!whole && damage === null) throw new Error(`byte ${at} of ${name}: shard ${shard} does not say so`);
      outcomes.add(whole ? 'whole' : 'damaged');
    }
  });
  expect(outcomes).toEqual(new Set(['whole', 'damaged']));
});

/** Makes the checksums of a frame's heads and tables right again, whatever stands in them. */
function withChecksums(random: SeededRandom, bytes: Buffer, segment: number): Buffer {
  const result = Buffer.from(bytes);
  for (let at = blockBytes; at + headBytes <= result.length; at += blockBytes) {
    const head = readHead(bytes, at, segment, front);
    if (head === null || random.chance(0.5)) continue;
    const table = result.subarray(at + headBytes, at + headBytes + head.tableBytes);
    const wrong = damaged(random, table, [table]);
    wrong.copy(result, at + headBytes, 0, Math.min(wrong.length, table.length));
    const change = { ...head, tableCrc: crc32(table) };
    if (random.chance(0.2)) Object.assign(change, { records: random.pick([0, 1, 100, 0xffff_ffff]) });
    if (random.chance(0.2)) Object.assign(change, { sequence: random.pick([0, 1, 2 ** 53 - 1]) });
    writeHead(result, at, change, front);
    writeHead(result, at + head.length - headBytes, change, back);
  }
  return result;
}

test('a log with right checksums and wrong records is opened or refused, never anything else', () => {
  eachSeed(400, (random) => {
    const changed = new Map(files);
    for (const [name, bytes] of files)
      if (random.chance(0.5)) changed.set(name, withChecksums(random, bytes, Number(name.slice(0, 10))));
    const hand = onDisk(changed);
    const log = opened(hand);
    if (log === null) return;
    for (const recovered of log.shards) {
      if (recovered.last.lsn - recovered.base.lsn > 1000) continue;
      readAll(hand, log.log, recovered.shard, recovered.base.lsn + 1);
    }
  });
});

test('pitfall 09: lengths that a damaged log announces are checked against its files', () => {
  const name = segmentName(1);
  const bytes = files.get(name) as Buffer;
  const head = readHead(bytes, blockBytes, 1, front);
  expect(head).not.toBeNull();
  for (const wrong of [
    { length: 1 << 30 },
    { tableBytes: 0x7fff_ffff },
    { length: 0 },
    { offset: 0xffff_f000 },
  ]) {
    const changed = Buffer.from(bytes);
    writeHead(changed, blockBytes, { ...(head as NonNullable<typeof head>), ...wrong }, front);
    expect(readHead(changed, blockBytes, 1, front)).toBeNull();
  }
});
