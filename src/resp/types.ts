import type { Bytes } from '../bytes/types.ts';

/** Where a command writes its one reply. Protocol differences (RESP2, RESP3) are this interface's business. */
export interface ReplyWriter {
  /** 2 or 3. */
  readonly protocol: 2 | 3;
  ok(): void;
  /** A simple string such as `QUEUED`; must hold no CR or LF. */
  simple(text: string): void;
  /** An error line, with its code first: `ERR syntax error`. CR and LF at its end are dropped, others replaced by spaces. */
  error(line: string): void;
  integer(value: number | bigint): void;
  bulk(value: Bytes): void;
  /** A byte string of so many bytes that comes in pieces. */
  bulkPieces(length: number, pieces: Iterable<Uint8Array>): void;
  /** A text that may hold any Unicode, as UTF-8 bulk string. */
  text(value: string): void;
  /** The null of the protocol: `$-1` or `_`. */
  nil(): void;
  /** The null array: `*-1` or `_`. */
  nilArray(): void;
  /** Begins an array of so many replies. */
  array(count: number): void;
  /** Begins a map of so many pairs; a flat array in RESP2. */
  map(pairs: number): void;
  /** Begins a set; an array in RESP2. */
  set(count: number): void;
  /** Begins an out-of-band push; an array in RESP2. */
  push(count: number): void;
  /** A double; a bulk string in RESP2. `text` is its decimal form as Redis prints it. */
  double(text: string): void;
  /** `#t`/`#f`; 1/0 in RESP2. */
  boolean(value: boolean): void;
  /** A big text for people; a bulk string in RESP2. */
  verbatim(value: string): void;
}
