import type { NodeId, Term } from './types.ts';

/** One attempt to be elected. */
export class Campaign {
  readonly term: Term;
  /** Asking without effect first, or for real. */
  readonly preVote: boolean;
  readonly granted = new Set<NodeId>();
  /** When to try again, monotonic ms. */
  retryMs: number;
  /** When this candidate began to look for votes, monotonic ms; later attempts keep it. */
  readonly sinceMs: number;
  /** Whoever is elected by it keeps leadership from preferred nodes: an operator wanted this handover. */
  keep = false;

  constructor(term: Term, preVote: boolean, sinceMs: number, retryMs: number) {
    this.term = term;
    this.preVote = preVote;
    this.sinceMs = sinceMs;
    this.retryMs = retryMs;
  }
}
