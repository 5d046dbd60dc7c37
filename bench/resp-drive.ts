import { type LoadWindow, runLoad, runOnce } from '../src/cli/bench-load.ts';
import {
  type Barrier,
  fillPieces,
  getPieces,
  type Piece,
  type PieceOptions,
  setPieces,
} from '../src/cli/bench-pieces.ts';
import type { LoadTarget } from '../src/cli/checked-connection.ts';
import { runOpenLoad } from './open-loop.ts';
import type { Driven, DriveOptions, Row } from './system.ts';

export const keyCount = 100_000;
/** One request in so many writes, the others read. */
const oneWriteIn = 5;
const fillConnections = 8;
const fillPipeline = 250;

/** Writes the keys `from` to `to − 1` once each; answers how many per second. */
export async function fill(
  target: LoadTarget,
  barrier: Barrier | null,
  from: number,
  to: number,
  valueBytes: number,
): Promise<number> {
  const options = { pipeline: fillPipeline, keys: to, valueBytes, barrier };
  const { operations, seconds } = await runOnce(target, fillConnections, fillPieces(from, to, options));
  return operations / seconds;
}

/** Reads and writes in a fixed order, so that every system gets the same. */
export function mixedPieces(options: PieceOptions): { piece: Piece; kind: string }[] {
  const writes = setPieces(options);
  return getPieces(options).map((piece, i) =>
    i % oneWriteIn === 0 ? { piece: writes[i] as Piece, kind: 'write' } : { piece, kind: 'read' },
  );
}

/** Puts a server that speaks RESP under load. */
export async function driveResp(
  target: LoadTarget,
  barrier: Barrier | null,
  row: Row,
  options: DriveOptions,
  window: LoadWindow,
): Promise<Driven> {
  const { connections, pipeline, valueBytes, kind } = row;
  const pieceOptions = { pipeline, keys: keyCount, valueBytes, barrier };
  const { warmUpMs, measuredMs } = options;
  if (kind !== 'set') await fill(target, barrier, 0, keyCount, valueBytes);
  if (kind !== 'mixed') {
    const pieces = kind === 'set' ? setPieces(pieceOptions) : getPieces(pieceOptions);
    const result = await runLoad({ ...target, connections, pieces, warmUpMs, measuredMs }, window);
    return { ...result, writeLatency: null, lateness: null };
  }
  const pieces = mixedPieces(pieceOptions);
  const { ratePerSecond } = options;
  if (ratePerSecond === 0) {
    const closed = pieces.map(({ piece }) => piece);
    const result = await runLoad({ ...target, connections, pieces: closed, warmUpMs, measuredMs }, window);
    return { ...result, writeLatency: null, lateness: null };
  }
  const result = await runOpenLoad(
    { ...target, connections, ratePerSecond, pieces, warmUpMs, measuredMs },
    window,
  );
  const { operations, seconds, latency, lateness, byKind } = result;
  return { operations, seconds, latency, lateness, writeLatency: byKind.get('write') ?? null };
}
