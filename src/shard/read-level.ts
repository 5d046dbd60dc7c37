/**
 * What a reader asks of the state that it is shown; docs/guarantees.md says what each level promises.
 * `bound`: of `bounded` the oldest state in ms, of `bounded lsn` the least LSN; 0 else.
 */
export interface ReadLevel {
  readonly kind: 'linearizable' | 'strict' | 'local' | 'bounded' | 'bounded lsn' | 'session' | 'eventual';
  readonly bound: number;
}

export const linearizable: ReadLevel = { kind: 'linearizable', bound: 0 };

const plain = ['linearizable', 'strict', 'local', 'session', 'eventual'] as const;
const syntax = 'LINEARIZABLE, STRICT, LOCAL, BOUNDED ms, BOUNDED LSN lsn, SESSION or EVENTUAL';

/** Reads the words of `REPL READ`. A string is what is wrong with them. */
export function parseReadLevel(words: readonly string[]): ReadLevel | string {
  const [first = '', second, third] = words.map((word) => word.toLowerCase());
  const kind = plain.find((name) => name === first);
  if (kind !== undefined && words.length === 1) return { kind, bound: 0 };
  if (first === 'bounded') {
    const byLsn = second === 'lsn';
    const bound = byLsn ? third : second;
    if (words.length === (byLsn ? 3 : 2) && /^\d{1,15}$/.test(bound ?? ''))
      return { kind: byLsn ? 'bounded lsn' : 'bounded', bound: Number(bound) };
  }
  return `ERR '${words.join(' ')}' is no read level: use ${syntax}`;
}

/** In the words that `REPL READ` takes. */
export function formatReadLevel({ kind, bound }: ReadLevel): string {
  return kind === 'bounded' || kind === 'bounded lsn' ? `${kind} ${bound}` : kind;
}

/** True when followers serve reads of this level too. */
export function anyReplicaServes({ kind }: ReadLevel): boolean {
  return kind !== 'linearizable' && kind !== 'local';
}
