import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServerProcess } from './redis-process.ts';
import { freePorts, startServer, temporaryDirectory } from './redis-process.ts';

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Starts a Bellwether of one node from what was built into dist/. */
export async function startRival(flags: readonly string[] = []): Promise<ServerProcess> {
  if (!fs.existsSync(program)) throw new Error(`${program} is missing: run "npm run build" first`);
  const dir = temporaryDirectory('rival');
  const [client, peer, admin] = (await freePorts(3)) as [number, number, number];
  const args = [
    ...[program, 'node', '--id', 'n1', '--dir', `${dir}/data`, '--segment-bytes', '4mb'],
    ...['--max-request-bytes', '1mb', '--checkpoint-bytes', '1mb'],
    ...['--listen', `127.0.0.1:${client}`],
    ...['--peer-listen', `127.0.0.1:${peer}`],
    ...['--admin-listen', `127.0.0.1:${admin}`],
    ...flags,
  ];
  return startServer(process.execPath, args, dir, client, async (connection) => {
    return (await connection.command('DBSIZE')).wire === ':0\r\n';
  });
}
