import { expect, test } from 'vitest';
import { Batch, BatchBuilder, entryKind } from './batch.ts';
import { History } from './history.ts';
import { batchOf, SeededRandom } from './log-test-kit.ts';
import { origin } from './positions.ts';
import type { LogPosition } from './types.ts';

function membershipBatch(lsn: number, text: string): Batch {
  const builder = new BatchBuilder(1, 4096);
  builder.begin(entryKind.membership, 0);
  builder.payload.raw(text);
  builder.end();
  return Batch.parse(Buffer.from(builder.seal(1, lsn, 0).bytes));
}

const memberships = (history: History): string[] =>
  history.memberships.map(({ lsn, bytes }) => `${lsn} ${bytes.toString()}`);

test('the terms of a history that grows, is cut and loses its beginning are those of a plain list', () => {
  const random = new SeededRandom(11);
  for (let run = 0; run < 14; run++) {
    const base: LogPosition = run % 2 === 0 ? origin : { term: 3, lsn: 100 };
    const history = new History(base);
    let from = base.lsn;
    let terms: number[] = [base.term];
    for (let round = 0; round < 60; round++) {
      const term = (terms.at(-1) as number) + (random.below(3) === 0 ? 1 + random.below(2) : 0);
      const what = random.below(6);
      if (what < 4) {
        const count = 1 + random.below(4);
        history.extend(Math.max(term, 1), history.last.lsn + 1, history.last.lsn + count);
        for (let i = 0; i < count; i++) terms.push(Math.max(term, 1));
      } else if (what === 4) {
        const lsn = from + random.below(terms.length + 2);
        history.truncate(lsn);
        terms = terms.slice(0, lsn - from + 1);
      } else {
        const lsn = from + random.below(terms.length);
        history.rebase({ term: history.termAt(lsn) as number, lsn });
        terms = terms.slice(lsn - from);
        from = lsn;
      }
      const runs = terms.flatMap((each, i) =>
        i > 0 && (i === 1 || each !== terms[i - 1]) ? [{ term: each, lsn: from + i }] : [],
      );
      expect(history.terms).toEqual(runs);
      expect(history.base).toEqual({ term: terms[0], lsn: from });
      expect(history.last).toEqual({ term: terms.at(-1), lsn: from + terms.length - 1 });
      const asked = Array.from({ length: terms.length + 2 }, (_, i) => from - 1 + i);
      const known = [null, ...terms, null];
      expect(asked.map((lsn) => history.termAt(lsn))).toEqual(known);
      expect(asked.map((lsn) => history.holds({ term: 3, lsn }))).toEqual(known.map((each) => each === 3));
    }
  }
});

test('memberships go with what is cut, and the one in force at the beginning stays', () => {
  const history = new History(origin);
  history.noteMemberships(batchOf(1, 1, 1, ['no membership']));
  expect(history.memberships).toEqual([]);
  for (const lsn of [2, 4, 6]) {
    const batch = membershipBatch(lsn, `of ${lsn}`);
    history.noteMemberships(batch);
    batch.bytes.fill(0);
  }
  history.extend(1, 1, 8);
  expect(memberships(history)).toEqual(['2 of 2', '4 of 4', '6 of 6']);
  history.truncate(6);
  expect(memberships(history)).toHaveLength(3);
  history.truncate(5);
  expect(memberships(history)).toEqual(['2 of 2', '4 of 4']);
  history.rebase({ term: 1, lsn: 3 });
  expect(memberships(history)).toEqual(['2 of 2', '4 of 4']);
  history.rebase({ term: 1, lsn: 4 });
  expect(memberships(history)).toEqual(['4 of 4']);
});

test('a membership from elsewhere is taken over where nothing older is known', () => {
  const history = new History({ term: 1, lsn: 10 });
  history.adoptMembership({ lsn: 10, bytes: Buffer.from('checkpoint') });
  expect(memberships(history)).toEqual(['10 checkpoint']);
  history.adoptMembership({ lsn: 10, bytes: Buffer.from('again') });
  history.adoptMembership({ lsn: 11, bytes: Buffer.from('newer') });
  expect(memberships(history)).toEqual(['10 checkpoint']);
  const behind = new History({ term: 1, lsn: 10 });
  behind.noteMemberships(membershipBatch(12, 'of 12'));
  behind.adoptMembership({ lsn: 9, bytes: Buffer.from('checkpoint') });
  expect(memberships(behind)).toEqual(['9 checkpoint', '12 of 12']);
  for (const lsn of [9, 13]) behind.adoptMembership({ lsn, bytes: Buffer.from('later') });
  expect(memberships(behind)).toEqual(['9 checkpoint', '12 of 12']);
  const known = new History({ term: 1, lsn: 10 });
  known.noteMemberships(membershipBatch(12, 'of 12'));
  for (const lsn of [12, 13]) known.adoptMembership({ lsn, bytes: Buffer.from('later') });
  expect(memberships(known)).toEqual(['12 of 12']);
});

test('places of entries that are cut or dropped are forgotten', () => {
  const history = new History(origin);
  history.extend(1, 1, 6);
  for (const lsn of [1, 3, 5]) history.index.add(lsn, lsn + 1, 1, lsn * 100, 50);
  history.truncate(5);
  expect(history.index.lastLsn).toBe(5);
  history.rebase({ term: 1, lsn: 2 });
  expect(history.index.stretch(2, 9, 1000)).toEqual([]);
  expect(history.index.count).toBe(2);
});
