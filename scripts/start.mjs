// `npm start`: sets up what is missing, then runs `bellwether up` with the arguments behind `--`.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { root, setUp } from './setup.mjs';

setUp();
const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'up', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to the whole group, so the child has it already; `kill` reaches only this process.
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT');
});
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGHUP', () => child.kill('SIGHUP'));
child.on('exit', (code, signal) =>
  process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]),
);
