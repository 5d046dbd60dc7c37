import net from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { runLoad, runOnce } from './bench-load.ts';
import { fillPieces, getPieces, type Piece, setPieces, waitAofOne, waitOne } from './bench-pieces.ts';

let server: net.Server | null = null;
afterEach(() => {
  server?.close();
  server = null;
});

/** A server that answers every chunk with what `reply` says, in two parts. */
async function serve(reply: () => string): Promise<number> {
  const one = net.createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      const text = reply();
      const cut = Math.floor(text.length / 2);
      socket.write(text.slice(0, cut));
      setImmediate(() => socket.write(text.slice(cut)));
    });
  });
  server = one;
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  return (one.address() as net.AddressInfo).port;
}

function load(port: number, pieces: readonly Piece[]) {
  const times = { warmUpMs: 20, measuredMs: 50 };
  return runLoad({ host: '127.0.0.1', port, password: '', connections: 2, pieces, ...times });
}

const options = { pipeline: 2, keys: 100, valueBytes: 3, barrier: null };

it('pieces say what must come back', () => {
  const [set] = setPieces(options) as [Piece];
  expect(set.request.toString()).toMatch(/^(\*3\r\n\$3\r\nSET\r\n\$15\r\nbench:\d{9}\r\n\$3\r\nxxx\r\n){2}$/);
  expect(set.expected.toString()).toBe('+OK\r\n+OK\r\n');
  expect(set.ends).toEqual([5, 10]);
  const [get] = getPieces(options) as [Piece];
  expect(get.expected.toString()).toBe('$3\r\nxxx\r\n$3\r\nxxx\r\n');
  const filled = fillPieces(0, 5, options).map((piece) => piece.request.toString());
  expect(filled.join('').match(/bench:\d+/g)).toEqual([0, 1, 2, 3, 4].map((i) => `bench:00000000${i}`));
});

it('nothing counts as done before the barrier behind it is answered', async () => {
  const [piece] = setPieces({ ...options, barrier: waitOne }) as [Piece];
  expect(piece.request.toString()).toContain('WAIT\r\n$1\r\n1');
  expect(piece.ends).toEqual([14, 14]);
});

it('a barrier that reports more copies than asked for is fine, fewer are a failure', async () => {
  const pieces = setPieces({ ...options, barrier: waitAofOne });
  let answer = '*2\r\n:1\r\n:2\r\n';
  const port = await serve(() => `+OK\r\n+OK\r\n${answer}`);
  expect((await load(port, pieces)).operations).toBeGreaterThan(0);
  answer = '*2\r\n:1\r\n:0\r\n';
  await expect(load(port, pieces)).rejects.toThrow('answered');
});

it('a reply that is not what was asked for ends the run', async () => {
  const port = await serve(() => '+OK\r\n-NOREPLICAS no\r\n');
  await expect(load(port, setPieces(options))).rejects.toThrow('answered');
});

it('all pieces are sent once', async () => {
  let asked = 0;
  const port = await serve(() => {
    asked += 1;
    return '+OK\r\n+OK\r\n';
  });
  const target = { host: '127.0.0.1', port, password: '' };
  const result = await runOnce(target, 3, fillPieces(0, 40, options));
  expect(result.operations).toBe(40);
  expect(asked).toBe(20);
});
