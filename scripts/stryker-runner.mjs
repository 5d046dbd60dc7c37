// Runs the unit tests for Stryker (stryker.config.json) in its own process, module by module loaded once: a changed
// operator then costs the milliseconds of the tests that reach it, where a start of vitest takes a second or more.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

/** What Stryker's changed code and this runner share. */
globalThis.__stryker__ ??= {};
const shared = globalThis.__stryker__;
/** Beginnings of the paths whose tests run: `STRYKER_TESTS=src/core/,src/log/frame npm run stryker`. */
const wanted = (process.env.STRYKER_TESTS ?? 'src/core/,src/log/').split(',');
/** They would run for almost every change to the log, and take seconds each. */
const tooLong = ['crash', 'crash-points', 'damaged-files'].map((name) => `src/log/${name}.test.ts`);
const out = 'stryker-js';
const timesFile = join(out, 'times.json');
/** A test that takes longer than this, and than ten times what it took when nothing was changed, has failed. */
const patienceMs = 1000;
/** The same, as long as nothing is known. */
const dryRunMs = 10_000;

const tests = [];
let file = '';
let names = [];
const afterEachOf = new Map();

function describe(name, define) {
  names.push(name);
  define();
  names.pop();
}

function test(name, ...rest) {
  const run = rest.find((one) => typeof one === 'function');
  const title = [...names, name].join(' ');
  const same = tests.filter((other) => other.file === file && other.title === title).length;
  tests.push({ id: `${file}#${title}${same === 0 ? '' : ` ${same}`}`, title, file, run, ms: 0, tookMs: 0 });
}
test.each = (rows) => (name, run) => {
  for (const row of rows) {
    const values = Array.isArray(row) ? row : [row];
    let used = 0;
    test(
      name.replace(/%[sdioj]/g, () => String(values[used++])),
      () => run(...values),
    );
  }
};
test.runIf = (holds) => (holds ? test : () => {});
test.skipIf = (holds) => test.runIf(!holds);

async function createExpect() {
  const expecting = await import('@vitest/expect');
  const { chai, JestExtend, JestChaiExpect, JestAsymmetricMatchers } = expecting;
  for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);
  const expect = (value, message) => chai.expect(value, message);
  Object.assign(expect, chai.expect, globalThis[expecting.ASYMMETRIC_MATCHERS_OBJECT]);
  globalThis[expecting.GLOBAL_EXPECT] = expect;
  expecting.setState({ assertionCalls: 0, isExpectingAssertions: false, testPath: '' }, expect);
  return expect;
}

function* sources(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (path.endsWith('.ts') && !path.endsWith('.d.ts')) yield path;
  }
}

/** Makes JavaScript of the sources, in a directory as deep as theirs, since tests look for files from where they are. */
function transpile() {
  // There already when an earlier process was ended since it took too long, or from another one beside this.
  if (existsSync(out)) return;
  const making = `${out}-${process.pid}`;
  const shim = `data:text/javascript,${encodeURIComponent('export const { describe, test, it, expect, afterEach } = globalThis.strykerTests;')}`;
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  };
  for (const path of sources('src')) {
    const to = join(making, relative('src', path)).replace(/ts$/, 'js');
    mkdirSync(join(to, '..'), { recursive: true });
    const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions });
    writeFileSync(to, outputText.replace(/from ["']vitest["']/, `from '${shim}'`));
  }
  // It appears whole.
  if (existsSync(out)) rmSync(making, { recursive: true });
  else renameSync(making, out);
}

async function load() {
  globalThis.strykerTests = {
    describe,
    test,
    it: test,
    expect: await createExpect(),
    afterEach: (run) => afterEachOf.set(file, run),
  };
  for (const path of [...sources('src')].sort()) {
    if (!path.endsWith('.test.ts') || tooLong.includes(path)) continue;
    if (!wanted.some((beginning) => path.startsWith(beginning))) continue;
    file = path;
    names = [];
    await import(pathToFileURL(join(out, relative('src', path)).replace(/ts$/, 'js')).href);
  }
  if (!existsSync(timesFile)) return;
  const times = JSON.parse(readFileSync(timesFile, 'utf8'));
  for (const one of tests) one.ms = times[one.id] ?? one.ms;
}

/** Runs one test; answers what is wrong, null when nothing is. */
async function failureOf(one) {
  const began = performance.now();
  let timer;
  // Much of what goes wrong in a log is that somebody is never called back.
  const patience = new Promise((_, reject) => {
    timer = setTimeout(reject, patienceMs + 10 * one.ms, new Error('it does not end'));
  });
  try {
    await Promise.race([one.run(), patience]);
    await afterEachOf.get(one.file)?.();
    return null;
  } catch (error) {
    return String(error?.message ?? error);
  } finally {
    clearTimeout(timer);
    one.tookMs = performance.now() - began;
  }
}

class InProcessRunner {
  capabilities() {
    return { reloadEnvironment: false };
  }

  async init() {
    shared.activeMutant = undefined;
    transpile();
    await load();
  }

  async dryRun() {
    const results = [];
    for (const one of tests) {
      one.ms = dryRunMs;
      shared.currentTestId = one.id;
      const failureMessage = await failureOf(one);
      shared.currentTestId = undefined;
      const { id, title: name, file: fileName, tookMs: timeSpentMs } = one;
      const status = failureMessage === null ? 'success' : 'failed';
      one.ms = one.tookMs;
      results.push({ id, name, fileName, timeSpentMs, status, ...(failureMessage && { failureMessage }) });
    }
    writeFileSync(timesFile, JSON.stringify(Object.fromEntries(tests.map(({ id, ms }) => [id, ms]))));
    return { status: 'complete', tests: results, mutantCoverage: shared.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit }) {
    const chosen = tests
      .filter(({ id }) => testFilter === undefined || testFilter.includes(id))
      .sort((a, b) => a.ms - b.ms);
    Object.assign(shared, { activeMutant: activeMutant.id, hitCount: 0, hitLimit });
    let ran = 0;
    try {
      for (const one of chosen) {
        ran += 1;
        const failureMessage = await failureOf(one);
        if (hitLimit !== undefined && shared.hitCount > hitLimit)
          return { status: 'timeout', reason: `reached ${shared.hitCount} times` };
        if (failureMessage !== null)
          return { status: 'killed', killedBy: [one.id], failureMessage, nrOfTests: ran };
      }
      return { status: 'survived', nrOfTests: ran };
    } finally {
      shared.activeMutant = undefined;
    }
  }
}

export const strykerPlugins = [
  { kind: 'TestRunner', name: 'in-process', factory: () => new InProcessRunner() },
];
