// Installs and builds, each only when something changed since the last time. Uses nothing but Node itself.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const installStamp = join(root, 'node_modules', '.bellwether-installed');
const buildStamp = join(root, 'dist', '.bellwether-built');

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths)
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(root, path)))
      .update('\0');
  return hash.digest('hex');
}

function filesBelow(directory) {
  return readdirSync(join(root, directory), { recursive: true })
    .map((name) => join(directory, String(name)))
    .filter((path) => statSync(join(root, path)).isFile())
    .sort();
}

function stampIs(stamp, value) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === value;
}

function run(what, command, args) {
  const began = Date.now();
  process.stdout.write(`${what} … `);
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (result.status !== 0) {
    process.stdout.write('failed\n');
    process.stderr.write(
      `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ? `${result.error.message}\n` : ''}`,
    );
    process.exit(1);
  }
  process.stdout.write(`${((Date.now() - began) / 1000).toFixed(1)} s\n`);
}

export function setUp() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) {
    console.error(`Bellwether needs Node.js 20 or newer; this is ${process.version}.`);
    process.exit(1);
  }
  const wanted = hashOf(['package-lock.json']);
  if (!stampIs(installStamp, wanted)) {
    run('Installing packages', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    writeFileSync(installStamp, wanted);
  }
  const sources = filesBelow('src').filter((path) => !path.endsWith('.test.ts'));
  const built = hashOf(['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', ...sources]);
  if (!stampIs(buildStamp, built)) {
    // What was built from files that are gone must go too; the compiler's notes would keep it from writing the rest.
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    rmSync(join(root, 'node_modules/.cache/tsc/build.tsbuildinfo'), { force: true });
    run('Building', process.execPath, [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      'tsconfig.build.json',
    ]);
    mkdirSync(dirname(buildStamp), { recursive: true });
    writeFileSync(buildStamp, built);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();
