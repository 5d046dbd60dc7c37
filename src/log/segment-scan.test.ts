import { expect, test } from 'vitest';
import { blockBytes, headBytes } from './frame.ts';
import { batchOf, HandDisk, openOn } from './log-test-kit.ts';
import type { FoundFrame, SegmentScan } from './segment-scan.ts';
import { holdsFrames, scanSegment } from './segment-scan.ts';

/** Where the parts of a frame stand. */
interface Place {
  readonly front: number;
  readonly frontTable: number;
  readonly payload: number;
  readonly backTable: number;
  readonly back: number;
  readonly end: number;
}

/** The first segment of a log after writes of so many bytes each. */
function segment(...writes: number[]): Buffer {
  const hand = new HandDisk();
  const { log } = openOn(hand);
  for (const [i, bytes] of writes.entries()) {
    log.append(batchOf(1, 1, i + 1, ['v'.repeat(bytes)]));
    log.flush();
    hand.settle();
  }
  return Buffer.from(hand.disk.bytesOf('log/0000000001.log'));
}

function framesOf(scan: SegmentScan): FoundFrame[] {
  return scan.found.filter((one) => one.kind === 'frame');
}

/** What is found, in blocks: a frame with a `!` for each copy of its table that is bad, and a `-` for a lost batch. */
function told({ found, end, leftover, tailDamaged }: SegmentScan): string {
  const parts = found.map((one) => {
    if (one.kind === 'gap') return `gap ${one.offset / blockBytes}..${one.end / blockBytes}`;
    const { head, tables, records } = one;
    const bad = `${tables.front ? '' : '!'}${tables.back ? '' : '!'}`;
    const lost = records.some(({ record, batch }) => record.kind === 'batch' && batch === null) ? '-' : '';
    return `${head.offset / blockBytes}+${head.length / blockBytes}${bad}${lost}`;
  });
  const tail = `${leftover ? ' leftover' : ''}${tailDamaged ? ' damaged' : ''}`;
  return `${parts.join(' ')} end ${end / blockBytes}${tail}`;
}

function flip(bytes: Buffer, ...places: number[]): Buffer {
  const flipped = Buffer.from(bytes);
  for (const at of places) flipped[at] = (flipped[at] as number) ^ 0x10;
  return flipped;
}

const whole = segment(200, 9000, 200);
const frames = framesOf(scanSegment(whole, 1, false));
const [, middle, final] = frames.map(({ head }) => ({
  front: head.offset,
  frontTable: head.offset + headBytes,
  payload: head.offset + headBytes + head.tableBytes + 40,
  backTable: head.offset + head.length - headBytes - head.tableBytes,
  back: head.offset + head.length - headBytes,
  end: head.offset + head.length,
})) as [Place, Place, Place];

function scan(bytes: Buffer, laterUsed = false): string {
  return told(scanSegment(bytes, 1, laterUsed));
}

test('frames follow one another to where the next one may go', () => {
  expect(scan(whole)).toBe('1+2 3+3 6+1 end 7');
  expect(scan(whole, true)).toBe('1+2 3+3 6+1 end 7');
  expect(scan(whole.subarray(0, final.end))).toBe('1+2 3+3 6+1 end 7');
  expect([holdsFrames(whole, 1), holdsFrames(whole, 2)]).toEqual([true, false]);
  expect(scanSegment(whole, 2, true).found.map(({ kind }) => kind)).toEqual(['gap']);
});

test('either end of a frame is enough to read it, and says which one is bad', () => {
  expect(scan(flip(whole, middle.front))).toBe('1+2 3+3! 6+1 end 7');
  expect(scan(flip(whole, middle.frontTable))).toBe('1+2 3+3! 6+1 end 7');
  expect(scan(flip(whole, middle.backTable))).toBe('1+2 3+3! 6+1 end 7');
  expect(scan(flip(whole, middle.back))).toBe('1+2 3+3! 6+1 end 7');
  expect(scan(flip(whole, middle.front, middle.backTable))).toBe('1+2 3+3!! 6+1 end 7');
  const front = framesOf(scanSegment(flip(whole, middle.front), 1, false))[1]?.tables;
  expect(front).toEqual({ front: false, back: true });
  const back = framesOf(scanSegment(flip(whole, middle.back), 1, false))[1]?.tables;
  expect(back).toEqual({ front: true, back: false });
  expect(holdsFrames(flip(whole.subarray(0, 3 * blockBytes), blockBytes), 1), 'by its other end').toBe(true);
});

test('a frame whose batch is damaged is there, without it', () => {
  expect(scan(flip(whole, middle.payload))).toBe('1+2 3+3- 6+1 end 7');
  expect(scan(flip(whole, final.payload)), 'also the last one: its write was complete').toBe(
    '1+2 3+3 6+1- end 7',
  );
});

test('a batch of another place is not the one that the table speaks of', () => {
  const other = (shard: number, term: number, lsn: number): string => {
    const bytes = Buffer.from(whole);
    const at = scanSegment(whole, 1, false).found.flatMap((one) => (one.kind === 'frame' ? one.records : []));
    const record = at.findLast(({ batch }) => batch !== null);
    batchOf(shard, term, lsn, ['v'.repeat(200)]).bytes.forEach((byte, i) => {
      bytes[(record?.offset ?? 0) + i] = byte;
    });
    return scan(bytes, true);
  };
  expect(other(1, 1, 3)).toBe('1+2 3+3 6+1 end 7');
  expect([other(2, 1, 3), other(1, 2, 3), other(1, 1, 4)]).toEqual(new Array(3).fill('1+2 3+3 6+1- end 7'));
});

test('what cannot be read between frames is a gap, whichever end shows the next one', () => {
  const gap = '1+2 gap 3..6 6+1 end 7';
  expect(scan(flip(whole, middle.front, middle.back))).toBe(gap);
  expect(scan(flip(whole, middle.frontTable, middle.backTable)), 'no table').toBe(gap);
  expect(scan(flip(whole, middle.front, middle.back, final.front))).toBe('1+2 gap 3..6 6+1! end 7');
});

test('a final write that never finished goes, and what it left must be cleared', () => {
  const torn = Buffer.from(segment(200, 9000));
  torn.fill(0, 5 * blockBytes - 512, 6 * blockBytes);
  expect(scan(torn)).toBe('1+2 end 3 leftover');
  expect(scan(Buffer.from(torn).fill(0, 3 * blockBytes))).toBe('1+2 end 3');
  const headless = Buffer.from(torn).fill(0, 3 * blockBytes, 3 * blockBytes + 512);
  expect(scan(headless)).toBe('1+2 end 3 leftover');
});

test('a final write that was complete and changed since is damage: it may have been acknowledged', () => {
  const last = segment(200, 9000);
  expect(scan(flip(last, middle.front, middle.back))).toBe('1+2 gap 3..6 end 6 damaged');
  expect(scan(flip(last, middle.frontTable, middle.backTable))).toBe('1+2 gap 3..6 end 6 damaged');
  const behind = Buffer.from(last);
  behind[8 * blockBytes + 9] = 1;
  expect(scan(flip(behind, middle.payload)), 'something stands behind it').toBe('1+2 3+3- end 6 leftover');
  expect(scan(flip(behind, middle.front, middle.back))).toBe('1+2 gap 3..9 end 9 damaged');
});

test('where later segments are in use nothing is the end of a write', () => {
  const last = segment(200, 9000);
  expect(scan(flip(last, middle.front, middle.back), true)).toBe('1+2 gap 3..6 end 6');
  const torn = Buffer.from(last).fill(0, 5 * blockBytes, 6 * blockBytes);
  expect(scan(torn, true), 'its front shows what is lost').toBe('1+2 3+3!- end 6');
  expect(scan(flip(torn, middle.front), true)).toBe('1+2 gap 3..5 end 5');
  expect(scan(flip(last, middle.payload), true)).toBe('1+2 3+3- end 6');
});
