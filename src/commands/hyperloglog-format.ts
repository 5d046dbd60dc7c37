import type { Bytes } from '../bytes/types.ts';

/**
 * HyperLogLog as Redis keeps it in a string: 16 bytes of header (`HYLL`, encoding, three zeros, the last count with its
 * top bit set when it is outdated), then 16,384 registers: dense, of 6 bits each, or sparse, as runs. The estimate is
 * that of Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (arXiv:1702.01284).
 */
export const registerCount = 16_384;
const headerBytes = 16;
const denseBytes = headerBytes + (registerCount * 6) / 8;
/** The highest value that the sparse form can hold. */
const sparseValue = 32;
/** Bits of a hash that are looked at behind those that choose the register. */
const hashBits = 50;
const outdated = 0x80;
/** 0.5 / ln 2. */
const alpha = 0.7213475204444817;

export type Registers = Uint8Array;

export function isHyperLogLog(text: Bytes): boolean {
  if (text.length < headerBytes || !text.startsWith('HYLL')) return false;
  return text[4] === '\x01' || isDense(text);
}

export function isDense(text: Bytes): boolean {
  return text[4] === '\0' && text.length === denseBytes;
}

/** The registers; null when the runs of a sparse form do not make so many. */
export function registersOf(text: Bytes): Registers | null {
  const registers = new Uint8Array(registerCount);
  if (isDense(text)) {
    const bytes = Buffer.from(text, 'latin1');
    // Three bytes are four registers.
    for (let i = 0, at = headerBytes; i < registerCount; i += 4, at += 3) {
      const first = bytes[at] as number;
      const second = bytes[at + 1] as number;
      const third = bytes[at + 2] as number;
      registers[i] = first & 63;
      registers[i + 1] = (first >> 6) | ((second & 15) << 2);
      registers[i + 2] = (second >> 4) | ((third & 3) << 4);
      registers[i + 3] = third >> 2;
    }
    return registers;
  }
  let at = 0;
  for (const { value, length } of runsOf(text)) {
    const end = at + length;
    if (value > 0 && end > registerCount) return null;
    registers.fill(value, at, end);
    at = end;
  }
  return at === registerCount ? registers : null;
}

interface Run {
  /** 0 for registers that nothing was put into. */
  readonly value: number;
  readonly length: number;
  /** Written in two bytes, as long runs of zeros are. */
  readonly long: boolean;
}

/** What a sparse form consists of, whether it makes sense or not. */
function* runsOf(text: Bytes): Generator<Run, void, undefined> {
  for (let i = headerBytes; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) yield { value: ((code >> 2) & 31) + 1, length: (code & 3) + 1, long: false };
    else if (code < 0x40) yield { value: 0, length: code + 1, long: false };
    else yield { value: 0, length: (((code & 63) << 8) | (text.charCodeAt(++i) || 0)) + 1, long: true };
  }
}

/** A sparse form in words, as PFDEBUG DECODE has them. */
export function shownRuns(text: Bytes): string {
  return Array.from(runsOf(text), ({ value, length, long }) =>
    value > 0 ? `v:${value},${length}` : `${long ? 'Z' : 'z'}:${length}`,
  ).join(' ');
}

/** A sparse form as a dense one, with the count that its header has; null when its runs do not make all registers. */
export function toDense(text: Bytes): Bytes | null {
  const registers = registersOf(text);
  return registers === null ? null : encodeRegisters(registers, 0, text.slice(5, headerBytes));
}

/**
 * The form of registers: sparse if it takes no more than so many bytes, with the header, else dense.
 * @param rest of the header behind the encoding; as a rule it says that the count is not known
 */
export function encodeRegisters(
  registers: Registers,
  sparseBytes: number,
  rest = `${'\0'.repeat(10)}\x80`,
): Bytes {
  const sparse = sparseRuns(registers, sparseBytes - headerBytes);
  const header = `HYLL${sparse === null ? '\0' : '\x01'}${rest}`;
  if (sparse !== null) return header + sparse;
  const bytes = Buffer.allocUnsafe(denseBytes);
  bytes.write(header, 'latin1');
  for (let i = 0, at = headerBytes; i < registerCount; i += 4, at += 3) {
    const second = registers[i + 1] as number;
    const third = registers[i + 2] as number;
    bytes[at] = (registers[i] as number) | (second << 6);
    bytes[at + 1] = (second >> 2) | (third << 4);
    bytes[at + 2] = (third >> 4) | ((registers[i + 3] as number) << 2);
  }
  return bytes.latin1Slice(0, denseBytes);
}

/** Null when they do not fit. */
function sparseRuns(registers: Registers, most: number): Bytes | null {
  const codes: number[] = [];
  for (let from = 0; from < registerCount; ) {
    const value = registers[from] as number;
    if (value > sparseValue) return null;
    let to = from + 1;
    while (to < registerCount && registers[to] === value && (value === 0 || to - from < 4)) to += 1;
    const last = to - from - 1;
    if (value > 0) codes.push(0x80 | ((value - 1) << 2) | last);
    else if (last < 64) codes.push(last);
    else codes.push(0x40 | (last >> 8), last & 0xff);
    if (codes.length > most) return null;
    from = to;
  }
  return String.fromCharCode(...codes);
}

/** A register of the dense form. */
export function denseRegister(text: Bytes, index: number): number {
  const bit = index * 6;
  const at = headerBytes + (bit >> 3);
  return (((text.charCodeAt(at + 1) << 8) | text.charCodeAt(at)) >> (bit & 7)) & 63;
}

/** Where a register of the dense form lies and its bytes with a new value. */
export function denseChange(text: Bytes, index: number, value: number): { offset: number; bytes: Bytes } {
  const bit = index * 6;
  const offset = headerBytes + (bit >> 3);
  const shift = bit & 7;
  const old = (text.charCodeAt(offset + 1) << 8) | text.charCodeAt(offset);
  const next = (old & ~(63 << shift)) | (value << shift);
  const bytes =
    shift > 2 ? String.fromCharCode(next & 0xff, (next >> 8) & 0xff) : String.fromCharCode(next & 0xff);
  return { offset, bytes };
}

/** Where the header says that the count is outdated: its offset, and the byte to put there; null when it does. */
export function outdating(text: Bytes): { offset: number; bytes: Bytes } | null {
  const byte = text.charCodeAt(15);
  return (byte & outdated) === 0 ? { offset: 15, bytes: String.fromCharCode(byte | outdated) } : null;
}

/** The count that the header holds; null when it is outdated. */
export function keptCount(text: Bytes): bigint | null {
  if ((text.charCodeAt(15) & outdated) !== 0) return null;
  let count = 0n;
  for (let i = 15; i >= 8; i--) count = (count << 8n) | BigInt(text.charCodeAt(i));
  return count;
}

/** The register that an element belongs to, and the value that it asks for. */
export function placeOf(element: Bytes): { index: number; value: number } {
  const hash = murmur64a(element, 0xadc83b19n);
  let rest = hash >> 14n;
  let value = 1;
  while (value <= hashBits && (rest & 1n) === 0n) {
    value += 1;
    rest >>= 1n;
  }
  return { index: Number(hash & 0x3fffn), value };
}

const multiplier = 0xc6a4a7935bd1e995n;

function murmur64a(text: Bytes, seed: bigint): bigint {
  const times = (value: bigint): bigint => BigInt.asUintN(64, value * multiplier);
  const word = (from: number, to: number): bigint => {
    let value = 0n;
    for (let i = to - 1; i >= from; i--) value = (value << 8n) | BigInt(text.charCodeAt(i));
    return value;
  };
  const whole = text.length & ~7;
  let hash = seed ^ times(BigInt(text.length));
  for (let at = 0; at < whole; at += 8) {
    const mixed = times(word(at, at + 8));
    hash = times(hash ^ times(mixed ^ (mixed >> 47n)));
  }
  if (whole < text.length) hash = times(hash ^ word(whole, text.length));
  hash = times(hash ^ (hash >> 47n));
  return hash ^ (hash >> 47n);
}

/** About how many different elements have left these registers. */
export function estimate(registers: Registers): number {
  const histogram = new Array<number>(64).fill(0);
  for (const value of registers) histogram[value] = (histogram[value] as number) + 1;
  const m = registerCount;
  let z = m * tau((m - (histogram[hashBits + 1] as number)) / m);
  for (let value = hashBits; value >= 1; value--) z = (z + (histogram[value] as number)) * 0.5;
  z += m * sigma((histogram[0] as number) / m);
  return Math.round((alpha * m * m) / z);
}

function sigma(start: number): number {
  if (start === 1) return Number.POSITIVE_INFINITY;
  let [x, y, z, before] = [start, 1, start, Number.NaN];
  while (z !== before) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(start: number): number {
  if (start === 0 || start === 1) return 0;
  let [x, y, z, before] = [start, 1, 1 - start, Number.NaN];
  while (z !== before) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}
