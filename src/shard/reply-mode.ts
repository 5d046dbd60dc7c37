/** CLIENT REPLY of one connection: which replies are not sent at all. */
export class ReplyMode {
  #off = false;
  /** SKIP came: the next command's reply is not sent. */
  #skipNext = false;
  #skipping = false;

  /** A command begins. */
  begin(): void {
    this.#skipping = this.#skipNext;
    this.#skipNext = false;
  }

  /** True when the current command's reply is not sent. */
  get silent(): boolean {
    return this.#off || this.#skipping;
  }

  set(mode: 'on' | 'off' | 'skip'): void {
    if (mode === 'skip') {
      this.#skipNext = !this.#off;
      return;
    }
    this.#off = mode === 'off';
    this.#skipping = false;
  }

  reset(): void {
    this.#off = false;
    this.#skipping = false;
  }
}
