import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, MalformedBytes } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { Digest } from './digest.ts';
import { decodePiece } from './entry-codec.ts';
import { Keyspace } from './keyspace.ts';
import { chunkBytes, LongString, maxStringBytes, plainStringBytes } from './long-string.ts';

const bytes = fc.oneof(
  fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.nat(3 * chunkBytes))
    .map(([code, length]) => String.fromCharCode(code).repeat(length)),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }),
);
const step = fc.record({
  kind: fc.constantFrom('write', 'write', 'append', 'copy'),
  at: fc.nat(6 * chunkBytes),
  bytes,
});

function overwritten(text: string, at: number, part: string): string {
  const padded = text.padEnd(at, '\0');
  return padded.slice(0, at) + part + padded.slice(at + part.length);
}

describe('LongString', () => {
  it('behaves as a string does, and so do its copies', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.nat(), fc.nat(), (steps, a, b) => {
        const long = new LongString();
        let model = '';
        const copies: { copy: LongString; model: string }[] = [];
        for (const { kind, at, bytes: part } of steps) {
          if (kind === 'copy') copies.push({ copy: long.copy(), model });
          else {
            const offset = kind === 'append' ? model.length : at;
            long.write(offset, part);
            model = overwritten(model, offset, part);
          }
        }
        copies.push({ copy: long, model });
        for (const { copy, model: expected } of copies) {
          expect(copy.length).toBe(expected.length);
          expect(copy.slice(0, copy.length) === expected).toBe(true);
          const from = a % (expected.length + 1);
          const to = b % (expected.length + 1);
          expect(copy.slice(from, to) === expected.slice(from, to)).toBe(true);
          for (let i = a % 100; i < expected.length; i += 997)
            expect(copy.byteAt(i)).toBe(expected.charCodeAt(i));
          // Behind the end there are zeros, or what is written there later would be wrong.
          if (copy.chunks > 0) {
            const last = copy.chunk(copy.chunks - 1).subarray(copy.length - (copy.chunks - 1) * chunkBytes);
            expect(last.every((byte) => byte === 0)).toBe(true);
          }
        }
      }),
    );
  });

  it('takes no memory for what was never written, and finds what was', () => {
    const long = new LongString(maxStringBytes);
    long.write(maxStringBytes - 1, 'x');
    long.write(chunkBytes, '\0');
    expect([...long.written()].map(({ index }) => index)).toEqual([long.chunks - 1]);
    expect(long.isBlank(0)).toBe(true);
    expect(long.copy().byteAt(maxStringBytes - 1)).toBe(0x78);
  });
});

describe('a long string in the keyspace', () => {
  const long = `${'a'.repeat(plainStringBytes)}\0${'b'.repeat(chunkBytes)}`;

  it('has the same digest however it came to be, and takes the same memory', () => {
    const ways: ((keyspace: Keyspace) => void)[] = [
      (keyspace) => keyspace.putString('k', long, 0),
      (keyspace) => {
        for (let at = 0; at < long.length; at += 1000) keyspace.appendString('k', long.slice(at, at + 1000));
      },
      (keyspace) => {
        for (let at = long.length - 1; at >= 0; at -= 777)
          keyspace.setRange('k', Math.max(at - 776, 0), long.slice(Math.max(at - 776, 0), at + 1));
      },
      (keyspace) => {
        keyspace.putString('k', 'z'.repeat(long.length), 0);
        keyspace.copy('k', 'l');
        keyspace.setRange('k', 0, long);
        keyspace.remove('l');
      },
    ];
    const seen = ways.map((way) => {
      const keyspace = new Keyspace();
      way(keyspace);
      return [keyspace.digest(), keyspace.memoryBytes];
    });
    expect(new Set(seen.map(String)).size).toBe(1);
  });

  it('has a digest that every bit counts for, the length of nothing but zeros too', () => {
    const digests = new Set<string>();
    for (const text of [
      long,
      `${long}\0`,
      long.replace('\0', '\x01'),
      '\0'.repeat(100_000),
      '\0'.repeat(100_001),
      '\x01'.padStart(100_000, '\0'),
      '\x01'.padStart(100_000 - chunkBytes, '\0').padEnd(100_000, '\0'),
    ]) {
      const keyspace = new Keyspace();
      keyspace.putString('k', text, 0);
      digests.add(keyspace.digest());
    }
    expect(digests.size).toBe(7);
  });

  it('goes into a checkpoint in pieces, without its zeros', () => {
    const keyspace = new Keyspace();
    keyspace.setRange('k', maxStringBytes - 1, 'x');
    keyspace.setRange('k', 0, 'y'.repeat(10 * chunkBytes));
    const slices = keyspace.beginCheckpoint();
    const copy = new Keyspace();
    const loader = copy.restore();
    let count = 0;
    for (let slice = slices.next(chunkBytes); slice !== null; slice = slices.next(chunkBytes)) {
      expect(slice.length).toBeLessThan(3 * chunkBytes);
      loader.load(Buffer.from(slice));
      count += 1;
    }
    expect(count).toBeGreaterThan(8);
    expect(loader.finish(1)).toBe(slices.digest);
    expect(copy.digest()).toBe(keyspace.digest());
    expect(copy.memoryBytes).toBe(keyspace.memoryBytes);
  });

  it('is refused when its pieces make no sense', () => {
    const piece = (length: number, index: number, chunk: number): Buffer => {
      const out = new ByteWriter(1 << 20);
      out.u8(6);
      out.u64(0);
      out.bytes('k');
      out.u32(length);
      out.u32(1);
      out.u32(index);
      out.copy(new Uint8Array(chunk));
      return out.take();
    };
    const load = (...pieces: Buffer[]) => {
      let kept: LongString | null = null;
      for (const each of pieces)
        decodePiece(new ByteReader(each), new Digest(), (_key, _at, make) => {
          kept ??= make() as LongString;
          return kept;
        });
    };
    const length = 5 * chunkBytes - 1;
    expect(() => load(piece(length, 4, chunkBytes - 1))).not.toThrow();
    expect(() => load(piece(length, 5, chunkBytes))).toThrow(MalformedBytes);
    expect(() => load(piece(length, 4, 10))).toThrow(MalformedBytes);
    expect(() => load(piece(plainStringBytes, 0, chunkBytes))).toThrow(MalformedBytes);
    expect(() => load(piece(maxStringBytes + 1, 0, chunkBytes))).toThrow(MalformedBytes);
    expect(() => load(piece(length, 0, chunkBytes), piece(length + 1, 1, chunkBytes))).toThrow(
      MalformedBytes,
    );
  });
});
