import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { program } from './support/cluster.ts';
import { rounds } from './support/wait.ts';

function verify(
  flags: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, 'verify', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    child.on('close', (code) => resolve({ code, output }));
  });
}

it('bellwether verify finds nothing wrong, and says what it did', async () => {
  const { code, output } = await verify(['--minutes', String(rounds(25) / 60).slice(0, 5)]);
  expect(output).toContain('PASSED: no violation');
  expect(output).toMatch(/operations +[1-9]\d{2,} answered/);
  expect(output).toMatch(/faults +[1-9]/);
  if (rounds(1) > 1) console.log(output);
  expect(code).toBe(0);
});

// It takes a minute until the nodes have been waited for in vain.
it.runIf(rounds(1) > 1)('bellwether verify notices disks that never flush', async () => {
  const { code, output } = await verify(['--minutes', '1', '--seed', '3'], { BELLWETHER_DISK: 'unflushed' });
  expect(output).toContain('FAILED');
  expect(code).toBe(1);
});

it('bellwether verify says what is wrong with its flags', async () => {
  const { code, output } = await verify(['--minutes', 'long']);
  expect(output).toContain("--minutes is 'long' and must be a number above 0");
  expect(code).toBe(2);
});
