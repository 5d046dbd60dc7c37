import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, host, ServerProcess, until } from '../processes.ts';
import { driveResp } from '../resp-drive.ts';
import type { System } from '../system.ts';

const program = fileURLToPath(new URL('../responder.mjs', import.meta.url));
const valueBytes = 100;

/** Starts the bare responder. `mode` is the size of the values, or `sink`. */
export async function startResponder(
  directory: string,
  mode: string,
): Promise<{ server: ServerProcess; port: number }> {
  const [port] = (await freePorts(1)) as [number];
  const log = path.join(directory, 'responder.log');
  const args = [program, String(port), mode];
  const server = new ServerProcess('responder', process.execPath, args, log, { channel: true });
  await until('the responder listens', () => {
    server.check();
    return new Promise<boolean>((resolve) => {
      const socket = net.connect({ host, port });
      socket.on('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
  });
  return { server, port };
}

/** No store at all: shows what the load generator itself can reach. */
export const responder: System = {
  name: 'responder',
  guarantee: "none: answers without looking, so its figures are the load generator's own limit",
  missing: () => null,
  leavesOut: () => null,
  start: async (directory) => {
    const { server, port } = await startResponder(directory, String(valueBytes));
    return {
      pids: [server.pid],
      drive: (row, options, window) => driveResp({ host, port, password: '' }, null, row, options, window),
      flushes: () => Promise.resolve(null),
      check: () => server.check(),
      stop: () => server.stop('SIGKILL'),
    };
  },
};
