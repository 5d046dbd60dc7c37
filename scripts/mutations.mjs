// `npm run mutations`: puts known mistakes into a copy of the tree, one at a time, and demands that each is noticed.
// mutations/README.md says how they are written.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { mutated, readMutations } from './mutation-files.mjs';
import { root, setUp } from './setup.mjs';

const usage = `usage: npm run mutations -- [--fit] [--only A,B] [--seeds] [--from SEED] [--seconds S [--first N]]

  --fit         only says whether all of them fit the code
  --only A,B    only those with one of these in their name
  --seeds       asks the simulator about each, whatever tests notice
  --from SEED   the first seed for the simulator (1)
  --seconds S   begins no other one after this time
  --first N     begins with the Nth and goes around; says nothing about those it did not come to`;

/** A check that takes longer, in ms, has noticed nothing. */
const checkMs = 300_000;

function readArguments(words) {
  const wanted = { fit: false, only: '', seeds: false, from: 1, seconds: Number.POSITIVE_INFINITY, first: 0 };
  for (let i = 0; i < words.length; i++) {
    const name = words[i]?.slice(2);
    const value = words[i + 1];
    if (words[i] === '--seeds') wanted.seeds = true;
    else if (words[i] === '--fit') wanted.fit = true;
    else if (words[i] === '--only' && value !== undefined) wanted.only = words[++i];
    else if (['--from', '--seconds', '--first'].includes(words[i]) && Number.isSafeInteger(Number(value)))
      wanted[name] = Number(words[++i]);
    else {
      console.error(usage);
      process.exit(2);
    }
  }
  return wanted;
}

/** A copy of what the checks need. */
function copyTree() {
  const copy = mkdtempSync(join(tmpdir(), 'bellwether-mutations-'));
  const wanted = ['src', 'dist', 'scenarios', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
  for (const name of wanted) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

const distOf = (path) => path.replace(/^src\//, 'dist/').replace(/\.ts$/, '.js');

function writeSource(copy, path, text) {
  writeFileSync(join(copy, path), text);
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  };
  const { outputText } = ts.transpileModule(text, { compilerOptions, fileName: path });
  writeFileSync(join(copy, distOf(path)), outputText);
}

function restore(copy, paths) {
  for (const path of paths)
    for (const file of [path, distOf(path)]) cpSync(join(root, file), join(copy, file));
}

/** Runs a program to its end, or to the end of its time: `code` is null then. */
function run(command, args, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const said = { out: '', err: '' };
    child.stdout.on('data', (text) => {
      said.out += text;
    });
    child.stderr.on('data', (text) => {
      said.err += text;
    });
    // Its workers with it: a mistake may well make one of them run forever.
    const killer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), checkMs);
    child.on('close', (code) => {
      clearTimeout(killer);
      resolve({ code, ...said });
    });
  });
}

/** Whether tests fail: null when they pass or do not end, else a few words. */
async function runTests(copy, tests) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const args = [
    'run',
    '--project',
    'unit',
    '--bail',
    '1',
    '--testTimeout',
    String(checkMs),
    '--reporter',
    'json',
    '--outputFile',
    report,
  ];
  const { code } = await run(join(copy, 'node_modules/.bin/vitest'), [...args, ...tests], copy);
  if (code === 0 || code === null) return null;
  const { numTotalTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  if (numTotalTests === 0 && testResults.length === 0)
    throw new Error(`there is no test in ${tests.join(', ')}`);
  const failed = testResults.flatMap((file) => file.assertionResults).find((one) => one.status === 'failed');
  return failed?.title ?? 'does not even load';
}

const seedsProgram = `
const [simulation, from, count] = process.argv.slice(1);
const { simulate } = await import(simulation);
for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
  const [violation] = simulate(seed).violations;
  if (violation === undefined) continue;
  console.log('seed ' + seed + ': ' + violation.split('\\n')[0].slice(0, 90));
  break;
}`;

/** The first seed that fails, with what it says; null when none does in time. */
async function runSeeds(copy, from, count) {
  const simulation = pathToFileURL(join(copy, 'dist/sim/simulation.js')).href;
  const args = ['--input-type=module', '-e', seedsProgram, '--', simulation, String(from), String(count)];
  const { code, out, err } = await run(process.execPath, args, copy);
  if (out.trim() !== '') return out.trim();
  // A mistake may also break the simulation itself, loudly.
  return code !== null && code !== 0 ? `it ends with: ${lastError(err)}` : null;
}

function lastError(text) {
  return (/^\w*Error: .*$/m.exec(text)?.[0] ?? 'an error').slice(0, 90);
}

async function check(copy, mutation, wanted) {
  const noticed = mutation.tests.length > 0 ? await runTests(copy, mutation.tests) : null;
  const seeds = mutation.seeds > 0 ? mutation.seeds : wanted.seeds ? 100 : 0;
  if (seeds === 0 || (noticed !== null && !wanted.seeds)) return noticed;
  const bySeed = await runSeeds(copy, wanted.from, seeds);
  return [noticed, bySeed].filter((one) => one !== null).join('; ') || null;
}

/** Without any mutation nothing may be noticed, or it would prove nothing. */
async function checkWithout(copy, mutations, from) {
  const tests = [...new Set(mutations.flatMap((mutation) => mutation.tests))];
  const failing =
    (tests.length === 0 ? null : await runTests(copy, tests)) ?? (await runSeeds(copy, from, 5));
  if (failing !== null) throw new Error(`without a mutation there is a failure already: ${failing}`);
}

async function tryEach(copy, mutations, files, wanted) {
  const began = Date.now();
  const missed = [];
  let tried = 0;
  for (const mutation of mutations) {
    if (Date.now() - began > wanted.seconds * 1000) break;
    const startedMs = Date.now();
    for (const [path, text] of files.get(mutation)) writeSource(copy, path, text);
    const noticed = await check(copy, mutation, wanted);
    restore(copy, files.get(mutation).keys());
    tried += 1;
    if (noticed === null) missed.push(mutation.name);
    const seconds = `${((Date.now() - startedMs) / 1000).toFixed(0)} s`.padStart(5);
    console.log(
      `${noticed === null ? 'MISSED' : 'caught'} ${seconds}  ${mutation.name}: ${noticed ?? mutation.what}`,
    );
  }
  return { tried, missed };
}

async function tryThem(all, files, wanted) {
  const chosen = all.filter(({ name }) => wanted.only.split(',').some((part) => name.includes(part)));
  const first = wanted.first % Math.max(1, chosen.length);
  const mutations = [...chosen.slice(first), ...chosen.slice(0, first)];
  setUp();
  const copy = copyTree();
  try {
    if (wanted.seconds === Number.POSITIVE_INFINITY) await checkWithout(copy, mutations, wanted.from);
    const { tried, missed } = await tryEach(copy, mutations, files, wanted);
    console.log(`${tried - missed.length} of ${tried} that were tried are caught`);
    return missed.length === 0 && tried > 0;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const wanted = readArguments(process.argv.slice(2));
const all = readMutations();
// All must fit, also those that are not tried today.
const files = new Map(all.map((mutation) => [mutation, mutated(mutation)]));
console.log(`${all.length} known mistakes fit the code`);
if (!wanted.fit) process.exitCode = (await tryThem(all, files, wanted)) ? 0 : 1;
