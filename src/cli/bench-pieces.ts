/** Requests that are sent in one go, and what must come back for them, byte by byte. */
export interface Piece {
  readonly request: Buffer;
  readonly expected: Buffer;
  /** For each operation, in order: where in `expected` the reply ends behind which it counts as done. */
  readonly ends: readonly number[];
  /** Where in `expected` a digit stands that may be greater, as in the count that WAIT answers. */
  readonly atLeast: readonly number[];
}

/** A command behind every piece that its operations wait for, as `WAIT` on a server that replicates asynchronously. */
export interface Barrier {
  readonly request: readonly string[];
  readonly expected: string;
  /** Where in `expected` a digit may be greater. */
  readonly atLeast: readonly number[];
}

export const waitOne: Barrier = { request: ['WAIT', '1', '5000'], expected: ':1\r\n', atLeast: [1] };
export const waitAofOne: Barrier = {
  request: ['WAITAOF', '1', '1', '5000'],
  expected: '*2\r\n:1\r\n:1\r\n',
  atLeast: [5, 9],
};

export interface PieceOptions {
  /** Operations per piece. */
  readonly pipeline: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly barrier: Barrier | null;
  /** Chooses the key of an operation; by default any of them with the same chance. */
  readonly chooseKey?: () => string;
}

/** Pieces are made ahead, so that the load takes little of the processor; together they have at least so many operations. */
const operationsAhead = 16_384;
const piecesMin = 64;
const keyDigits = 9;

export function request(...parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}

export function keyOf(index: number): string {
  return `bench:${String(index).padStart(keyDigits, '0')}`;
}

export function makeValue(bytes: number): string {
  return 'x'.repeat(bytes);
}

function piece(requests: string, replies: readonly string[], barrier: Barrier | null): Piece {
  const before = replies.join('');
  let at = 0;
  const ends = replies.map((reply) => (at += reply.length));
  if (barrier === null)
    return { request: Buffer.from(requests), expected: Buffer.from(before), ends, atLeast: [] };
  const expected = Buffer.from(before + barrier.expected);
  return {
    request: Buffer.from(requests + request(...barrier.request)),
    expected,
    // Without the barrier's answer nothing is known to be replicated.
    ends: ends.map(() => expected.length),
    atLeast: barrier.atLeast.map((offset) => before.length + offset),
  };
}

function randomKey(keys: number): string {
  return keyOf(Math.floor(Math.random() * keys));
}

function make(count: number, one: () => Piece): Piece[] {
  return Array.from({ length: count }, one);
}

function pieceCount(pipeline: number): number {
  return Math.max(piecesMin, Math.ceil(operationsAhead / pipeline));
}

/** SETs of random keys. */
export function setPieces({ pipeline, keys, valueBytes, barrier, chooseKey }: PieceOptions): Piece[] {
  const choose = chooseKey ?? (() => randomKey(keys));
  const value = makeValue(valueBytes);
  const replies = Array.from({ length: pipeline }, () => '+OK\r\n');
  return make(pieceCount(pipeline), () => {
    let text = '';
    for (let i = 0; i < pipeline; i++) text += request('SET', choose(), value);
    return piece(text, replies, barrier);
  });
}

/** GETs of random keys that all hold a value of `valueBytes`. */
export function getPieces({ pipeline, keys, valueBytes }: PieceOptions): Piece[] {
  const reply = `$${valueBytes}\r\n${makeValue(valueBytes)}\r\n`;
  const replies = Array.from({ length: pipeline }, () => reply);
  return make(pieceCount(pipeline), () => {
    let text = '';
    for (let i = 0; i < pipeline; i++) text += request('GET', randomKey(keys));
    return piece(text, replies, null);
  });
}

/** SETs that together write the keys `from` to `to − 1`, each once. */
export function fillPieces(
  from: number,
  to: number,
  { pipeline, valueBytes, barrier }: PieceOptions,
): Piece[] {
  const value = makeValue(valueBytes);
  const pieces: Piece[] = [];
  for (let first = from; first < to; first += pipeline) {
    const replies: string[] = [];
    let text = '';
    for (let i = first; i < Math.min(first + pipeline, to); i++) {
      text += request('SET', keyOf(i), value);
      replies.push('+OK\r\n');
    }
    pieces.push(piece(text, replies, barrier));
  }
  return pieces;
}
