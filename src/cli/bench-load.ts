import { setTimeout as delay } from 'node:timers/promises';
import type { Piece } from './bench-pieces.ts';
import { CheckedConnection, type ConnectionEvents, type LoadTarget } from './checked-connection.ts';
import { LatencyHistogram } from './latency-histogram.ts';

export interface Load extends LoadTarget {
  readonly connections: number;
  /** Each connection sends one after the other, the next one when all of it is answered; begun anew at the end. */
  readonly pieces: readonly Piece[];
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

export interface LoadResult {
  readonly operations: number;
  readonly seconds: number;
  readonly latency: LatencyHistogram;
}

/** Called at the two ends of what is measured, without delay. */
export interface LoadWindow {
  began(): void;
  ended(): void;
}

const nothing: LoadWindow = { began: () => undefined, ended: () => undefined };

/** Promises of a failure that somebody may or may not wait for. */
export function failureOf(): { failure: Promise<never>; fail: (error: Error) => void } {
  let fail: (error: Error) => void = () => undefined;
  const failure = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failure.catch(() => undefined);
  return { failure, fail };
}

export async function openAll(
  target: LoadTarget,
  count: number,
  events: ConnectionEvents,
): Promise<CheckedConnection[]> {
  const connections: CheckedConnection[] = [];
  try {
    for (let i = 0; i < count; i++) connections.push(await CheckedConnection.open(target, events));
  } catch (error) {
    await closeAll(connections);
    throw error;
  }
  return connections;
}

export async function closeAll(connections: readonly CheckedConnection[]): Promise<void> {
  await Promise.all(connections.map((connection) => connection.close()));
}

/**
 * Runs the load to its end: every connection has one piece under way at all times. Rejects when a reply is not as
 * expected or a connection fails: the figures would mean nothing.
 */
export async function runLoad(load: Load, window: LoadWindow = nothing): Promise<LoadResult> {
  const { pieces } = load;
  const latency = new LatencyHistogram();
  const { failure, fail } = failureOf();
  let measuring = false;
  let next = 0;
  const send = (connection: CheckedConnection): void => {
    connection.send(pieces[next++ % pieces.length] as Piece, performance.now());
  };
  const connections = await openAll(load, load.connections, {
    answered: (connection, operations) => {
      if (measuring) latency.add((performance.now() - connection.since) * 1000, operations);
    },
    idle: send,
    failed: fail,
  });
  try {
    for (const connection of connections) send(connection);
    await Promise.race([delay(load.warmUpMs), failure]);
    measuring = true;
    window.began();
    const began = performance.now();
    await Promise.race([delay(load.measuredMs), failure]);
    measuring = false;
    const seconds = (performance.now() - began) / 1000;
    window.ended();
    return { operations: latency.count, seconds, latency };
  } finally {
    await closeAll(connections);
  }
}

/** Sends every piece once, over so many connections; resolves when all are answered. */
export async function runOnce(
  target: LoadTarget,
  connections: number,
  pieces: readonly Piece[],
): Promise<LoadResult> {
  const latency = new LatencyHistogram();
  const { failure, fail } = failureOf();
  let next = 0;
  let open = connections;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const send = (connection: CheckedConnection): void => {
    if (next < pieces.length) connection.send(pieces[next++] as Piece, performance.now());
    else if (--open === 0) finish();
  };
  const all = await openAll(target, connections, {
    answered: (connection, operations) =>
      latency.add((performance.now() - connection.since) * 1000, operations),
    idle: send,
    failed: fail,
  });
  try {
    const began = performance.now();
    for (const connection of all) send(connection);
    await Promise.race([finished, failure]);
    return { operations: latency.count, seconds: (performance.now() - began) / 1000, latency };
  } finally {
    await closeAll(all);
  }
}
