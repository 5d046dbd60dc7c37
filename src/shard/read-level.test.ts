import { expect, test } from 'vitest';
import { formatReadLevel, parseReadLevel } from './read-level.ts';

test('every level is read from the words in which it is shown', () => {
  for (const text of [
    'linearizable',
    'strict',
    'local',
    'bounded 100',
    'bounded lsn 7',
    'session',
    'eventual',
  ]) {
    const level = parseReadLevel(text.toUpperCase().split(' '));
    expect(typeof level === 'string' ? level : formatReadLevel(level)).toBe(text);
  }
});

test('anything else is no level', () => {
  for (const text of [
    '',
    'bounded',
    'bounded x',
    'bounded -1',
    'bounded lsn',
    'strict 5',
    'bounded 5 ms',
    'bounded 1.5',
  ])
    expect(parseReadLevel(text.split(' '))).toMatch(/^ERR '.*' is no read level: use LINEARIZABLE/);
});
