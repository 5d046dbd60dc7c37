import { expect, test } from 'vitest';
import type { SessionStep } from './level-history.ts';
import { readOf, tenEntries } from './level-test-kit.ts';
import { checkSession } from './session-steps.ts';

const read = (result: string | null): SessionStep => ({
  kind: 'read',
  read: readOf(result, 200, 205, { kind: 'session', bound: 0 }),
});
const wrote = (value: string, term = 2): SessionStep => ({ kind: 'wrote', key: 'k', value, term });
const told = (line: string): SessionStep => ({ kind: 'told', line });
const check = (...steps: SessionStep[]) => checkSession(7, steps, tenEntries());
const where = 'client 7 read k → ';
const when = ' at session, from 200.00 to 205.00 ms: ';

test('a session that goes forward', () => {
  expect(check()).toBeNull();
  expect(check(read(null), read('v1'), read('v1'), wrote('v4'), read('v4'), read('v9'))).toBeNull();
});

test('a step back is found', () => {
  expect(check(read('v5'), read('v4'))).toBe(`${where}v4${when}the session had seen LSN 5`);
  expect(check(read('v5'), read(null))).toBe(`${where}null${when}the session had seen LSN 5`);
});

test('a read that misses an own write is found', () => {
  expect(check(wrote('v6'), read('v5'))).toBe(`${where}v5${when}the session had seen LSN 6`);
});

test('a write that was lost without a word is found', () => {
  const silence = `nobody had told it that its write k = w was lost`;
  expect(check(wrote('w', 1), read('v3'))).toBe(`${where}v3${when}${silence}`);
  const other: SessionStep = { kind: 'read', read: { ...readOf(null, 200, 205), key: 'other' } };
  // The leader that has it may still show what it holds of another key; a later one may not.
  expect(check(wrote('w', 1), other)).toBeNull();
  expect(check(read('v8'), wrote('w', 1), other)).toContain(silence);
});

test('a session that was told begins anew', () => {
  const line = 'LOSTWRITE LSN 7 of term 1 was lost: a later leader does not have it';
  expect(check(wrote('w', 1), told(line), read('v3'))).toBeNull();
  expect(
    check(read('v9'), told('EXECABORT Transaction discarded because of: OLDTOKEN …'), read('v1')),
  ).toBeNull();
});

test('a committed write that is called lost is found', () => {
  const line = 'LOSTWRITE LSN 7 of term 2 was lost: a later leader does not have it';
  expect(check(wrote('v7'), told(line))).toBe(`client 7 was told '${line}', and it is committed`);
});
