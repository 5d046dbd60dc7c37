import { expect, test } from 'vitest';
import type { DiskFault, DiskOperation } from '../sim/memory-disk.ts';
import { blockBytes } from './frame.ts';
import { HandDisk } from './log-test-kit.ts';
import type { LiveSegment } from './segment-pool.ts';
import { liveSegment, prepareSegment, SegmentPool, SpaceShort } from './segment-pool.ts';
import { ZeroingPace } from './zeroing-pace.ts';

const segmentBytes = 64 << 10;

function failing(code: string): DiskFault {
  return { error: Object.assign(new Error(code), { code }) };
}

function hurried(): ZeroingPace {
  const pace = new ZeroingPace();
  pace.hurry();
  return pace;
}

function directory(): HandDisk {
  const hand = new HandDisk();
  hand.disk.makeDirectory('log', () => {});
  hand.settle();
  return hand;
}

function prepare(hand: HandDisk, reserveBytes = 0): LiveSegment {
  return hand.run(prepareSegment(hand.disk, 'log', 3, segmentBytes, reserveBytes, hurried()));
}

test('a segment is written in full and synced before it gets its name, and its name before it is used', () => {
  const hand = directory();
  const order: string[] = [];
  hand.fault = ({ kind, path }) => {
    order.push(`${kind} ${path}`);
    return null;
  };
  const segment = prepare(hand);
  expect(segment).toMatchObject({
    number: 3,
    fileBytes: segmentBytes,
    end: blockBytes,
    newestMs: 0,
    readers: 0,
  });
  const partial = 'log/0000000003.log.new';
  expect(order).toEqual([
    'freeBytes ',
    `remove ${partial}`,
    `create ${partial}`,
    `write ${partial}`,
    `sync ${partial}`,
    `write ${partial}`,
    `sync ${partial}`,
    `close ${partial}`,
    `rename ${partial}`,
    'syncDirectory log',
    'open log/0000000003.log',
  ]);
  const bytes = hand.disk.bytesOf('log/0000000003.log');
  expect(bytes).toHaveLength(segmentBytes);
  expect(bytes.subarray(blockBytes).every((byte) => byte === 0)).toBe(true);
});

test('want of space is told apart from a disk that fails, and leaves no half-made file', () => {
  const short: [string, (operation: DiskOperation) => DiskFault | null][] = [
    ['ENOSPC', ({ kind }) => (kind === 'write' ? failing('ENOSPC') : null)],
    ['EDQUOT', ({ kind }) => (kind === 'write' ? failing('EDQUOT') : null)],
    ['short write', ({ kind }) => (kind === 'write' ? { short: 100 } : null)],
  ];
  for (const [message, fault] of short) {
    const hand = directory();
    hand.fault = fault;
    expect(() => prepare(hand)).toThrow(SpaceShort);
    expect(() => prepare(hand)).toThrow(message);
    expect(hand.disk.names('log')).toEqual([]);
  }
  for (const kind of ['write', 'sync', 'create', 'rename', 'syncDirectory', 'freeBytes']) {
    const hand = directory();
    hand.fault = (operation) => (operation.kind === kind ? failing('EIO') : null);
    expect(() => prepare(hand), kind).toThrow('EIO');
    expect(() => prepare(hand), kind).not.toThrow(SpaceShort);
  }
});

test('no segment is begun that would take of the reserve', () => {
  const hand = directory();
  hand.disk.capacityBytes = segmentBytes + 1000;
  expect(() => prepare(hand, 1001)).toThrow(SpaceShort);
  expect(hand.disk.names('log')).toEqual([]);
  expect(prepare(hand, 1000).number).toBe(3);
});

interface Told {
  readonly pool: SegmentPool;
  readonly hand: HandDisk;
  readonly said: string[];
}

/** A pool that writes to segment 5, with 3 and 4 before it. */
function opened(hand = directory()): Told {
  const said: string[] = [];
  const made = [3, 4, 5].map((number) =>
    hand.run(prepareSegment(hand.disk, 'log', number, segmentBytes, 0, hurried())),
  ) as [LiveSegment, LiveSegment, LiveSegment];
  for (const segment of made) segment.end = segment.number * 1000;
  const [first, second, current] = made;
  const pool = new SegmentPool(
    hand.disk,
    'log',
    { segmentBytes, reserveBytes: 0 },
    { older: [first, second], current, spares: [], nextNumber: 6 },
    {
      prepared: () => said.push('prepared'),
      spaceShort: (short) => said.push(short ? 'short' : 'enough'),
      failed: (error) => said.push(error.message),
    },
  );
  return { pool, hand, said };
}

test('the pool knows its segments by number, and what they take', () => {
  const { pool } = opened();
  expect(pool.count).toBe(3);
  expect(pool.usedBytes()).toBe(12_000);
  expect(pool.usedBytes(4)).toBe(9000);
  expect(pool.usedBytes(5)).toBe(5000);
  expect([3, 4, 5, 6].map((number) => pool.find(number)?.number)).toEqual([3, 4, 5, undefined]);
  expect(pool.path(pool.current)).toBe('log/0000000005.log');
});

test('it goes on in a spare segment once there is one, and prepares another', () => {
  const { pool, hand, said } = opened();
  expect(pool.roll()).toBe(false);
  pool.prepare();
  pool.prepare();
  hand.settle();
  pool.prepare();
  hand.settle();
  expect(said).toEqual(['prepared']);
  expect(hand.disk.names('log')).toHaveLength(4);
  expect(pool.roll()).toBe(true);
  expect(pool.current.number).toBe(6);
  expect(pool.count).toBe(4);
  expect(pool.usedBytes()).toBe(12_000 + blockBytes);
  hand.settle();
  expect(said).toEqual(['prepared', 'prepared']);
  expect(pool.roll()).toBe(true);
  expect(pool.current.number).toBe(7);
});

test('it says that there is no room, once, and that there is again', () => {
  const { pool, hand, said } = opened();
  hand.disk.capacityBytes = hand.disk.usedBytes;
  for (let i = 0; i < 3; i++) {
    pool.prepare();
    hand.settle();
  }
  expect(said).toEqual(['short']);
  expect(pool.spaceShort).toBe(true);
  hand.disk.capacityBytes = Number.POSITIVE_INFINITY;
  pool.prepare();
  hand.settle();
  expect(said).toEqual(['short', 'enough', 'prepared']);
  expect(pool.spaceShort).toBe(false);
  pool.prepare();
  hand.settle();
  expect(pool.roll()).toBe(true);
  expect(pool.current.number, 'no number is left out for what was not made').toBe(6);
});

test('a disk that fails while a segment is prepared or dropped is a failure', () => {
  const one = opened();
  one.hand.fault = ({ kind }) => (kind === 'sync' ? failing('EIO sync') : null);
  one.pool.prepare();
  one.hand.settle();
  expect(one.said).toEqual(['EIO sync']);
  const other = opened();
  other.hand.fault = ({ kind }) => (kind === 'remove' ? failing('EIO remove') : null);
  other.pool.dropOldest();
  other.hand.settle();
  expect(other.said).toEqual(['EIO remove']);
});

test('segments are dropped one at a time, oldest first, each for good before the next', () => {
  const { pool, hand } = opened();
  const order: string[] = [];
  hand.fault = ({ kind, path }) => {
    if (kind === 'remove' || kind === 'syncDirectory') order.push(`${kind} ${path}`);
    return null;
  };
  expect(pool.dropOldest()).toBe(true);
  expect(pool.dropOldest()).toBe(false);
  expect(pool.count).toBe(2);
  hand.settle();
  expect(pool.dropOldest()).toBe(true);
  hand.settle();
  expect(pool.dropOldest(), 'the current one stays').toBe(false);
  expect(order).toEqual([
    'remove log/0000000003.log',
    'syncDirectory log',
    'remove log/0000000004.log',
    'syncDirectory log',
  ]);
});

test('a segment that is dropped while it is read is closed after that', () => {
  const { pool, hand } = opened();
  const first = pool.older[0] as LiveSegment;
  let closed = 0;
  hand.fault = ({ kind, path }) => {
    if (kind === 'close' && path.endsWith('3.log')) closed += 1;
    return null;
  };
  const into = Buffer.alloc(8);
  const reading = pool.read(first, into, 0);
  reading.next();
  expect(first.readers).toBe(1);
  pool.dropOldest();
  expect(closed).toBe(0);
  hand.settle();
  reading.next(8);
  expect(first.readers).toBe(0);
  hand.settle();
  expect(closed).toBe(1);
  expect(first.file).toBeNull();
});

test('a segment that nobody needed so far is opened for the first who reads it, once', () => {
  const hand = directory();
  prepare(hand);
  const older = liveSegment(3, segmentBytes, null);
  const { pool } = opened(hand);
  let [opens, closes] = [0, 0];
  hand.fault = ({ kind, path }) => {
    if (kind === 'open') opens += 1;
    if (kind === 'close' && path === 'log/0000000003.log') closes += 1;
    return null;
  };
  expect(hand.run(pool.read(older, Buffer.alloc(100), 0))).toBe(100);
  expect(hand.run(pool.read(older, Buffer.alloc(100), segmentBytes - 10))).toBe(10);
  expect([opens, closes]).toEqual([1, 0]);
  expect(older.readers).toBe(0);
});

test('closing waits for what is being prepared or dropped, and closes every file', () => {
  const { pool, hand, said } = opened();
  const closed = new Set<string>();
  hand.fault = ({ kind, path }) => {
    if (kind === 'close') closed.add(path);
    return null;
  };
  pool.prepare();
  pool.dropOldest();
  let ended: Error | null | undefined;
  pool.close((error) => {
    ended = error;
  });
  expect(ended).toBeUndefined();
  hand.settle();
  expect(ended).toBeNull();
  expect(closed).toContain('log/0000000004.log');
  expect(closed).toContain('log/0000000005.log');
  expect(said).toEqual([]);
  pool.prepare();
  expect(pool.dropOldest()).toBe(false);
  expect(hand.waiting).toEqual([]);
});

test('the first error of closing is told', () => {
  const { pool, hand } = opened();
  hand.fault = ({ kind, path }) => (kind === 'close' ? { error: new Error(`EIO ${path}`) } : null);
  let ended: Error | null | undefined;
  pool.close((error) => {
    ended = error;
  });
  hand.settle();
  expect(ended?.message).toMatch(/^EIO log\/000000000[345]\.log$/);
});
