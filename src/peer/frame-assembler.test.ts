import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import { encodeMessage } from './codec.ts';
import { frameHeaderBytes } from './frame.ts';
import { FrameAssembler } from './frame-assembler.ts';
import { numbered, pieceOf } from './peer-test-kit.ts';

function frameOf(bytes: number): Buffer {
  const { header, parts } = encodeMessage(1, bytes === 0 ? numbered(1) : pieceOf(bytes));
  return Buffer.concat([header, ...parts]);
}

function collect(assembler: FrameAssembler, chunk: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  assembler.push(chunk);
  for (let frame = assembler.next(); frame !== null; frame = assembler.next()) frames.push(frame);
  return frames;
}

test('frames come out as they went in, wherever the stream was cut', () => {
  const sizes = fc.array(fc.oneof(fc.constant(0), fc.nat(40), fc.nat(3000)), { maxLength: 12 });
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2000 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(sizes, cuts, (bytes, lengths) => {
      const sent = bytes.map(frameOf);
      const stream = Buffer.concat(sent);
      const assembler = new FrameAssembler(1 << 20);
      const received: Buffer[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const length = lengths[i % lengths.length] as number;
        received.push(...collect(assembler, Buffer.from(stream.subarray(at, at + length))));
        at += length;
      }
      expect(received.map((frame) => frame.toString('hex'))).toEqual(
        sent.map((frame) => frame.toString('hex')),
      );
    }),
  );
});

test('frames that arrive together are views of what arrived', () => {
  const chunk = Buffer.concat([frameOf(1000), frameOf(1000)]);
  for (const frame of collect(new FrameAssembler(1 << 20), chunk)) expect(frame.buffer).toBe(chunk.buffer);
});

test('a small frame before most of a large one does not keep the large one alive', () => {
  const small = frameOf(100);
  const chunk = Buffer.concat([small, frameOf(1_000_000).subarray(0, 600_000)]);
  const [first] = collect(new FrameAssembler(1 << 20), chunk);
  expect(first).toEqual(small);
  // Small copies come from a pool of Node's, 8 KiB in version 20 and 64 KiB in 24.
  expect((first as Buffer).buffer.byteLength).toBeLessThan(100_000);
});

test('pitfall 09: an impossible length is refused before anything is allocated for it', () => {
  for (const length of [0, frameHeaderBytes - 1, 4097, 0xffff_ffff]) {
    for (const cut of [8, 3]) {
      const head = Buffer.alloc(8);
      head.writeUInt32LE(length, 4);
      const assembler = new FrameAssembler(4096);
      expect(() => {
        collect(assembler, head.subarray(0, cut));
        collect(assembler, head.subarray(cut));
      }).toThrow(MalformedBytes);
    }
  }
});
