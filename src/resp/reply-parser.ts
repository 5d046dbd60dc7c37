import { MalformedBytes } from '../bytes/byte-reader.ts';
import type { Bytes } from '../bytes/types.ts';

/** An error reply. */
export class ReplyError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Maps and sets come as arrays, booleans as 0 and 1, doubles as text. */
export type Reply = Bytes | number | null | ReplyError | Reply[];

/** No reply of ours goes deeper; one that did would end the reader's stack. */
const deepest = 100;

/** Reads replies, for clients of our own. */
export class ReplyParser {
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Bytes that were handed in and belong to no complete reply so far. */
  get buffered(): number {
    return this.#buffer.length - this.#at;
  }

  push(chunk: Buffer): void {
    if (this.#at === this.#buffer.length) this.#buffer = chunk;
    else this.#buffer = Buffer.concat([this.#buffer.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /** The next complete reply, or undefined. Throws `MalformedBytes` on what is no reply. */
  next(): Reply | undefined {
    const start = this.#at;
    const reply = this.#reply();
    if (reply === undefined) this.#at = start;
    return reply;
  }

  #line(): string | undefined {
    const end = this.#buffer.indexOf('\r\n', this.#at, 'latin1');
    if (end < 0) return undefined;
    const line = this.#buffer.latin1Slice(this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #reply(depth = 0): Reply | undefined {
    const at = this.#at;
    if (depth > deepest) throw new MalformedBytes('a reply that is nested too deep', at);
    const line = this.#line();
    if (line === undefined) return undefined;
    const rest = line.slice(1);
    switch (line[0]) {
      case '+':
      case ',':
      case '(':
        return rest;
      case '-':
        return new ReplyError(rest);
      case ':':
        return Number(rest);
      case '_':
        return null;
      case '#':
        return rest === 't' ? 1 : 0;
      case '$':
      case '=':
        return this.#bulk(lengthIn(rest, at), line[0] === '=');
      case '*':
      case '~':
      case '>':
        return this.#array(lengthIn(rest, at), depth);
      case '%':
        return this.#array(lengthIn(rest, at) * 2, depth);
      default:
        throw new MalformedBytes(`no reply begins with ${JSON.stringify(line.slice(0, 20))}`, this.#at);
    }
  }

  #bulk(length: number, verbatim: boolean): Reply | undefined {
    if (length < 0) return null;
    if (verbatim && length < 4) throw new MalformedBytes('a text without its format', this.#at);
    const end = this.#at + length;
    if (end + 2 > this.#buffer.length) return undefined;
    const value = this.#buffer.latin1Slice(this.#at + (verbatim ? 4 : 0), end);
    this.#at = end + 2;
    return value;
  }

  #array(count: number, depth: number): Reply | undefined {
    if (count < 0) return null;
    const items: Reply[] = [];
    for (let i = 0; i < count; i++) {
      const item = this.#reply(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }
}

function lengthIn(text: string, at: number): number {
  if (!/^(-1|\d{1,10})$/.test(text))
    throw new MalformedBytes(`${JSON.stringify(text.slice(0, 20))} is no length`, at);
  return Number(text);
}

/** A request in the protocol's form. */
export function encodeRequest(args: readonly (Bytes | number)[]): Buffer {
  let text = `*${args.length}\r\n`;
  for (const arg of args) text += `$${String(arg).length}\r\n${arg}\r\n`;
  return Buffer.from(text, 'latin1');
}
