/** Something that is asked about Bellwether alone, or beside a limit of the machine. */
export interface Question {
  /** What `--only` names. */
  readonly name: string;
  readonly title: string;
  run(context: QuestionContext): Promise<Answer>;
}

export interface QuestionContext {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp: number;
  /** Where data directories are made. */
  readonly data: string;
  /** Says how far it is. */
  tell(line: string): void;
}

export interface Answer {
  /** In Markdown. */
  readonly lines: readonly string[];
  /** The same for machines. */
  readonly figures: unknown;
}
