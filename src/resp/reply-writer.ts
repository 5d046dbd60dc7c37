import type { ByteWriter } from '../bytes/byte-writer.ts';
import type { Bytes } from '../bytes/types.ts';
import type { ReplyWriter } from './types.ts';

const ok = '+OK\r\n';

/** Writes replies of either protocol into a byte writer that many sessions share, one command after the other. */
export class RespWriter implements ReplyWriter {
  readonly out: ByteWriter;
  protocol: 2 | 3 = 2;

  constructor(out: ByteWriter) {
    this.out = out;
  }

  ok(): void {
    this.out.raw(ok);
  }

  simple(text: string): void {
    this.#line('+', text);
  }

  error(line: string): void {
    this.#line('-', line.replace(/[\r\n]+$/, '').replace(/[\r\n]/g, ' '));
  }

  integer(value: number | bigint): void {
    this.#line(':', String(value));
  }

  bulk(value: Bytes): void {
    const { out } = this;
    const length = value.length;
    out.reserve(length + 16);
    this.#header(36, length);
    out.raw(value);
    out.raw('\r\n');
  }

  /** A type byte, a count and the end of the line; there is room. */
  #header(type: number, count: number): void {
    const { out } = this;
    const { buffer } = out;
    if (count > 999) {
      buffer[out.offset++] = type;
      out.raw(String(count));
      out.raw('\r\n');
      return;
    }
    let at = out.offset;
    buffer[at++] = type;
    if (count > 99) buffer[at++] = 48 + Math.floor(count / 100);
    if (count > 9) buffer[at++] = 48 + (Math.floor(count / 10) % 10);
    buffer[at++] = 48 + (count % 10);
    buffer[at++] = 13;
    buffer[at++] = 10;
    out.offset = at;
  }

  bulkPieces(length: number, pieces: Iterable<Uint8Array>): void {
    const { out } = this;
    out.reserve(length + 16);
    this.#line('$', String(length));
    for (const piece of pieces) out.copy(piece);
    out.raw('\r\n');
  }

  text(value: string): void {
    this.bulk(Buffer.from(value, 'utf8').latin1Slice());
  }

  nil(): void {
    this.out.raw(this.protocol === 3 ? '_\r\n' : '$-1\r\n');
  }

  nilArray(): void {
    this.out.raw(this.protocol === 3 ? '_\r\n' : '*-1\r\n');
  }

  array(count: number): void {
    this.#line('*', String(count));
  }

  map(pairs: number): void {
    if (this.protocol === 3) this.#line('%', String(pairs));
    else this.#line('*', String(pairs * 2));
  }

  set(count: number): void {
    this.#line(this.protocol === 3 ? '~' : '*', String(count));
  }

  push(count: number): void {
    this.#line(this.protocol === 3 ? '>' : '*', String(count));
  }

  double(text: string): void {
    if (this.protocol === 3) this.#line(',', text);
    else this.bulk(text);
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.out.raw(value ? '#t\r\n' : '#f\r\n');
    else this.integer(value ? 1 : 0);
  }

  verbatim(value: string): void {
    if (this.protocol === 3) {
      const bytes = `txt:${Buffer.from(value, 'utf8').latin1Slice()}`;
      this.#line('=', String(bytes.length));
      this.out.raw(bytes);
      this.out.raw('\r\n');
    } else {
      this.text(value);
    }
  }

  #line(type: string, text: string): void {
    const { out } = this;
    out.reserve(text.length + 3);
    out.raw(type);
    out.raw(text);
    out.raw('\r\n');
  }
}
