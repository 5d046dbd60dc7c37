import net from 'node:net';
import { expect, it } from 'vitest';
import { setPieces } from '../src/cli/bench-pieces.ts';
import { runOpenLoad, Schedule } from './open-loop.ts';

it('a schedule keeps its rate, however late and seldom it is asked', () => {
  const often = new Schedule(1500);
  const seldom = new Schedule(1500);
  const first: number[] = [];
  const second: number[] = [];
  for (let ms = 0; ms < 1000; ms++) often.takeDue(ms, (due) => first.push(due));
  seldom.takeDue(400, (due) => second.push(due));
  seldom.takeDue(999, (due) => second.push(due));
  expect(first).toHaveLength(1500);
  expect(second).toEqual(first);
  expect(first[0]).toBe(0);
});

it('a rate below one in a millisecond is kept too', () => {
  const schedule = new Schedule(250);
  const due: number[] = [];
  schedule.takeDue(999, (ms) => due.push(ms));
  expect(due).toHaveLength(250);
});

/** A server that answers OK to every chunk, but stands still for a while when it has seen a hundred. */
async function stallingServer(stallMs: number): Promise<net.Server> {
  let seen = 0;
  let goesOnMs = 0;
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      seen += 1;
      if (seen === 100) goesOnMs = performance.now() + stallMs;
      const waitMs = goesOnMs - performance.now();
      if (waitMs <= 0) socket.write('+OK\r\n');
      else setTimeout(() => socket.write('+OK\r\n'), waitMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

it('requests that a standing server keeps from being sent count from when they were due', async () => {
  const stallMs = 400;
  const server = await stallingServer(stallMs);
  const { port } = server.address() as net.AddressInfo;
  const pieces = setPieces({ pipeline: 1, keys: 10, valueBytes: 10, barrier: null });
  const result = await runOpenLoad(
    {
      host: '127.0.0.1',
      port,
      password: '',
      connections: 2,
      ratePerSecond: 1000,
      pieces: pieces.map((piece) => ({ piece, kind: 'write' })),
      warmUpMs: 50,
      measuredMs: 800,
    },
    { began: () => undefined, ended: () => undefined },
  );
  server.close();
  // A loop that waits for its answers would see two slow requests. About half of all were due during the stall.
  expect(result.latency.quantile(0.9)).toBeGreaterThan(stallMs / 2);
  expect(result.latency.count).toBeGreaterThan(600);
  expect(result.byKind.get('write')?.count).toBe(result.latency.count);
});
