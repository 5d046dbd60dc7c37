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

describe('the replication protocol does what the scenarios show', () => {
  test.each(scripts)('%s', (file) => {
    const path = join(directory, file);
    const trace = runScenario(readFileSync(path, 'utf8'));
    const expected = path.replace(/\.txt$/, '.expected');
    if (update) writeFileSync(expected, trace);
    expect(trace).toBe(readFileSync(expected, 'utf8'));
  });
});
