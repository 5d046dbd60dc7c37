import { describe, expect, it, test } from 'vitest';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { decodeEffects, EffectEncoder } from './effect-codec.ts';
import { Keyspace } from './keyspace.ts';
import { rangesOf, slotOf } from './slot.ts';
import { type SlotChange, slotPhase } from './slot-fences.ts';

const far = 5_000_000_000_000;
const moving = slotOf('{a}');
const staying = slotOf('{b}');

function change(kind: SlotChange['kind'], began: number, more: Partial<SlotChange> = {}): SlotChange {
  return { kind, began, other: 2, term: 3, count: 1, slots: rangesOf([moving]), ...more };
}

/** A keyspace whose changes have one LSN after the other. */
function keyspaceWith(...changes: ((keyspace: Keyspace) => void)[]): Keyspace {
  const keyspace = new Keyspace();
  for (const one of changes) {
    keyspace.writeLsn += 1;
    one(keyspace);
    keyspace.appliedLsn = keyspace.writeLsn;
  }
  return keyspace;
}

const put =
  (key: string, expiresAt = 0) =>
  (keyspace: Keyspace): void =>
    keyspace.putString(key, `value of ${key}`, expiresAt);

const step =
  (kind: SlotChange['kind'], began: number, more: Partial<SlotChange> = {}) =>
  (keyspace: Keyspace): void =>
    keyspace.changeSlots(change(kind, began, more));

/** The same state, read from a checkpoint of it. */
function reloaded(keyspace: Keyspace): Keyspace {
  const copy = new Keyspace();
  const { load, finish } = copy.restore();
  const slices = keyspace.beginCheckpoint();
  for (let slice = slices.next(100); slice !== null; slice = slices.next(100)) load(slice);
  expect(finish(keyspace.appliedLsn)).toBe(slices.digest);
  expect(copy.digest()).toBe(keyspace.digest());
  expect(slices.digest).toBe(keyspace.digest());
  return copy;
}

function seen(keyspace: Keyspace) {
  const scanned: string[] = [];
  keyspace.scan(0, 100, (key) => scanned.push(key));
  return { keys: [...keyspace.keys()].sort(), scanned: scanned.sort(), size: keyspace.size };
}

test('a shard in which nothing ever moved has the checkpoints and digests that it always had', () => {
  const keyspace = keyspaceWith(put('{a}1'));
  expect(keyspace.fences.active).toBe(false);
  expect(keyspace.fences.serves(moving, 0)).toBe(true);
  const slices = keyspace.beginCheckpoint();
  expect(slices.next(1000)?.[0]).toBe(1);
  // As it was before there were moves.
  expect(keyspace.digest()).toBe('73bdf5282f9ca2ac6c53448411ef75a800000001');
});

describe('slots that are imported', () => {
  const importing = () =>
    keyspaceWith(put('{b}1', far), step('import', 9), (keyspace) => {
      keyspace.putString('{a}1', 'x', far);
      keyspace.listAppend('{a}2', 'y');
    });

  it('are seen by nobody, whoever looks at all keys', () => {
    const keyspace = importing();
    expect(seen(keyspace)).toEqual({ keys: ['{b}1'], scanned: ['{b}1'], size: 1 });
    expect(keyspace.expiring).toBe(1);
    expect([keyspace.countInSlot(moving), keyspace.heldInSlot(moving)]).toEqual([0, 2]);
    expect(keyspace.keysInSlot(moving, 10)).toEqual([]);
    for (let i = 0; i < 5; i++) {
      expect(keyspace.walk()?.[0]).toBe('{b}1');
      expect(keyspace.randomKey({ below: () => 0 })).toBe('{b}1');
      let draws = i;
      expect(keyspace.someExpiring({ below: (bound) => draws++ % bound })?.[0]).toBe('{b}1');
    }
    expect(keyspace.fences.serves(moving, 0)).toBe(false);
    expect(keyspace.fences.serves(staying, 0)).toBe(true);
  });

  it('are kept when all keys of the shard go', () => {
    const keyspace = importing();
    keyspace.clear();
    expect(keyspace.size).toBe(0);
    expect(keyspace.heldInSlot(moving)).toBe(2);
    expect(reloaded(keyspace).heldInSlot(moving)).toBe(2);
  });

  it('are seen and served once they are adopted, at the epoch that brought them', () => {
    const keyspace = importing();
    step('imported', 9, { count: 77 })(keyspace);
    expect(keyspace.fences.marks.get(9)).toMatchObject({ gives: false, other: 2, lsn: 77 });
    expect(keyspace.fences.serves(moving, 9)).toBe(false);
    step('adopt', 9)(keyspace);
    expect(seen(keyspace).keys).toEqual(['{a}1', '{a}2', '{b}1']);
    expect(keyspace.size).toBe(3);
    expect(keyspace.fences.serves(moving, 9)).toBe(true);
    expect(keyspace.fences.serves(moving, 0)).toBe(false);
    expect(keyspace.fences.marks.size).toBe(0);
  });

  it('are deleted bit by bit when nothing comes of it', () => {
    const keyspace = importing();
    step('drop', 9)(keyspace);
    expect(seen(keyspace).keys).toEqual(['{b}1']);
    expect([...keyspace.leftBehind()].map(([slot, keys]) => [slot, keys.size])).toEqual([[moving, 2]]);
    step('empty', 0)(keyspace);
    expect([...keyspace.leftBehind()]).toEqual([]);
    expect(keyspace.memoryBytes).toBe(keyspaceWith(put('{b}1', far)).memoryBytes);
    expect(keyspace.fences.serves(moving, 0)).toBe(false);
  });

  it('begin empty with each attempt', () => {
    const keyspace = importing();
    step('import', 10)(keyspace);
    expect(keyspace.heldInSlot(moving)).toBe(0);
    expect([...keyspace.fences.marks.keys()]).toEqual([10]);
  });

  it('expire when they are adopted, not before', () => {
    const keyspace = keyspaceWith(step('import', 9), put('{a}1', 1000), put('{b}1', 1001));
    expect(keyspace.nextDue(2000, 10)).toEqual(['{b}1']);
    step('imported', 9)(keyspace);
    expect(keyspace.soonestToExpire()).toBeUndefined();
    step('adopt', 9)(keyspace);
    expect(keyspace.soonestToExpire()).toBe('{a}1');
    expect(keyspace.nextDue(2000, 10)).toEqual(['{a}1']);
  });
});

describe('frozen slots', () => {
  const frozen = () => keyspaceWith(put('{a}1', 1000), put('{b}1', 2000), step('freeze', 9));

  it('are seen, and neither expired nor evicted nor served', () => {
    const keyspace = frozen();
    expect(seen(keyspace).keys).toEqual(['{a}1', '{b}1']);
    expect(keyspace.fences.serves(moving, 0)).toBe(false);
    expect(keyspace.fences.freezing).toBe(true);
    expect(keyspace.fences.marks.get(9)).toMatchObject({ gives: true, lsn: 3 });
    for (let i = 0; i < 5; i++) expect(keyspace.walk()?.[0]).toBe('{b}1');
    expect(keyspace.soonestToExpire()).toBe('{b}1');
    expect(keyspace.nextDue(5000, 10)).toEqual(['{b}1']);
  });

  it('are as they were when they thaw', () => {
    const keyspace = frozen();
    expect(keyspace.nextDue(1500, 10)).toEqual([]);
    step('thaw', 9)(keyspace);
    expect(keyspace.fences.serves(moving, 0)).toBe(true);
    expect(keyspace.fences.freezing).toBe(false);
    expect(keyspace.nextDue(1500, 10)).toEqual(['{a}1']);
  });

  it('are gone when they are surrendered, and stay so', () => {
    const keyspace = frozen();
    step('surrender', 9)(keyspace);
    expect(seen(keyspace).keys).toEqual(['{b}1']);
    step('empty', 0)(keyspace);
    const again = reloaded(keyspace);
    expect(again.fences.phaseOf(moving)).toBe(slotPhase.gone);
    expect(again.heldInSlot(moving)).toBe(0);
  });
});

test('checkpoints have all of it, taken at any step, while the state goes on', () => {
  const steps = [
    put('{a}1', 1000),
    put('{b}1'),
    step('freeze', 9, { slots: rangesOf([staying]) }),
    step('import', 12, { other: 4, term: 7, count: 2 }),
    put('{a}2'),
    step('progress', 12, { count: 5 }),
    step('imported', 12, { count: 2 ** 40 }),
    step('surrender', 9),
    step('adopt', 12),
    put('{a}3'),
    step('empty', 0, { slots: rangesOf([staying]) }),
  ];
  for (let taken = 0; taken <= steps.length; taken++) {
    const keyspace = keyspaceWith(...steps.slice(0, taken));
    const wanted = keyspace.digest();
    const slices = keyspace.beginCheckpoint();
    for (const one of steps.slice(taken)) one(keyspace);
    const copy = new Keyspace();
    const { load, finish } = copy.restore();
    for (let slice = slices.next(10); slice !== null; slice = slices.next(10)) load(slice);
    expect(finish(taken)).toBe(wanted);
    for (const one of steps.slice(taken)) one(copy);
    expect(copy.digest()).toBe(keyspace.digest());
    expect([...copy.keys()].sort()).toEqual([...keyspace.keys()].sort());
    expect(copy.fences.marks).toEqual(keyspace.fences.marks);
  }
});

test('steps and pieces are the same through bytes', () => {
  const given = keyspaceWith(put('{a}1', far), (keyspace) => keyspace.hashSet('{a}2', 'f', 'v'), put('{b}1'));
  const out = new ByteWriter(1000);
  const encoder = new EffectEncoder(out);
  encoder.begin();
  encoder.changeSlots(change('import', 9));
  const copy = given.beginCopy(rangesOf([moving]));
  // What changes while it is copied comes as it was.
  given.putString('{a}1', 'later', 0);
  given.putString('{b}1', 'later', 0);
  for (let slice = copy.next(20); slice !== null; slice = copy.next(20)) encoder.loadPieces(slice);
  encoder.changeSlots(change('imported', 9));
  encoder.changeSlots(change('adopt', 9));
  const bytes = out.take();
  const taken = new Keyspace();
  taken.applyEntry(bytes, 0, bytes.length, 5);
  expect(taken.peek('{a}1')).toMatchObject({ value: 'value of {a}1', expiresAt: far, lsn: 5 });
  expect(taken.keysInSlot(moving, 10).sort()).toEqual(['{a}1', '{a}2']);
  expect(taken.peek('{b}1')).toBeUndefined();
  expect(() => decodeEffects(Buffer.from([22, 99]), 0, 2, taken)).toThrow('unknown way');
  given.clear();
  expect(given.beginCopy(rangesOf([moving])).next(20)).toBeNull();
});

test('a large collection is loaded in pieces, and changes between them', () => {
  const given = new Keyspace();
  for (let i = 0; i < 5000; i++) given.setAdd('{a}set', `member ${i}`);
  for (let i = 0; i < 300; i++) given.listAppend('{a}list', 'x'.repeat(1000));
  given.putString('{a}long', 'y'.repeat(500_000), 0);
  const taken = keyspaceWith(step('import', 9));
  const copy = given.beginCopy(rangesOf([moving]));
  for (let slice = copy.next(5000); slice !== null; slice = copy.next(5000)) {
    taken.loadPieces(slice);
    given.setAdd('{a}set', `more ${taken.memoryBytes}`);
    given.listRemove('{a}list', 0, 1);
  }
  step('imported', 9)(taken);
  step('adopt', 9)(taken);
  expect(reloaded(taken).size).toBe(3);
  const before = new Keyspace();
  for (let i = 0; i < 5000; i++) before.setAdd('{a}set', `member ${i}`);
  for (let i = 0; i < 300; i++) before.listAppend('{a}list', 'x'.repeat(1000));
  before.putString('{a}long', 'y'.repeat(500_000), 0);
  expect(taken.memoryBytes).toBe(before.memoryBytes);
});
