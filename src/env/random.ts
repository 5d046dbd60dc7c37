/** Randomness, handed in so that a run can be repeated. */
export interface Random {
  /** A float in [0, 1). */
  float(): number;
  /** An integer in [0, bound), bound at least 1. */
  below(bound: number): number;
}
