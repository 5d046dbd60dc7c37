/** What happened in a run: lines for people, and a fingerprint of every event for comparing runs. */
export class Trace {
  readonly lines: string[] = [];
  readonly #now: () => number;
  #a = 0x811c9dc5;
  #b = 0x9e3779b9;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A line of the timeline. */
  say(who: string, text: string): void {
    const at = this.#now().toFixed(2).padStart(9);
    this.lines.push(`${at}  ${who.padEnd(8)} ${text}`);
    this.mix(text);
  }

  /** Something that only the fingerprint shows. */
  mix(text: string): void {
    let a = this.#a ^ Math.floor(this.#now() * 1000);
    let b = this.#b;
    for (let i = 0; i < text.length; i++) {
      a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
      b = Math.imul(((b << 5) | (b >>> 27)) ^ a, 0x85ebca6b);
    }
    this.#a = a;
    this.#b = b;
  }

  /** 16 hexadecimal characters. */
  get hash(): string {
    return [this.#a, this.#b].map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
