// `.ci/run` behind the installation of system packages: npm test, then the longer checks, then one closing line.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './setup.mjs';

const vitest = join(root, 'node_modules/.bin/vitest');

/** The same test as in `npm test`, with more rounds. */
function rounds(file, times, more = {}) {
  return {
    name: `${file}, ${times} times as many rounds`,
    command: vitest,
    args: ['run', '--project', 'process', `tests/${file}.test.ts`, '--testTimeout=900000'],
    env: { BELLWETHER_ROUNDS: String(times), ...more },
  };
}

const simulatorMinutes = 8;
/** Far from those of other days and hours; printed, so that a failure can be run again. */
const freshSeed = Math.floor(Date.now() / 60_000) * 10_000;

/** The longer checks: name, command, environment. Each counts as one. */
const longer = [
  {
    name: `simulator, ${simulatorMinutes} minutes of seeds that nobody has run before, from ${freshSeed}`,
    command: process.execPath,
    args: ['scripts/simulate.mjs', '--from', String(freshSeed), '--minutes', String(simulatorMinutes)],
    env: {},
  },
  {
    name: 'simulator, how much of core, log and shard it reaches',
    command: 'npm',
    args: ['run', '--silent', 'simulate:coverage'],
    env: {},
  },
  {
    name: 'crash points of the log, in more orders and with more ways to tear a write',
    command: vitest,
    args: ['run', '--project', 'unit', 'src/log/crash-points.test.ts'],
    env: { BELLWETHER_ROUNDS: '2' },
  },
  {
    name: 'damaged bytes from clients, peers and disks, 5 times as many',
    command: vitest,
    args: ['run', '--project', 'unit', 'damage.test.ts', 'damaged-'],
    env: { BELLWETHER_ROUNDS: '5' },
  },
  {
    name: 'known mistakes: all of them fit the code, and as many as a minute allows are noticed',
    command: process.execPath,
    args: [
      'scripts/mutations.mjs',
      '--seconds',
      '50',
      '--first',
      String(Math.floor(Date.now() / 60_000) * 17),
    ],
    env: {},
  },
  {
    name: 'random commands compared with a running Redis, 140 seeds of 1,500 commands',
    command: vitest,
    args: ['run', '--project', 'process', 'tests/commands/random.test.ts'],
    env: { BELLWETHER_ROUNDS: '17.5' },
  },
  {
    name: 'work per write against its budget: system calls, bytes, flushes, allocations',
    command: 'npm',
    args: ['run', '--silent', 'bench:work'],
    env: {},
  },
  rounds('random-cluster', 4),
  rounds('kill', 2),
  rounds('increment', 3),
  rounds('power-loss', 3),
  rounds('damage', 3),
  rounds('read-faults', 3),
  rounds('job-queue', 3),
  rounds('verify', 3),
  rounds('catch-up', 1, { BELLWETHER_CATCH_UP_MB: '1024' }),
];

/** How much of a failed step's output is shown again at the end, where it is found. */
const linesShownAgain = 60;

/** Runs a command with its output shown; answers its exit code, the last closing line and the last lines. */
function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let closing = null;
    const tail = [];
    const show = (line, write) => {
      const match = /^(\d+) passed, (\d+) failed$/.exec(line);
      if (match !== null) {
        closing = { passed: Number(match[1]), failed: Number(match[2]) };
        return;
      }
      write(line);
      tail.push(line);
      if (tail.length > linesShownAgain) tail.shift();
    };
    createInterface({ input: child.stdout }).on('line', (line) => show(line, console.log));
    createInterface({ input: child.stderr }).on('line', (line) => show(line, console.error));
    child.on('close', (code) => resolve({ code, closing, tail }));
  });
}

const failures = [];
const tests = await run(process.execPath, ['scripts/test.mjs']);
let passed = tests.closing?.passed ?? 0;
let failed = tests.closing?.failed ?? 1;
if (tests.code !== 0 && failed === 0) failed = 1;
if (failed > 0) failures.push({ name: 'npm test', tail: tests.tail });
for (const { name, command, args, env } of longer) {
  const began = Date.now();
  const { code, tail } = await run(command, args, env);
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - began) / 1000).toFixed(0)} s)`);
  if (code === 0) {
    passed += 1;
  } else {
    failed += 1;
    failures.push({ name, tail });
  }
}
for (const { name, tail } of failures)
  console.log(`\nFAILED ${name}; the end of its output:\n${tail.join('\n')}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
