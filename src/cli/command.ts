/** One command of the command line. */
export interface Command {
  readonly name: string;
  /** One line of `bellwether --help`. */
  readonly summary: string;
  /** What `bellwether <name> --help` prints. */
  help(): string;
  /** Runs it to its end. Resolves with the exit code; rejects with what went wrong. */
  run(argv: readonly string[]): Promise<number>;
}
