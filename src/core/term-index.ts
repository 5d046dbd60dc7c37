import { invariant } from './invariant.ts';
import type { Lsn, Position, Term } from './types.ts';

/** What is known of an entry whose term and LSN a leader gave out. */
export type Standing = 'held' | 'awaited' | 'lost' | 'unknown';

/** Runs that are remembered beyond the log's beginning; there is one for each election. */
const maxOlderRuns = 4096;

/**
 * Which term each entry of the log has, without the entries: terms never fall along a log, so a list of runs says it
 * all. `base` is the entry before the first one held (where the log was compacted, or a snapshot ended).
 */
export class TermIndex {
  #base: Position;
  #last: Lsn;
  /** First LSN of each run and the run's term, ascending. */
  readonly #runs: { lsn: Lsn; term: Term }[] = [];
  /** Runs that began at or below the base, as far as this index has seen them. */
  readonly #older: Position[] = [];
  /** From here on the term of every entry is known, held or not. */
  #knownFrom: Lsn;

  constructor(base: Position, runs: readonly Position[], last: Lsn) {
    this.#base = base;
    this.#knownFrom = base.lsn;
    this.#last = last;
    for (const run of runs) this.#runs.push({ lsn: run.lsn, term: run.term });
    invariant(last >= base.lsn, 'a log ends at or after its base');
  }

  get base(): Position {
    return this.#base;
  }

  get lastLsn(): Lsn {
    return this.#last;
  }

  get last(): Position {
    return { term: this.#lastTerm(), lsn: this.#last };
  }

  #lastTerm(): Term {
    const run = this.#runs[this.#runs.length - 1];
    return run === undefined ? this.#base.term : run.term;
  }

  /** The term of an entry from `base` to the last one. Asking for another is an error, never an answer of 0. */
  termAt(lsn: Lsn): Term {
    // Asked too often to write a sentence each time.
    if (lsn < this.#base.lsn || lsn > this.#last)
      invariant(false, `LSN ${lsn} is within ${this.#base.lsn}..${this.#last}`);
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i] as Position;
      if (run.lsn <= lsn) return run.term;
    }
    return this.#base.term;
  }

  /**
   * Whether the entry at a position that some leader gave out belongs to this history, also where the log was compacted:
   * `awaited` when it may still come, `unknown` where nobody here remembers.
   */
  standing({ term, lsn }: Position): Standing {
    if (lsn > this.#last) return term < this.#lastTerm() ? 'lost' : 'awaited';
    if (lsn >= this.#knownFrom) return this.#rememberedTerm(lsn) === term ? 'held' : 'lost';
    // Terms never fall along a log, and a leader's log has every entry of its own term.
    const floor = this.#rememberedTerm(this.#knownFrom);
    if (term === floor) return 'held';
    return term > floor ? 'lost' : 'unknown';
  }

  /** The runs that reach to `lsn` or below, oldest first; the first one begins where this index begins to know. */
  runsThrough(lsn: Lsn): Position[] {
    const older = this.#older.length === 0 ? [this.#base] : this.#older;
    const runs = [...older, ...this.#runs].filter((run) => run.lsn <= lsn);
    // A run that the base cuts in two is one.
    const whole = runs.filter((run, i) => run.term !== runs[i - 1]?.term).slice(-maxOlderRuns);
    // Compaction moves the beginning of a run; what was told stays as it is.
    return whole.map(({ term, lsn }) => ({ term, lsn }));
  }

  /** Takes over what another index that holds the base too knew of what is before it (`runsThrough`). */
  learn(runs: readonly Position[]): void {
    const older = runs.filter((run) => run.lsn <= this.#base.lsn);
    const [first] = older;
    if (first === undefined || first.lsn >= this.#knownFrom) return;
    invariant(older.at(-1)?.term === this.#base.term, `what was learnt holds LSN ${this.#base.lsn} too`);
    this.#older.splice(0, this.#older.length, ...older);
    this.#knownFrom = first.lsn;
  }

  #rememberedTerm(lsn: Lsn): Term {
    if (lsn >= this.#base.lsn) return this.termAt(lsn);
    for (let i = this.#older.length - 1; i >= 0; i--) {
      const run = this.#older[i] as Position;
      if (run.lsn <= lsn) return run.term;
    }
    throw new Error(`the term of LSN ${lsn} is not remembered`);
  }

  /** True when the log holds exactly this entry (or has it as its base). */
  holds(position: Position): boolean {
    return (
      position.lsn >= this.#base.lsn &&
      position.lsn <= this.#last &&
      this.termAt(position.lsn) === position.term
    );
  }

  /** First LSN above `base` whose term is the one of `lsn`; `lsn` must be above `base`. */
  runStart(lsn: Lsn): Lsn {
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i] as Position;
      if (run.lsn <= lsn) return run.lsn;
    }
    return this.#base.lsn + 1;
  }

  append(term: Term, firstLsn: Lsn, lastLsn: Lsn): void {
    invariant(
      firstLsn === this.#last + 1 && lastLsn >= firstLsn,
      `entries ${firstLsn}..${lastLsn} follow ${this.#last}`,
    );
    const lastTerm = this.#lastTerm();
    invariant(term >= lastTerm, `term ${term} does not fall behind ${lastTerm}`);
    if (term > lastTerm || this.#runs.length === 0) this.#runs.push({ lsn: firstLsn, term });
    this.#last = lastLsn;
  }

  /** Makes `lsn` the last entry. */
  cutAfter(lsn: Lsn): void {
    invariant(lsn >= this.#base.lsn, `the cut at ${lsn} is not below the base ${this.#base.lsn}`);
    while (this.#runs.length > 0 && (this.#runs[this.#runs.length - 1] as Position).lsn > lsn)
      this.#runs.pop();
    this.#last = Math.min(this.#last, lsn);
  }

  /** Moves the base up to an entry that is held. */
  compactTo(lsn: Lsn): void {
    if (lsn <= this.#base.lsn) return;
    if (this.#older.length === 0) this.#older.push(this.#base);
    this.#base = { term: this.termAt(lsn), lsn };
    while (this.#runs.length > 0) {
      const second = this.#runs[1];
      const runEnd = second === undefined ? this.#last : second.lsn - 1;
      const first = this.#runs[0] as { lsn: Lsn; term: Term };
      if (first.lsn <= lsn) this.#remember(first);
      if (runEnd <= lsn) {
        this.#runs.shift();
      } else {
        if (first.lsn <= lsn) first.lsn = lsn + 1;
        break;
      }
    }
  }

  #remember({ lsn, term }: Position): void {
    if (this.#older[this.#older.length - 1]?.term === term) return;
    this.#older.push({ lsn, term });
    if (this.#older.length <= maxOlderRuns) return;
    this.#older.shift();
    this.#knownFrom = (this.#older[0] as Position).lsn;
  }

  /** The log becomes empty and begins after `position`. */
  resetTo(position: Position): void {
    this.#base = position;
    this.#last = position.lsn;
    this.#runs.length = 0;
    this.#older.length = 0;
    this.#knownFrom = position.lsn;
  }

  /**
   * The last entry at or below `hint.lsn` whose term is at most `hint.term`: the best guess at where a log that has
   * `hint` may agree with this one. Never below `base`.
   */
  agreementWith(hint: Position): Position {
    let lsn = Math.max(Math.min(hint.lsn, this.#last), this.#base.lsn);
    while (lsn > this.#base.lsn && this.termAt(lsn) > hint.term) lsn = this.runStart(lsn) - 1;
    return { term: this.termAt(lsn), lsn };
  }
}
