import { expect, test } from 'vitest';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { LogRecord, ShardState } from './record.ts';
import { decodeTable, encodeRecord } from './record.ts';

const position = (term: number, lsn: number): { term: number; lsn: number } => ({ term, lsn });
const bare: ShardState = {
  hardState: null,
  base: position(1, 2),
  last: position(3, 4),
  checkpoint: position(5, 6),
  checkpointMembership: null,
  doubt: null,
};
const doubt = { mayHaveAcknowledged: position(7, 8), hardStateLost: false, where: 'log/1 at offset 3' };

const records: readonly LogRecord[] = [
  { kind: 'batch', shard: 1, term: 2, firstLsn: 3, lastLsn: 4, previousTerm: 5, length: 600 },
  { kind: 'hardState', shard: 2, hardState: { term: 9, vote: 'n1' } },
  { kind: 'hardState', shard: 2, hardState: { term: 9, vote: null } },
  { kind: 'hardState', shard: 2, hardState: { term: 9, vote: '' } },
  { kind: 'cut', shard: 3, end: position(1, 2) },
  { kind: 'reset', shard: 4, base: position(1, 2), last: position(3, 4) },
  { kind: 'checkpointed', shard: 5, position: position(1, 2), membership: Buffer.from('members') },
  { kind: 'doubt', shard: 6, doubt },
  { kind: 'doubt', shard: 6, doubt: { ...doubt, hardStateLost: true } },
  { kind: 'doubt', shard: 6, doubt: { mayHaveAcknowledged: null, hardStateLost: false, where: 'é' } },
  { kind: 'madeGood', shard: 7 },
  { kind: 'state', shard: 8, state: bare, memberships: [] },
  { kind: 'state', shard: 8, state: { ...bare, hardState: { term: 2, vote: 'n3' } }, memberships: [] },
  { kind: 'state', shard: 8, state: { ...bare, checkpointMembership: Buffer.from('m') }, memberships: [] },
  { kind: 'state', shard: 8, state: { ...bare, doubt }, memberships: [] },
  {
    kind: 'state',
    shard: 9,
    state: bare,
    memberships: [
      { lsn: 1, bytes: Buffer.from('one') },
      { lsn: 2, bytes: Buffer.alloc(0) },
    ],
  },
];

function encoded(all: readonly LogRecord[]): Buffer {
  const out = new ByteWriter(1024);
  for (const record of all) encodeRecord(out, record);
  return out.take();
}

test('a table of records of every kind is read back as it was written', () => {
  expect(decodeTable(encoded(records), records.length)).toEqual(records);
  expect(decodeTable(Buffer.alloc(0), 0)).toEqual([]);
});

test('memberships that are read are copies: tables are views of a buffer that is used again', () => {
  const table = encoded(records);
  const found = decodeTable(table, records.length);
  table.fill(0xff);
  expect(found).toEqual(records);
});

test('a table that ends within a record is none', () => {
  for (const record of records) {
    const table = encoded([record]);
    for (let bytes = 0; bytes < table.length; bytes++)
      expect(decodeTable(table.subarray(0, bytes), 1), `${record.kind}, ${bytes} bytes`).toBeNull();
  }
});

test('a table with a record of a kind that a later version may have is none', () => {
  const table = encoded([{ kind: 'madeGood', shard: 1 }]);
  table[0] = 99;
  expect(decodeTable(table, 1)).toBeNull();
});

test('the numbers of the kinds are what is on disks', () => {
  const kinds = records.map((record) => [encoded([record])[0], record.kind]);
  expect(new Map(kinds as [number, string][])).toEqual(
    new Map([
      [1, 'batch'],
      [2, 'state'],
      [3, 'hardState'],
      [4, 'cut'],
      [5, 'reset'],
      [6, 'checkpointed'],
      [7, 'madeGood'],
      [8, 'doubt'],
    ]),
  );
});
