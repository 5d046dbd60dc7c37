import { expect, test } from 'vitest';
import { SeededRandom } from './log-test-kit.ts';
import type { Location } from './shard-index.ts';
import { ShardIndex } from './shard-index.ts';

/** The same in the plainest way. */
class PlainIndex {
  held: Location[] = [];

  add(firstLsn: number, lastLsn: number, segment: number, offset: number, length: number): void {
    this.held.push({ firstLsn, lastLsn, segment, offset, length });
  }

  from(lsn: number): Location[] {
    return this.held.filter(({ lastLsn }) => lastLsn >= lsn);
  }

  bytesFrom(lsn: number): number {
    return this.from(lsn).reduce((sum, { length }) => sum + length, 0);
  }

  stretch(lsn: number, through: number, maxBytes: number): Location[] {
    const [first, ...rest] = this.from(lsn);
    if (first === undefined || first.firstLsn > lsn || first.lastLsn > through) return [];
    const stretch = [first];
    for (const next of rest) {
      const fits = next.offset + next.length - first.offset <= maxBytes;
      if (next.lastLsn > through || next.segment !== first.segment || !fits) break;
      stretch.push(next);
    }
    return stretch;
  }

  truncate(lsn: number): void {
    this.held = this.held
      .filter(({ firstLsn }) => firstLsn <= lsn)
      .map((place) => ({ ...place, lastLsn: Math.min(place.lastLsn, lsn) }));
  }

  lastLsnThrough(segment: number): number {
    return this.held.filter((place) => place.segment <= segment).at(-1)?.lastLsn ?? 0;
  }
}

function expectEqual(index: ShardIndex, plain: PlainIndex, random: SeededRandom): void {
  const last = plain.held.at(-1);
  expect(index.count).toBe(plain.held.length);
  expect(index.lastLsn).toBe(last?.lastLsn ?? 0);
  expect(index.oldestSegment).toBe(plain.held[0]?.segment ?? Number.POSITIVE_INFINITY);
  const first = plain.held[0]?.firstLsn ?? 1;
  for (let tries = 0; tries < 5; tries++) {
    const lsn = first - 2 + random.below((last?.lastLsn ?? 1) - first + 5);
    const through = lsn + random.below(300);
    const maxBytes = random.below(4000);
    expect(index.stretch(lsn, through, maxBytes)).toEqual(plain.stretch(lsn, through, maxBytes));
    expect(index.stretch(lsn, Number.POSITIVE_INFINITY, 0)).toEqual(
      plain.stretch(lsn, Number.POSITIVE_INFINITY, 0),
    );
    expect(index.bytesFrom(lsn)).toBe(plain.bytesFrom(lsn));
  }
  const segment = random.below((last?.segment ?? 1) + 2);
  expect(index.lastLsnThrough(segment)).toBe(plain.lastLsnThrough(segment));
}

test('places in a log that grows, is cut and loses its beginning are those of a plain list', () => {
  const random = new SeededRandom(7);
  const index = new ShardIndex();
  const plain = new PlainIndex();
  let next = 1;
  let segment = 1;
  let offset = 4096;
  for (let round = 0; round < 240; round++) {
    for (let count = random.below(28); count > 0; count--) {
      const last = next + random.below(4);
      const length = 50 + random.below(500);
      if (random.below(20) === 0) {
        segment += 1;
        offset = 4096;
      }
      index.add(next, last, segment, offset, length);
      plain.add(next, last, segment, offset, length);
      next = last + 1;
      offset += length;
    }
    if (random.below(10) === 0) {
      const lsn = next - random.below(12);
      index.truncate(lsn);
      plain.truncate(lsn);
      next = Math.max(plain.held.at(-1)?.lastLsn ?? 0, Math.min(next - 1, lsn)) + 1;
    }
    if (random.below(round < 120 ? 200 : 15) === 0) {
      const lsn = plain.held[random.below(plain.held.length)]?.lastLsn ?? 0;
      index.dropThrough(lsn);
      plain.held = plain.held.filter(({ lastLsn }) => lastLsn > lsn);
    }
    expectEqual(index, plain, random);
  }
  // The places of more than one growth were kept, and moved.
  expect(next).toBeGreaterThan(3000);
  index.clear();
  plain.held = [];
  expectEqual(index, plain, random);
  index.add(next, next, 1, 4096, 10);
  expect(index.bytesFrom(1)).toBe(10);
});

test('an index that grows while its beginning goes keeps what it holds', () => {
  const index = new ShardIndex();
  for (let lsn = 1; lsn <= 5000; lsn++) {
    index.add(lsn, lsn, Math.ceil(lsn / 100), (lsn % 100) * 40, 40);
    if (lsn % 7 === 0) index.dropThrough(lsn - 1500);
  }
  const oldest = 4998 - 1500 + 1;
  expect(index.count).toBe(5000 - oldest + 1);
  expect(index.oldestSegment).toBe(Math.ceil(oldest / 100));
  expect(index.bytesFrom(oldest)).toBe(index.count * 40);
  expect(index.bytesFrom(4901)).toBe(100 * 40);
  expect(index.stretch(4901, 5000, 80)).toEqual([
    { firstLsn: 4901, lastLsn: 4901, segment: 50, offset: 40, length: 40 },
    { firstLsn: 4902, lastLsn: 4902, segment: 50, offset: 80, length: 40 },
  ]);
});

test('a cut within the only batch leaves its beginning', () => {
  const index = new ShardIndex();
  index.add(1, 3, 1, 4096, 60);
  index.truncate(2);
  expect(index.lastLsn).toBe(2);
  index.truncate(0);
  expect(index.count).toBe(0);
  index.truncate(0);
  expect(index.count).toBe(0);
});
