import { shortBytes, shortString } from '../bytes/short-string.ts';
import type { Bytes } from '../bytes/types.ts';

/** What a client may send at most. */
export interface RequestLimits {
  /** Longest argument in bytes. */
  readonly bulkBytes: number;
  /** All arguments of a request together, each counted with 8 bytes more. */
  readonly requestBytes: number;
  readonly argumentCount: number;
  /** Longest request line in bytes, and of a line that is not a command of the protocol. */
  readonly inlineBytes: number;
}

export const defaultRequestLimits: RequestLimits = {
  bulkBytes: 32 << 20,
  requestBytes: 64 << 20,
  argumentCount: 1 << 20,
  inlineBytes: 64 << 10,
};

/** Arguments of a request, and bytes of one argument, that are taken from a client before it has given the password. */
const strangerArguments = 10;
const strangerBulkBytes = 16384;

/** The client's bytes make no request. The message is the error line that Redis answers with, without the leading dash. */
export class ProtocolError extends Error {}

/** Most arguments of a request that is taken the quick way, and most bytes of one of them. */
const quickArguments = 3;
const quickBulkBytes = 9999;

const cr = 13;
const lf = 10;
const star = 42;
const zero = 48;
const dollar = 36;

/**
 * Splits a client's bytes into requests. Bytes that are not used up are kept; a request that arrives in pieces is not
 * looked at from its start again.
 */
export class RespParser {
  /** Set while the client has not proven who it is: only short requests are taken. */
  stranger = false;
  readonly #limits: RequestLimits;
  /** What the quick way takes is within the limits, whatever it is. */
  readonly #quick: boolean;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Pieces that arrived while a long argument is awaited; joined once it is complete. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  /** Arguments of the request under way, and how many it has; -1 between requests. */
  #args: Bytes[] = [];
  #wanted = -1;
  /** Length of the argument under way; -1 when its header was not read yet. */
  #bulk = -1;
  /** Bytes of the request under way, as far as it was announced. */
  #requestBytes = 0;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
    this.#quick =
      limits.bulkBytes >= quickBulkBytes && limits.requestBytes >= quickArguments * (quickBulkBytes + 8);
  }

  /** Bytes that were handed in and not used up. */
  get buffered(): number {
    return this.#buffer.length - this.#at + this.#pieceBytes;
  }

  push(chunk: Buffer): void {
    if (this.#at === this.#buffer.length && this.#pieceBytes === 0) {
      this.#buffer = chunk;
      this.#at = 0;
      return;
    }
    this.#pieces.push(chunk);
    this.#pieceBytes += chunk.length;
    const have = this.#buffer.length - this.#at + this.#pieceBytes;
    if (this.#bulk < 0 || have >= this.#bulk + 2) this.#join();
  }

  #join(): void {
    this.#buffer = Buffer.concat([this.#buffer.subarray(this.#at), ...this.#pieces]);
    this.#at = 0;
    this.#pieces = [];
    this.#pieceBytes = 0;
  }

  /** The next complete request, name first, or null. Throws `ProtocolError`; the connection is of no use afterwards. */
  next(): Bytes[] | null {
    for (;;) {
      if (this.#wanted < 0) {
        const quick = this.#quick ? this.#atOnce() : null;
        if (quick !== null) return quick;
        if (!this.#begin()) return null;
      }
      const args = this.#wanted < 0 ? this.#inline() : this.#arguments();
      if (args === null) return null;
      if (args.length > 0) return args;
    }
  }

  /** A short request that has arrived whole, as most do. Null when it is another: then nothing of it is used up. */
  #atOnce(): Bytes[] | null {
    const start = this.#at;
    if (start >= this.#buffer.length || this.#buffer[start] !== star) return null;
    const count = this.#quickNumber();
    if (count >= 1 && count <= quickArguments) {
      const first = this.#quickBulk();
      if (first !== null && count === 1) return [first];
      const second = first === null ? null : this.#quickBulk();
      if (first !== null && second !== null) {
        if (count === 2) return [first, second];
        const third = this.#quickBulk();
        if (third !== null) return [first, second, third];
      }
    }
    this.#at = start;
    return null;
  }

  /** An argument that has arrived whole; null when it needs a closer look. */
  #quickBulk(): Bytes | null {
    const buffer = this.#buffer;
    if (this.#at >= buffer.length || buffer[this.#at] !== dollar) return null;
    const length = this.#quickNumber();
    const start = this.#at;
    const end = start + length;
    if (length < 0 || end + 2 > buffer.length) return null;
    this.#at = end + 2;
    return length <= shortBytes ? shortString(buffer, start, length) : buffer.latin1Slice(start, end);
  }

  /** The number behind a type byte when it has one to four digits and stands there with its end; −1 when it does not. */
  #quickNumber(): number {
    const buffer = this.#buffer;
    let at = this.#at + 1;
    if (at + 6 > buffer.length) return -1;
    let value = (buffer[at] as number) - zero;
    // A leading zero is for the careful way.
    if (value < 1 || value > 9) return -1;
    for (const last = at + 4; at < last; ) {
      at += 1;
      const byte = buffer[at] as number;
      if (byte === cr) {
        if (buffer[at + 1] !== lf) return -1;
        this.#at = at + 2;
        return value;
      }
      if (byte < zero || byte > zero + 9) return -1;
      value = value * 10 + byte - zero;
    }
    return -1;
  }

  /** Reads the header of a request; false when there is not enough. Leaves `#wanted` below 0 for an inline request. */
  #begin(): boolean {
    if (this.#at >= this.#buffer.length) return false;
    if (this.#buffer[this.#at] !== star) return true;
    const count = this.#number('mbulk', 'invalid multibulk length');
    if (count === null) return false;
    if (count > this.#limits.argumentCount)
      throw new ProtocolError('ERR Protocol error: invalid multibulk length');
    if (this.stranger && count > strangerArguments)
      throw new ProtocolError('ERR Protocol error: unauthenticated multibulk length');
    this.#args = [];
    this.#requestBytes = 0;
    this.#wanted = Math.max(count, 0);
    return true;
  }

  #arguments(): Bytes[] | null {
    const args = this.#args;
    while (args.length < this.#wanted) {
      if (this.#bulk < 0 && !this.#bulkHeader()) return null;
      const buffer = this.#buffer;
      const start = this.#at;
      const end = start + this.#bulk;
      if (end + 2 > buffer.length) return null;
      args.push(
        this.#bulk <= shortBytes ? shortString(buffer, start, this.#bulk) : buffer.latin1Slice(start, end),
      );
      this.#at = end + 2;
      this.#bulk = -1;
    }
    this.#wanted = -1;
    return args;
  }

  #bulkHeader(): boolean {
    if (this.#at >= this.#buffer.length) return false;
    const type = this.#buffer[this.#at] as number;
    const wrongType = type === dollar ? null : `expected '$', got '${String.fromCharCode(type)}'`;
    // A wrong line is awaited like a right one before it is judged.
    const length = type === cr ? 0 : this.#number('bulk', wrongType ?? 'invalid bulk length');
    if (length === null) return false;
    if (wrongType !== null) throw new ProtocolError(`ERR Protocol error: ${wrongType}`);
    if (length < 0 || length > this.#limits.bulkBytes)
      throw new ProtocolError('ERR Protocol error: invalid bulk length');
    if (this.stranger && length > strangerBulkBytes)
      throw new ProtocolError('ERR Protocol error: unauthenticated bulk length');
    this.#requestBytes += length + 8;
    if (this.#requestBytes > this.#limits.requestBytes)
      throw new ProtocolError('ERR Protocol error: too big request');
    this.#bulk = length;
    return true;
  }

  /** The number behind a type byte, up to CR LF; null when the line is not complete. */
  #number(what: 'mbulk' | 'bulk', complaint: string): number | null {
    const buffer = this.#buffer;
    let at = this.#at + 1;
    let value = 0;
    const negative = buffer[at] === 45;
    if (negative) at += 1;
    const first = at;
    let valid = true;
    for (; at < buffer.length; at++) {
      const byte = buffer[at] as number;
      if (byte === cr) {
        if (at + 1 >= buffer.length) return null;
        const leadingZero = buffer[first] === zero && (negative || at - first > 1);
        if (!valid || leadingZero || at === first || buffer[at + 1] !== lf)
          throw new ProtocolError(`ERR Protocol error: ${complaint}`);
        this.#at = at + 2;
        return negative ? -value : value;
      }
      if (byte < 48 || byte > 57 || at - first > 15) valid = false;
      value = value * 10 + byte - 48;
    }
    if (at - this.#at > this.#limits.inlineBytes)
      throw new ProtocolError(`ERR Protocol error: too big ${what} count string`);
    return null;
  }

  /** A line of words, as typed into a terminal. */
  #inline(): Bytes[] | null {
    const end = this.#buffer.indexOf(lf, this.#at);
    if (end < 0 || end - this.#at > this.#limits.inlineBytes) {
      if (this.#buffer.length - this.#at > this.#limits.inlineBytes) {
        throw new ProtocolError('ERR Protocol error: too big inline request');
      }
      return null;
    }
    const line = this.#buffer.latin1Slice(this.#at, end).replace(/\r$/, '');
    this.#at = end + 1;
    const words = splitWords(line);
    if (words === null) throw new ProtocolError('ERR Protocol error: unbalanced quotes in request');
    return words;
  }
}

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** Splits at blanks; double quotes know escapes, single quotes only \'. Null when a quote is not closed or is followed by text. */
export function splitWords(line: string): Bytes[] | null {
  const words: Bytes[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && /\s/.test(line[at] as string)) at += 1;
    if (at >= line.length) return words;
    let word = '';
    while (at < line.length && !/\s/.test(line[at] as string)) {
      const char = line[at] as string;
      if (char !== '"' && char !== "'") {
        word += char;
        at += 1;
        continue;
      }
      const quoted = readQuoted(line, at);
      if (quoted === null) return null;
      word += quoted.text;
      at = quoted.end;
      if (at < line.length && !/\s/.test(line[at] as string)) return null;
    }
    words.push(word);
  }
}

function readQuoted(line: string, start: number): { text: string; end: number } | null {
  const quote = line[start] as string;
  let text = '';
  let at = start + 1;
  while (at < line.length) {
    const char = line[at] as string;
    if (char === quote) return { text, end: at + 1 };
    const escaped = line[at + 1];
    if (char === '\\' && escaped !== undefined && (quote === '"' || escaped === "'")) {
      const hex = quote === '"' ? /^x([0-9a-fA-F]{2})/.exec(line.slice(at + 1, at + 4)) : null;
      text +=
        hex !== null
          ? String.fromCharCode(Number.parseInt(hex[1] as string, 16))
          : (escapes[escaped] ?? escaped);
      at += hex !== null ? 4 : 2;
      continue;
    }
    text += char;
    at += 1;
  }
  return null;
}
