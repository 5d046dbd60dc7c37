/** What of WebAssembly is used here: its types come with those of browsers, which nothing else wants. */
declare namespace WebAssembly {
  /** Memory in pages of 64 KiB. Throws RangeError when there is none left. */
  class Memory {
    constructor(pages: { initial: number; maximum: number });
    readonly buffer: ArrayBuffer;
  }
}
