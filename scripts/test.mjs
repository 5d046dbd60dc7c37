// `npm test`: sets up what is missing, then runs everything that guards the project.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root, setUp } from './setup.mjs';

// Setting up ends the process when it fails: whoever reads the closing line must still find one.
const sayFailed = () => console.log('0 passed, 1 failed');
process.once('exit', sayFailed);
setUp();
process.off('exit', sayFailed);
const bin = (name) => join(root, 'node_modules/.bin', name);
const checks = [
  ['types', bin('tsc'), ['--noEmit', '-p', 'tsconfig.json']],
  ['lint and format', bin('biome'), ['check', '.']],
  ['room boundaries', bin('depcruise'), ['--config', '.dependency-cruiser.cjs', 'src']],
  ['unused code', bin('knip'), []],
  ['known mistakes fit', process.execPath, ['scripts/mutations.mjs', '--fit']],
];
const reports = mkdtempSync(join(tmpdir(), 'bellwether-test-'));
let passed = 0;
let failed = 0;
/** What failed, with why: shown again at the end, where it is found. */
const failures = [];

/** The failed tests of one file in the test runner's report. */
function failuresOf({ name, status, message, assertionResults }) {
  const file = relative(root, name);
  const tests = assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => `${file} > ${test.fullName}\n${test.failureMessages.join('\n').slice(0, 2000)}`);
  return status === 'failed' && tests.length === 0 ? [`${file}\n${message.slice(0, 2000)}`] : tests;
}

for (const [name, command, args] of checks) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  const ok = result.status === 0;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}`);
  if (!ok) {
    console.log(`${result.stdout ?? ''}${result.stderr ?? ''}`);
    failures.push(name);
  }
  if (ok) passed += 1;
  else failed += 1;
}

for (const project of ['unit', 'process']) {
  const report = join(reports, `${project}.json`);
  const args = [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${report}`,
  ];
  const result = spawnSync(bin('vitest'), args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  let counts = { numPassedTests: 0, numFailedTests: 0, testResults: [] };
  try {
    counts = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    console.log(`FAILED ${project}: the test runner wrote no report`);
  }
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  failures.push(...counts.testResults.flatMap(failuresOf));
  if (result.status !== 0 && counts.numFailedTests === 0) failed += 1;
}

for (const failure of failures) console.log(`FAILED ${failure}`);
rmSync(reports, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
