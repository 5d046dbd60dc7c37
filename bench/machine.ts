import fs from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { findProgram, run } from './processes.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const memoryFileSystems = new Set([0x01021994, 0x858458f6]);
/** Above this load average others work on the machine, and figures are worth little. */
const quietLoad = 0.5;

async function versionOf(name: string, flag: string): Promise<string[]> {
  const program = findProgram(name);
  if (program === null) return [];
  const output = await run(program, [flag]).catch(() => '');
  const [first = ''] = output.split('\n');
  return [first.replace(/ sha=.*$/, '').trim()];
}

/** What one must know of the machine and the programs to judge figures. */
export async function machineLines(data: string): Promise<string[]> {
  const [cpu] = os.cpus();
  const commit = await run('git', ['describe', '--always', '--dirty'], { cwd: root }).catch(() => 'unknown');
  const versions = await Promise.all([
    versionOf('redis-server', '--version'),
    versionOf('valkey-server', '--version'),
    versionOf('etcd', '--version'),
    versionOf('postgres', '--version'),
  ]);
  const [load = 0] = os.loadavg();
  const inMemory = memoryFileSystems.has(fs.statfsSync(data).type);
  return [
    `- ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, commit ${commit.trim()}`,
    `- ${os.cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${Math.round(os.totalmem() / 2 ** 30)} GiB, Linux ${os.release()}, Node.js ${process.version}`,
    `- ${versions.flat().join('; ')}`,
    `- load average when it began: ${load.toFixed(2)}${load > quietLoad ? ': **others work on this machine, the figures are rough**' : ''}`,
    ...(inMemory
      ? ['- **the data is on a file system in memory: nothing is durable, the comparison means nothing**']
      : []),
  ];
}
