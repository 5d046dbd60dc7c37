import { spawnSync } from 'node:child_process';
import type { ServerProcess } from './redis-process.ts';
import { freePorts, startServer, temporaryDirectory } from './redis-process.ts';

/** Version of the redis-server on PATH, as [major, minor, patch]; null when there is none. */
export function redisServerVersion(): readonly [number, number, number] | null {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  const found = status === 0 ? /v=(\d+)\.(\d+)\.(\d+)/.exec(stdout) : null;
  return found === null ? null : [Number(found[1]), Number(found[2]), Number(found[3])];
}

/** Starts a Redis of one node that owns every slot: cluster mode, as Bellwether speaks it, or one that is in no cluster. */
export async function startRedis(cluster = true): Promise<ServerProcess> {
  const dir = temporaryDirectory('redis');
  const [port, busPort] = (await freePorts(2)) as [number, number];
  const settings = {
    port,
    'cluster-port': busPort,
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'no',
    'cluster-enabled': cluster ? 'yes' : 'no',
    databases: 1,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  let assigned = !cluster;
  return startServer('redis-server', args, dir, port, async (client) => {
    if (!assigned) assigned = (await client.command('CLUSTER', 'ADDSLOTSRANGE', 0, 16383)).wire === '+OK\r\n';
    return !cluster || String((await client.command('CLUSTER', 'INFO')).value).includes('cluster_state:ok');
  });
}
