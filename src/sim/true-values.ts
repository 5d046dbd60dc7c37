import type { Batch } from '../log/batch.ts';
import { entryKind } from '../log/batch.ts';
import type { Entry, Value } from '../state/entry.ts';
import { Keyspace } from '../state/keyspace.ts';
import { halvesOf } from './client-commands.ts';
import type { Operation } from './history.ts';
import { KeyVersions } from './key-versions.ts';

/**
 * What the shard's state was after each committed entry: one history that no replica may contradict. Entries are seen
 * when a leader hands them to its log, and count from the moment at which somebody knows that they are committed.
 */
export class TrueValues {
  readonly versions = new KeyVersions();
  readonly #keys: readonly string[];
  readonly #keyspace = new Keyspace();
  readonly #look: (state: Keyspace) => string | null;
  /** Batches that no leader has committed yet, by where each of their entries stands. */
  readonly #waiting = new Map<string, Batch>();

  /** @param look hears of the state after each committed entry that changed it, and answers what is wrong with it */
  constructor(keys: readonly string[], look: (state: Keyspace) => string | null = () => null) {
    this.#keys = keys;
    this.#look = look;
  }

  /** Somebody's log takes a batch. */
  appended(batch: Batch): void {
    const { lastLsn } = this.versions;
    for (let lsn = Math.max(batch.firstLsn, lastLsn + 1); lsn <= batch.lastLsn; lsn++) {
      const place = `${batch.term}:${lsn}`;
      if (this.#waiting.has(place)) return;
      this.#waiting.set(place, batch);
    }
  }

  /** An entry is committed; answers what is wrong, null when nothing is. */
  committed(lsn: number, term: number, nowMs: number): string | null {
    const { versions } = this;
    if (lsn <= versions.lastLsn) return null;
    if (lsn > versions.lastLsn + 1)
      return `LSN ${lsn} is committed, and nobody saw LSN ${versions.lastLsn + 1} become so`;
    const place = `${term}:${lsn}`;
    const batch = this.#waiting.get(place);
    if (batch === undefined) return `LSN ${lsn} of term ${term} is committed, and no log took it`;
    this.#waiting.delete(place);
    versions.committed(lsn, term, nowMs);
    for (const entry of batch.entries()) {
      if (entry.lsn !== lsn || entry.kind !== entryKind.effects) continue;
      const there = this.#keys.map((key) => this.#entries(key).map((half) => half !== undefined));
      this.#keyspace.applyEntry(batch.bytes, entry.start, entry.end, lsn);
      for (const [i, key] of this.#keys.entries()) this.#note(key, there[i] as boolean[], lsn);
      return this.#look(this.#keyspace);
    }
    return null;
  }

  #entries(key: string): (Entry | undefined)[] {
    return halvesOf(key).map((half) => this.#keyspace.peek(half));
  }

  #note(key: string, there: readonly boolean[], lsn: number): void {
    const entries = this.#entries(key);
    const changed = entries.some((entry, i) => entry?.lsn === lsn || (entry !== undefined) !== there[i]);
    if (!changed) return;
    const [first = null, second = first] = entries.map((entry) =>
      entry === undefined ? null : textOf(entry.value),
    );
    const value = first === second ? first : `two halves: ${first} and ${second}`;
    this.versions.changed(
      key,
      value,
      entries.some((entry) => entry !== undefined && entry.expiresAt !== 0),
    );
  }
}

/** A value as clients' results have it. */
function textOf(value: Value): Operation['result'] {
  if (typeof value === 'string') return value;
  switch (value.type) {
    case 'string':
      return value.slice(0, value.length);
    case 'list':
      return [...value.items.from()].join(',');
    case 'set':
      return [...value.members.keys()].sort().join(',');
    case 'hash':
      return [...value.fields.entries()]
        .map(([field, text]) => `${field}:${text}`)
        .sort()
        .join(',');
    case 'zset':
      return [...value.order.from()]
        .map(({ member, score }) => `${member}:${score}`)
        .sort()
        .join(',');
  }
}
