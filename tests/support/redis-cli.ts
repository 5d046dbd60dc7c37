import { spawn, spawnSync } from 'node:child_process';
import type { TestNode } from './cluster.ts';
import { until } from './wait.ts';

/** Where there is none, tests leave its part out and say so. */
export const redisCli = spawnSync('redis-cli', ['--version']).status === 0;
if (!redisCli) console.log('SKIPPED: no redis-cli is on PATH, so it did not check the cluster.');

/**
 * `redis-cli --cluster check`, asked of each node that runs, finds every slot covered and all nodes of one mind.
 * It asks the nodes one after the other and who leads may be on its way to another node meanwhile, as leadership goes
 * back to who is preferred after a restart: so it may ask again.
 */
export async function checkWithRedisCli(nodes: readonly TestNode[]): Promise<void> {
  if (!redisCli) return;
  for (const { port, process } of nodes) {
    if (process === null) continue;
    let output = '';
    await until(
      () => `redis-cli agrees: ${output}`,
      async () => {
        output = await clusterCheck(port);
        return (
          output.includes('[OK] All 16384 slots covered.') &&
          output.includes('[OK] All nodes agree about slots configuration.')
        );
      },
    );
  }
}

async function clusterCheck(port: number): Promise<string> {
  const child = spawn('redis-cli', ['--cluster', 'check', `127.0.0.1:${port}`]);
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
  });
  await new Promise((resolve) => child.on('close', resolve));
  return output;
}
