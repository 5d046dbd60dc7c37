import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { environment, host, ServerProcess, until } from '../processes.ts';
import { driveResp } from '../resp-drive.ts';
import type { Running, System } from '../system.ts';

/** The ports are written into the sketch. */
const clientPort = 7600;
const followerPort = 7601;

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** The sketch of the design's write path: leader.mjs and follower.mjs in a directory, SETs only, no elections, no recovery. */
export function sketchIn(directory: string | null): System {
  const program = (file: string): string => path.resolve(directory ?? '.', file);
  return {
    name: 'sketch',
    guarantee: 'the ceiling of the design: three processes, OK after two of three flushed, nothing else',
    missing: () => {
      if (directory === null) return 'no --sketch DIR was given';
      return fs.existsSync(program('leader.mjs')) ? null : `${directory} has no leader.mjs`;
    },
    leavesOut: ({ kind }) => (kind === 'set' ? null : 'answers SET only'),
    start: async (data): Promise<Running> => {
      if ((await accepts(clientPort)) || (await accepts(followerPort)))
        throw new Error(`another process listens on port ${clientPort} or ${followerPort}`);
      const env = environment({ SKETCH_DIR: data });
      const log = path.join(data, 'sketch.log');
      const start = (name: string, args: readonly string[]): ServerProcess =>
        new ServerProcess(`sketch ${name}`, process.execPath, args, log, { env });
      const servers = [start('leader', [program('leader.mjs')])];
      await until('the sketch listens', () => accepts(clientPort));
      for (const number of ['1', '2']) servers.push(start('follower', [program('follower.mjs'), number]));
      // A follower connects when it has written its file; the leader has no way to tell.
      const files = ['follower-1.log', 'follower-2.log'].map((file) => path.join(data, file));
      const segment = 64 << 20;
      await until('the followers are ready', () =>
        Promise.resolve(files.every((file) => fs.existsSync(file) && fs.statSync(file).size >= segment)),
      );
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return {
        pids: servers.map(({ pid }) => pid),
        drive: (row, options, window) =>
          driveResp({ host, port: clientPort, password: '' }, null, row, options, window),
        flushes: () => Promise.resolve(null),
        check: () => {
          for (const server of servers) server.check();
        },
        stop: async () => {
          await Promise.all(servers.map((server) => server.stop('SIGKILL')));
        },
      };
    },
  };
}
