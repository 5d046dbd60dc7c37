import { expect, test } from 'vitest';
import type { Batch } from '../log/batch.ts';
import { BatchBuilder, entryKind } from '../log/batch.ts';
import { EffectEncoder } from '../state/effect-codec.ts';
import type { EffectSink } from '../state/effects.ts';
import { TrueValues } from './true-values.ts';

/** A batch of one entry for each of `entries`. */
function batch(term: number, firstLsn: number, ...entries: ((effects: EffectSink) => void)[]): Batch {
  const builder = new BatchBuilder(1);
  const encoder = new EffectEncoder(builder.payload);
  for (const write of entries) {
    builder.begin(entryKind.effects, 0);
    encoder.begin();
    write(encoder);
    builder.end();
  }
  return builder.seal(term, firstLsn, 0);
}

test('the values of keys, entry by entry, as clients see them', () => {
  const values = new TrueValues(['register0', 'list0', 'zset0', 'pair0']);
  const both = (effects: EffectSink, value: string): void => {
    for (const half of ['{pair0}a', '{pair0}b']) effects.putString(half, value, 0);
  };
  values.appended(
    batch(
      1,
      1,
      (effects) => effects.putString('register0', 'a', 0),
      (effects) => effects.listAppend('list0', 'x'),
      (effects) => effects.listAppend('list0', 'y'),
      (effects) => both(effects, 'p'),
      (effects) => effects.putString('{pair0}a', 'q', 0),
      (effects) => effects.sortedSetPut('zset0', 'm', 2),
      (effects) => effects.remove('register0'),
    ),
  );
  for (let lsn = 1; lsn <= 7; lsn++) expect(values.committed(lsn, 1, 10 * lsn)).toBeNull();
  const { versions } = values;
  expect(versions.shownAt('register0', 'a', 0)).toBe(1);
  expect(versions.shownAt('register0', null, 1)).toBe(7);
  expect(versions.shownAt('list0', 'x,y', 0)).toBe(3);
  expect(versions.shownAt('pair0', 'p', 0)).toBe(4);
  expect(versions.shownAt('pair0', 'two halves: q and p', 0)).toBe(5);
  expect(versions.shownAt('zset0', 'm:2', 0)).toBe(6);
  expect(versions.committedMs(6)).toBe(60);
});

test('of two leaders, only what was committed counts', () => {
  const values = new TrueValues(['register0']);
  values.appended(batch(1, 1, (effects) => effects.putString('register0', 'lost', 0)));
  values.appended(batch(2, 1, (effects) => effects.putString('register0', 'kept', 0)));
  expect(values.committed(1, 2, 5)).toBeNull();
  expect(values.versions.shownAt('register0', 'lost', 0)).toBeNull();
  expect(values.versions.shownAt('register0', 'kept', 0)).toBe(1);
});

test('an entry that no log took, or that comes too early, is found', () => {
  const values = new TrueValues([]);
  expect(values.committed(1, 1, 0)).toBe('LSN 1 of term 1 is committed, and no log took it');
  expect(values.committed(2, 1, 0)).toBe('LSN 2 is committed, and nobody saw LSN 1 become so');
});
