import type { FaultKind } from './fault-plan.ts';

/** Counts the faults that changed something: one that finds nothing to disturb tests nothing. */
export class FaultEffects {
  readonly byKind = new Map<FaultKind, number>();
  total = 0;

  /** To be called when a fault of this kind changes something; further calls of the same one count no more. */
  watch(kind: FaultKind): () => void {
    let happened = false;
    return () => {
      if (happened) return;
      happened = true;
      this.total += 1;
      this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + 1);
    };
  }
}
