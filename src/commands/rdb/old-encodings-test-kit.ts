import { crc64 } from './crc64.ts';
import { writtenVersion } from './types.ts';

/** A dump of a type and the bytes of its value, with version and checksum. */
export function sealed(type: number, body: Uint8Array, version = writtenVersion): Buffer {
  const bytes = Buffer.concat([Buffer.from([type]), body, Buffer.from([version, 0])]);
  return Buffer.concat([bytes, crc64(bytes)]);
}

/** A string of the RDB format, with a length of 32 bits. */
export function blob(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(5);
  length[0] = 0x80;
  length.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([length, bytes]);
}

function ziplistEntry(item: string | bigint): Buffer {
  if (typeof item === 'string') {
    const text = Buffer.from(item, 'latin1');
    if (text.length < 64) return Buffer.concat([Buffer.from([text.length]), text]);
    if (text.length < 16384)
      return Buffer.concat([Buffer.from([0x40 | (text.length >> 8), text.length & 255]), text]);
    return blob(text);
  }
  if (item >= 0n && item <= 12n) return Buffer.from([0xf1 + Number(item)]);
  for (const [code, bytes] of [
    [0xfe, 1],
    [0xc0, 2],
    [0xf0, 3],
    [0xd0, 4],
    [0xe0, 8],
  ] as const) {
    if (BigInt.asIntN(bytes * 8, item) !== item) continue;
    const number = Buffer.alloc(8);
    number.writeBigInt64LE(item);
    return Buffer.concat([Buffer.from([code]), number.subarray(0, bytes)]);
  }
  throw new Error(`${item} is no integer of 64 bits`);
}

/** A ziplist of texts and integers. */
export function ziplistOf(items: readonly (string | bigint)[]): Buffer {
  const entries: Buffer[] = [];
  let before = 0;
  let tail = 10;
  let at = 10;
  for (const item of items) {
    const previous = Buffer.alloc(before < 254 ? 1 : 5, 0xfe);
    if (before < 254) previous[0] = before;
    else previous.writeUInt32LE(before, 1);
    const entry = Buffer.concat([previous, ziplistEntry(item)]);
    entries.push(entry);
    tail = at;
    before = entry.length;
    at += entry.length;
  }
  const header = Buffer.alloc(10);
  header.writeUInt32LE(at + 1, 0);
  header.writeUInt32LE(tail, 4);
  header.writeUInt16LE(items.length, 8);
  return Buffer.concat([header, ...entries, Buffer.from([0xff])]);
}

/** A zipmap, with some bytes left unused behind each value. */
export function zipmapOf(pairs: readonly (readonly [string, string])[]): Buffer {
  const size = (text: string): Buffer => {
    if (text.length < 254) return Buffer.from([text.length]);
    const length = Buffer.alloc(5, 0xfe);
    length.writeUInt32LE(text.length, 1);
    return length;
  };
  const parts = pairs.flatMap(([field, value], i) => [
    ...[size(field), Buffer.from(field, 'latin1'), size(value)],
    ...[Buffer.from([i % 4]), Buffer.from(value, 'latin1'), Buffer.alloc(i % 4, 0x2a)],
  ]);
  return Buffer.concat([Buffer.from([pairs.length]), ...parts, Buffer.from([0xff])]);
}

const long = 'long text '.repeat(30);
export const texts = ['', 'a', 'x'.repeat(63), 'y'.repeat(64), long, 'z'.repeat(20_000), '\x00\xff\r\n'];
export const integers = [
  ...[0n, 1n, 12n, 13n, -1n, 127n, -128n, 128n, 32767n, -32769n, 8388607n, -8388609n, 2n ** 31n - 1n],
  ...[-(2n ** 31n), 2n ** 31n, 2n ** 63n - 1n, -(2n ** 63n)],
];
const names = texts.map((text, i) => `${i}${text}`);

/** Dumps in encodings that Redis wrote before it had listpacks, with what they stand for. */
export const oldDumps: readonly (readonly [what: string, dump: Buffer, value: unknown])[] = [
  [
    'a list in a ziplist',
    sealed(10, blob(ziplistOf([...texts, ...integers]))),
    [...texts, ...integers.map(String)],
  ],
  [
    'a list in ziplists',
    sealed(
      14,
      Buffer.concat([
        Buffer.from([3]),
        blob(ziplistOf(texts)),
        blob(ziplistOf([])),
        blob(ziplistOf(integers)),
      ]),
    ),
    [...texts, ...integers.map(String)],
  ],
  [
    'a hash in a ziplist',
    sealed(13, blob(ziplistOf(names.flatMap((name, i) => [name, integers[i] as bigint])))),
    Object.fromEntries(names.map((name, i) => [name, String(integers[i])])),
  ],
  [
    'a hash in a zipmap',
    sealed(9, blob(zipmapOf(names.map((name) => [name, name])))),
    Object.fromEntries(names.map((name) => [name, name])),
  ],
  [
    'a sorted set in a ziplist',
    sealed(12, blob(ziplistOf(['a', '-inf', 'b', -3n, 'c', '1.5', 'd', 7n]))),
    { a: '-inf', b: '-3', c: '1.5', d: '7' },
  ],
  [
    'a sorted set with written scores',
    sealed(3, Buffer.from('\x03\x01a\x031.5\x01b\xfe\x01c\xff', 'latin1')),
    { a: '1.5', b: 'inf', c: '-inf' },
  ],
];
