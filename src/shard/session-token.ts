import type { Position } from '../core/types.ts';

/** A place in the history of one shard, as clients carry it from node to node: `shard:term:lsn`. */
export interface SessionToken extends Position {
  readonly shard: number;
}

function formatToken({ shard, term, lsn }: SessionToken): string {
  return `${shard}:${term}:${lsn}`;
}

/** What a connection saw, in all shards. */
export interface SessionPlaces {
  readonly tokens: readonly SessionToken[];
  /** The epoch of the metadata that it went by, where slots have moved: an older one may look for keys in the wrong shard. 0: any. */
  readonly epoch: number;
}

/** As REPL AFTER takes them, with commas between: `shard:term:lsn,shard:term:lsn,@epoch`. */
export function formatPlaces({ tokens, epoch }: SessionPlaces): string {
  return [...tokens.map(formatToken), ...(epoch > 0 ? [`@${epoch}`] : [])].join(',');
}

/** Null when a part is none. */
export function parsePlaces(text: string): SessionPlaces | null {
  const epoch = /,@(\d{1,15})$/.exec(text);
  const tokens = (epoch === null ? text : text.slice(0, epoch.index)).split(',').map(parseToken);
  return tokens.every((token) => token !== null) ? { tokens, epoch: Number(epoch?.[1] ?? 0) } : null;
}

function parseToken(text: string): SessionToken | null {
  const match = /^(\d{1,6}):(\d{1,15}):(\d{1,15})$/.exec(text);
  if (match === null) return null;
  return { shard: Number(match[1]), term: Number(match[2]), lsn: Number(match[3]) };
}
