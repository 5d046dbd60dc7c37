import type { StringValue } from './entry.ts';
import { chunkBytes, LongString, plainStringBytes } from './long-string.ts';

/** In the order of their numbers in the log. */
export const bitOperations = ['and', 'or', 'xor', 'not'] as const;
export type BitOperation = (typeof bitOperations)[number];

const nothing = Buffer.alloc(0);

/** Strings combined bit by bit, each as if zeros followed to the length of the longest. `not` takes one string. */
export function combineStrings(operation: BitOperation, sources: readonly StringValue[]): StringValue {
  const length = sources.reduce((most, source) => Math.max(most, source.length), 0);
  if (length <= plainStringBytes) {
    const blocks = sources.map((source) => plainBlock(source as string, 0, length));
    const out = Buffer.alloc(length);
    combineBlocks(operation, out, blocks);
    return out.latin1Slice(0, length);
  }
  const result = new LongString(length);
  for (let index = 0; index < result.chunks; index++) {
    const blocks = sources.map((source) => blockOf(source, index));
    // What stays zero takes no memory.
    const blank =
      operation === 'and'
        ? blocks.includes(nothing)
        : operation !== 'not' && blocks.every((block) => block === nothing);
    if (!blank) combineBlocks(operation, result.own(index), blocks);
  }
  if (operation === 'not') result.own(result.chunks - 1).fill(0, length - (result.chunks - 1) * chunkBytes);
  return result;
}

/** The bytes of a source that meet one chunk of the result; `nothing` when they are known to be zeros. */
function blockOf(source: StringValue, index: number): Buffer {
  if (typeof source === 'string') return plainBlock(source, index * chunkBytes, chunkBytes);
  return index >= source.chunks || source.isBlank(index) ? nothing : source.chunk(index);
}

function plainBlock(source: string, from: number, length: number): Buffer {
  if (from >= source.length) return nothing;
  const part = source.slice(from, from + length);
  const block = Buffer.alloc(part.length);
  block.latin1Write(part, 0);
  return block;
}

/** @param out zeros, no shorter than any block */
function combineBlocks(operation: BitOperation, out: Buffer, blocks: readonly Buffer[]): void {
  out.set(blocks[0] as Buffer);
  if (operation === 'not') for (let i = 0; i < out.length; i++) out[i] = ~(out[i] as number);
  for (let i = 1; i < blocks.length; i++) {
    const block = blocks[i] as Buffer;
    combineTwo(operation, out, block);
    if (operation === 'and') out.fill(0, block.length);
  }
}

function combineTwo(operation: BitOperation, out: Buffer, block: Buffer): void {
  const left = wordsOf(out);
  const right = wordsOf(block);
  for (let i = 0; i < right.length; i++)
    left[i] = combineNumbers(operation, left[i] as number, right[i] as number);
  for (let i = right.length * 4; i < block.length; i++)
    out[i] = combineNumbers(operation, out[i] as number, block[i] as number);
}

function combineNumbers(operation: BitOperation, left: number, right: number): number {
  return operation === 'and' ? left & right : operation === 'or' ? left | right : left ^ right;
}

/** The buffers here were allocated one by one, so their words are aligned. */
function wordsOf(buffer: Buffer): Uint32Array {
  return new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.length >>> 2);
}
