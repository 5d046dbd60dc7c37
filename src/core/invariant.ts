/** A statement that safety rests on does not hold: the process must end rather than go on. */
export class InvariantViolation extends Error {
  constructor(statement: string) {
    super(`invariant violated: ${statement}`);
    this.name = 'InvariantViolation';
  }
}

export function invariant(holds: boolean, statement: string): asserts holds {
  if (!holds) throw new InvariantViolation(statement);
}
