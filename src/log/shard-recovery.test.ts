import { expect, test } from 'vitest';
import { batchOf } from './log-test-kit.ts';
import type { LogRecord, ShardState } from './record.ts';
import type { RecoveredLog } from './shard-recovery.ts';
import { ShardRecovery, settle } from './shard-recovery.ts';
import type { Doubt, LogPosition } from './types.ts';

const shard = 1;
const membership = Buffer.from('abc');
const nothing: ShardState = {
  hardState: null,
  base: { term: 0, lsn: 0 },
  last: { term: 0, lsn: 0 },
  checkpoint: { term: 0, lsn: 0 },
  checkpointMembership: null,
  doubt: null,
};

/** The entries `firstLsn` to `lastLsn`; `lost` when the bytes of the batch are damaged. */
interface Entries {
  readonly term: number;
  readonly from: number;
  readonly to: number;
  readonly previousTerm?: number;
  readonly lost?: boolean;
}
type Said = LogRecord | Entries | { readonly lost: 'hard state' | 'position' };

function entries(term: number, from: number, to: number, more: Partial<Entries> = {}): Entries {
  return { term, from, to, ...more };
}

function cut(term: number, lsn: number): LogRecord {
  return { kind: 'cut', shard, end: { term, lsn } };
}

function state(more: Partial<ShardState>): LogRecord {
  return { kind: 'state', shard, state: { ...nothing, ...more }, memberships: [] };
}

function checkpointed(lsn: number): LogRecord {
  return { kind: 'checkpointed', shard, position: { term: 1, lsn }, membership };
}

function hardState(term: number): LogRecord {
  return { kind: 'hardState', shard, hardState: { term, vote: null } };
}

/** What is made of records in this order, each at the place of its number. */
function recovered(...said: Said[]): RecoveredLog {
  const recovery = new ShardRecovery(shard);
  said.forEach((one, i) => {
    const place = { segment: 1, offset: i * 100, where: `place ${i}` };
    if ('kind' in one) {
      recovery.apply(one, null, place);
    } else if ('term' in one) {
      const { term, from, to, lost = false, previousTerm = from === 1 ? 0 : term } = one;
      const bytes = lost ? null : batchOf(shard, term, from, new Array<string>(to - from + 1).fill('x'));
      const record = { term, firstLsn: from, lastLsn: to, previousTerm, length: bytes?.bytes.length ?? 50 };
      recovery.apply({ kind: 'batch', shard, ...record }, bytes, place);
    } else {
      recovery.lost(place.where, one.lost === 'hard state');
    }
  });
  return recovery.finish();
}

function at(lsn: number, term = 1): LogPosition {
  return { term, lsn };
}

function damageOf(...said: Said[]): Doubt | null {
  return recovered(...said).recovered.damage;
}

test('batches follow one another, and one that begins earlier replaces what stood there', () => {
  const { recovered: log, fresh } = recovered(
    entries(1, 1, 4),
    entries(1, 5, 6),
    entries(2, 4, 5, { previousTerm: 1 }),
  );
  expect(log).toMatchObject({ last: at(5, 2), terms: [at(1), at(4, 2)], damage: null });
  expect(fresh).toBe(false);
  expect(recovered(entries(1, 1, 4), cut(1, 2)).recovered.last).toEqual(at(2));
});

test('pitfall 10: the log ends before a batch whose bytes are damaged, and doubts what stood from there on', () => {
  const said = [entries(1, 1, 3), entries(1, 4, 5, { lost: true }), entries(1, 6, 9)];
  const { recovered: log, fresh } = recovered(...said);
  expect(log.last).toEqual(at(3));
  expect(log.damage).toEqual({ mayHaveAcknowledged: at(9), hardStateLost: false, where: 'place 1' });
  expect(fresh).toBe(true);
});

test('a batch that does not fit what stands before it shows that something is missing', () => {
  expect(damageOf(entries(1, 1, 3), entries(1, 6, 9))).toMatchObject({
    mayHaveAcknowledged: at(9),
    where: 'place 1',
  });
  expect(damageOf(entries(1, 1, 3), entries(3, 4, 5, { previousTerm: 2 }))).toMatchObject({
    mayHaveAcknowledged: at(5, 3),
  });
});

test('what was cut is not doubted, on whichever side of a gap it stood', () => {
  const gap = [entries(1, 1, 3), entries(1, 6, 9)];
  expect(damageOf(...gap, cut(1, 7)), 'behind the gap').toMatchObject({ mayHaveAcknowledged: at(7) });
  expect(damageOf(...gap, cut(1, 5)), 'where it ends').toMatchObject({ mayHaveAcknowledged: at(5) });
  expect(damageOf(...gap, cut(1, 4)), 'within the gap').toMatchObject({ mayHaveAcknowledged: at(4) });
  expect(damageOf(...gap, cut(1, 3)), 'before the gap').toBeNull();
  const { last, damage } = recovered(...gap, cut(2, 2)).recovered;
  expect([last, damage?.mayHaveAcknowledged], 'an entry that is not held').toEqual([at(1), at(2, 2)]);
});

test('a log from behind a gap serves when a checkpoint covers the gap', () => {
  const gap = [entries(1, 1, 3), entries(1, 6, 9)];
  expect(recovered(...gap, checkpointed(4)).recovered).toMatchObject({ base: at(0, 0), last: at(3) });
  expect(recovered(...gap, checkpointed(4)).recovered.damage).not.toBeNull();
  const covered = recovered(...gap, checkpointed(5));
  expect(covered.recovered).toMatchObject({ base: at(5), last: at(9), damage: null });
  expect(covered.recovered.memberships, 'the checkpoint’s').toEqual([{ lsn: 5, bytes: membership }]);
  expect(recovered(entries(1, 1, 3), checkpointed(2)).recovered.memberships, 'the log has all').toEqual([]);
});

test('a reset keeps the entries behind a position that is held, and nothing where none is', () => {
  const reset = (base: LogPosition, last: LogPosition): LogRecord => ({ kind: 'reset', shard, base, last });
  expect(recovered(entries(1, 1, 9), reset(at(4), at(9))).recovered).toMatchObject({
    base: at(4),
    last: at(9),
  });
  expect(recovered(entries(1, 1, 9), reset(at(4), at(6))).recovered).toMatchObject({
    base: at(4),
    last: at(6),
  });
  expect(recovered(entries(1, 1, 9), reset(at(4, 2), at(4, 2))).recovered).toMatchObject({
    base: at(4, 2),
    last: at(4, 2),
    damage: null,
  });
  const gap = [entries(1, 1, 3), entries(1, 6, 9)];
  expect(recovered(...gap, reset(at(7), at(9))).recovered, 'behind a gap').toMatchObject({
    base: at(7),
    last: at(9),
    damage: null,
  });
  expect(recovered(...gap, reset(at(20), at(20))).recovered.damage, 'beyond it').toBeNull();
  expect(recovered(entries(1, 1, 3), reset(at(7), at(9))).recovered, 'what it kept is lost').toMatchObject({
    base: at(7),
    last: at(7),
    damage: { mayHaveAcknowledged: at(9) },
  });
});

test('a segment that begins says where the shard stood, which settles what was lost of it before', () => {
  const first = recovered(state({ base: at(5), last: at(5), checkpoint: at(5) }), entries(1, 6, 8));
  expect(first.recovered).toMatchObject({ base: at(5), last: at(8), checkpoint: at(5), damage: null });
  const dropped = recovered(state({ base: at(5), last: at(9), checkpoint: at(5) }), entries(1, 10, 11));
  expect(dropped.recovered, 'older segments are missing').toMatchObject({
    base: at(5),
    last: at(5),
    damage: { mayHaveAcknowledged: at(11) },
  });
  expect(damageOf(entries(1, 1, 3), state({ last: at(3) }), entries(1, 4, 5))).toBeNull();
  expect(damageOf(entries(1, 1, 3), { lost: 'position' }, state({ last: at(3) }))).toBeNull();
  expect(damageOf(entries(1, 1, 3), { lost: 'position' }, state({ last: at(5) }))).toMatchObject({
    mayHaveAcknowledged: at(5),
    where: 'place 2',
  });
});

test('pitfall 08: where records are lost nothing is known, until a later one shows what they left', () => {
  const before = [hardState(4), entries(1, 1, 3)];
  expect(damageOf(...before, { lost: 'position' })).toEqual({
    mayHaveAcknowledged: null,
    hardStateLost: false,
    where: 'place 2',
  });
  expect(recovered(...before, { lost: 'position' }).recovered.hardState).toEqual({ term: 4, vote: null });
  const { hardState: none, damage } = recovered(...before, { lost: 'hard state' }).recovered;
  expect([none, damage]).toEqual([
    null,
    { mayHaveAcknowledged: null, hardStateLost: true, where: 'place 2' },
  ]);
  expect(damageOf(...before, { lost: 'hard state' }, entries(1, 4, 4))).toEqual({
    mayHaveAcknowledged: at(4),
    hardStateLost: true,
    where: 'place 2',
  });
  expect(damageOf(...before, { lost: 'hard state' }, entries(1, 4, 4), hardState(5))).toBeNull();
  expect(damageOf(...before, { lost: 'hard state' }, state({ last: at(3) }))).toBeNull();
});

test('pitfall 10: doubt of before stays until its replica made good, and grows by what is lost now', () => {
  const old: Doubt = { mayHaveAcknowledged: at(8), hardStateLost: false, where: 'long ago' };
  const told = (more: Partial<Doubt> = {}): LogRecord => ({
    kind: 'doubt',
    shard,
    doubt: { ...old, ...more },
  });
  expect(recovered(entries(1, 1, 3), told())).toMatchObject({ recovered: { damage: old }, fresh: false });
  expect(damageOf(entries(1, 1, 3), told(), { kind: 'madeGood', shard })).toBeNull();
  expect(damageOf(entries(1, 1, 3), told(), entries(1, 4, 8)), 'it has all of it again').toBeNull();
  const gap = [entries(1, 1, 3), entries(1, 6, 7)];
  expect(recovered(...gap, told())).toMatchObject({
    recovered: { damage: { mayHaveAcknowledged: at(8), hardStateLost: false, where: 'place 1' } },
    fresh: true,
  });
  expect(damageOf(...gap, told({ mayHaveAcknowledged: at(6) }))).toMatchObject({
    mayHaveAcknowledged: at(7),
  });
  expect(damageOf(...gap, told({ mayHaveAcknowledged: null, hardStateLost: true }))).toMatchObject({
    mayHaveAcknowledged: null,
    hardStateLost: true,
  });
  expect(damageOf(entries(1, 1, 3), { lost: 'position' }, told())).toMatchObject({
    mayHaveAcknowledged: null,
  });
});

test('doubt is settled by a log that reaches what was doubted, unless the vote was lost too or nobody knows what', () => {
  const doubt: Doubt = { mayHaveAcknowledged: at(8, 2), hardStateLost: false, where: '' };
  expect(settle(null, at(9))).toBeNull();
  expect([settle(doubt, at(8, 2)), settle(doubt, at(3, 3))]).toEqual([null, null]);
  for (const last of [at(7, 2), at(20)]) expect(settle(doubt, last)).toBe(doubt);
  const worse = [
    { ...doubt, hardStateLost: true },
    { ...doubt, mayHaveAcknowledged: null },
  ];
  for (const one of worse) expect(settle(one, at(90, 9))).toBe(one);
});
