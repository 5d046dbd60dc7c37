/** Lines at the end of the output that are drawn over each other on a terminal; elsewhere only what changes is printed. */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  #drawn = 0;
  #last = '';

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** Prints lines for good, above the live ones. */
  print(text: string): void {
    this.#erase();
    this.#out.write(`${text}\n`);
    this.#last = '';
  }

  /**
   * @param lines what a terminal shows
   * @param summary printed instead elsewhere, when it changed; empty for nothing
   */
  live(lines: readonly string[], summary: string): void {
    if (!this.#out.isTTY) {
      if (summary !== this.#last && summary !== '') this.#out.write(`${summary}\n`);
      this.#last = summary;
      return;
    }
    // A terminal that does not know its width says 0.
    const width = Math.max((this.#out.columns || 80) - 1, 20);
    this.#erase();
    this.#out.write(lines.map((line) => `${line.slice(0, width)}\n`).join(''));
    this.#drawn = lines.length;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\x1b[0J`);
    this.#drawn = 0;
  }
}
