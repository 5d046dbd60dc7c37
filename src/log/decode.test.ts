import { expect, test } from 'vitest';
import type { DecodedRecord } from './decode.ts';
import { decodeLog } from './decode.ts';
import { blockBytes } from './frame.ts';
import { batchOf, HandDisk, openOn, payloadsOf } from './log-test-kit.ts';

const first = 'log/0000000001.log';

function written(): HandDisk {
  const hand = new HandDisk();
  const { log } = openOn(hand);
  log.putHardState(1, { term: 1, vote: 'n1' });
  log.append(batchOf(1, 1, 1, ['one', 'two']));
  log.flush();
  hand.settle();
  log.append(batchOf(1, 1, 3, ['three']));
  log.flush();
  hand.settle();
  return hand;
}

function decoded(
  hand: HandDisk,
  most = Number.POSITIVE_INFINITY,
): { items: (Omit<DecodedRecord, 'batch'> & { payloads: string[] | null })[]; notes: string[] } {
  const items: (Omit<DecodedRecord, 'batch'> & { payloads: string[] | null })[] = [];
  const notes = hand.run(
    decodeLog(hand.disk, 'log', ({ batch, ...item }) => {
      items.push({ ...item, payloads: batch === null ? null : payloadsOf([batch]) });
      return items.length < most;
    }),
  );
  return { items, notes };
}

test('every record is shown in order, with its place, its write and when that was', () => {
  const hand = written();
  const bytes = hand.disk.bytesOf(first);
  const { items, notes } = decoded(hand);
  expect(notes).toEqual([]);
  expect(items.map(({ record, payloads }) => [record.kind, payloads])).toEqual([
    ['state', null],
    ['hardState', null],
    ['batch', ['one', 'two']],
    ['batch', ['three']],
  ]);
  expect(items.map(({ write }) => write)).toEqual([1, 1, 1, 2]);
  expect(new Set(items.map(({ file }) => file))).toEqual(new Set([first]));
  expect(items[0]?.offset).toBe(blockBytes);
  expect(items[1]?.offset).toBe(blockBytes);
  for (const { record, offset, payloads } of items)
    if (record.kind === 'batch')
      expect(bytes.subarray(offset, offset + record.length).includes(payloads?.[0] ?? '')).toBe(true);
  expect(items[0]?.wallMs).toBe(1_700_000_001_000);
});

test('it ends when the visitor has seen enough', () => {
  expect(decoded(written(), 2).items).toHaveLength(2);
});

test('what cannot be read is noted, and the rest is shown', () => {
  const hand = written();
  hand.disk.flip(first, hand.disk.bytesOf(first).indexOf('one'), 1);
  const { items } = decoded(hand);
  expect(items.map(({ payloads }) => payloads)).toEqual([null, null, null, ['three']]);
  hand.disk.bytesOf(first).fill(0xaa, blockBytes, 3 * blockBytes);
  const gone = decoded(hand);
  expect(gone.items.map(({ payloads }) => payloads)).toEqual([['three']]);
  expect(gone.notes).toEqual([`${first} at offset ${blockBytes}: ${2 * blockBytes} bytes cannot be read`]);
});

test('a segment that goes away meanwhile is noted, other files are none of the log', () => {
  const hand = written();
  hand.disk.open('log/notes.txt', 'create', () => {});
  hand.settle();
  hand.fault = ({ kind, path }) =>
    kind === 'open' && path === first ? { error: new Error('ENOENT') } : null;
  expect(decoded(hand)).toEqual({ items: [], notes: [`${first}: ENOENT`] });
});
