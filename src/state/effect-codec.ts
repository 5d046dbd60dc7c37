import { ByteReader, MalformedBytes } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import type { Bytes } from '../bytes/types.ts';
import type { EffectSink } from './effects.ts';

/** The bytes of effects in an entry: one byte says which, its fields follow. A number never changes its meaning. */
const opcode = {
  putString: 1,
  putStringExpiring: 2,
  appendString: 3,
  setRange: 4,
  remove: 5,
  setExpiry: 6,
  rename: 7,
  copy: 8,
  clear: 9,
} as const;

/** Writes effects as the payload of an entry. */
export class EffectEncoder implements EffectSink {
  readonly #out: ByteWriter;

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  putString(key: Bytes, value: Bytes, expiresAt: number): void {
    const out = this.#out;
    if (expiresAt === 0) {
      out.u8(opcode.putString);
    } else {
      out.u8(opcode.putStringExpiring);
      out.u64(expiresAt);
    }
    out.bytes(key);
    out.bytes(value);
  }

  appendString(key: Bytes, suffix: Bytes): void {
    this.#out.u8(opcode.appendString);
    this.#out.bytes(key);
    this.#out.bytes(suffix);
  }

  setRange(key: Bytes, offset: number, value: Bytes): void {
    this.#out.u8(opcode.setRange);
    this.#out.bytes(key);
    this.#out.u32(offset);
    this.#out.bytes(value);
  }

  remove(key: Bytes): void {
    this.#out.u8(opcode.remove);
    this.#out.bytes(key);
  }

  setExpiry(key: Bytes, expiresAt: number): void {
    this.#out.u8(opcode.setExpiry);
    this.#out.bytes(key);
    this.#out.u64(expiresAt);
  }

  rename(from: Bytes, to: Bytes): void {
    this.#out.u8(opcode.rename);
    this.#out.bytes(from);
    this.#out.bytes(to);
  }

  copy(from: Bytes, to: Bytes): void {
    this.#out.u8(opcode.copy);
    this.#out.bytes(from);
    this.#out.bytes(to);
  }

  clear(): void {
    this.#out.u8(opcode.clear);
  }
}

/** Reads the effects of one entry into a sink, in order. Throws `MalformedBytes` on anything that the encoder cannot write. */
export function decodeEffects(buffer: Buffer, start: number, end: number, sink: EffectSink): void {
  const reader = new ByteReader(buffer, start, end);
  while (reader.remaining > 0) decodeEffect(reader, sink);
}

function decodeEffect(reader: ByteReader, sink: EffectSink): void {
  const at = reader.offset;
  const code = reader.u8();
  switch (code) {
    case opcode.putString: {
      const key = reader.bytes();
      sink.putString(key, reader.bytes(), 0);
      return;
    }
    case opcode.putStringExpiring: {
      const expiresAt = reader.u64();
      const key = reader.bytes();
      sink.putString(key, reader.bytes(), expiresAt);
      return;
    }
    case opcode.appendString: {
      const key = reader.bytes();
      sink.appendString(key, reader.bytes());
      return;
    }
    case opcode.setRange: {
      const key = reader.bytes();
      const offset = reader.u32();
      sink.setRange(key, offset, reader.bytes());
      return;
    }
    case opcode.remove:
      sink.remove(reader.bytes());
      return;
    case opcode.setExpiry: {
      const key = reader.bytes();
      sink.setExpiry(key, reader.u64());
      return;
    }
    case opcode.rename: {
      const from = reader.bytes();
      sink.rename(from, reader.bytes());
      return;
    }
    case opcode.copy: {
      const from = reader.bytes();
      sink.copy(from, reader.bytes());
      return;
    }
    case opcode.clear:
      sink.clear();
      return;
    default:
      throw new MalformedBytes(`effect ${code} is unknown`, at);
  }
}
