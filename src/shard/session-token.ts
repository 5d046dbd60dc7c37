import type { Position } from '../core/types.ts';

/** A place in the history of one shard, as clients carry it from node to node: `shard:term:lsn`. */
export interface SessionToken extends Position {
  readonly shard: number;
}

export function formatToken({ shard, term, lsn }: SessionToken): string {
  return `${shard}:${term}:${lsn}`;
}

/** Tokens of several shards, as REPL AFTER takes them, with commas between; null when one is none. */
export function parseTokens(text: string): SessionToken[] | null {
  const tokens = text.split(',').map(parseToken);
  return tokens.every((token) => token !== null) ? tokens : null;
}

function parseToken(text: string): SessionToken | null {
  const match = /^(\d{1,6}):(\d{1,15}):(\d{1,15})$/.exec(text);
  if (match === null) return null;
  return { shard: Number(match[1]), term: Number(match[2]), lsn: Number(match[3]) };
}
