import { expect, test } from 'vitest';
import type { GateView } from './gates.ts';
import { checkGate } from './gates.ts';

const write: GateView = {
  node: 'a',
  what: 'SET',
  writes: true,
  provesLeadership: false,
  gateLsn: 9,
  lastLsn: 9,
  writtenAt: [4],
};
const read: GateView = { ...write, what: 'GET', writes: false, provesLeadership: true, gateLsn: 4 };

test('a write waits for its own entry', () => {
  expect(checkGate(write)).toBeNull();
  expect(checkGate({ ...write, gateLsn: 8 })).toBe('a: SET wrote LSN 9 and waits for LSN 8');
  expect(checkGate({ ...write, provesLeadership: true })).toBe('a: SET waits as if it had written nothing');
});

test('a read waits for what it saw', () => {
  expect(checkGate(read)).toBeNull();
  expect(checkGate({ ...read, gateLsn: 7 })).toBeNull();
  expect(checkGate({ ...read, writtenAt: [] })).toBeNull();
  expect(checkGate({ ...read, gateLsn: 3 })).toBe('a: GET saw what LSN 4 wrote and waits for LSN 3');
  expect(checkGate({ ...read, writtenAt: [2, 5] })).toContain('saw what LSN 5 wrote');
});
