import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runScenario } from './scenario-test-kit.ts';

const directory = fileURLToPath(new URL('../../scenarios', import.meta.url));
const scripts = readdirSync(directory)
  .filter((file) => file.endsWith('.txt'))
  .sort();
const update = process.env['UPDATE_SCENARIOS'] === '1';

/** What its first line says, as the names of tests say it: `pitfall 04, 15: `. */
function pitfallsOf(file: string): string {
  const [, numbers] = /^# Pitfalls? ([\d, and]*\d)/.exec(readFileSync(join(directory, file), 'utf8')) ?? [];
  if (numbers === undefined) return '';
  return `pitfall ${[...numbers.matchAll(/\d+/g)].map(([number]) => number.padStart(2, '0')).join(', ')}: `;
}

describe('the replication protocol does what the scenarios show', () => {
  test.each(scripts.map((file) => [pitfallsOf(file), file] as const))('%s%s', (_pitfalls, file) => {
    const path = join(directory, file);
    const trace = runScenario(readFileSync(path, 'utf8'));
    const expected = path.replace(/\.txt$/, '.expected');
    if (update) writeFileSync(expected, trace);
    expect(trace).toBe(readFileSync(expected, 'utf8'));
  });
});
