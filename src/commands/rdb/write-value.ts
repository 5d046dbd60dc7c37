import { ByteWriter } from '../../bytes/byte-writer.ts';
import type { Bytes } from '../../bytes/types.ts';
import type { StringValue, Value } from '../../state/entry.ts';
import { parseSafeInteger } from '../parse.ts';
import { crc64 } from './crc64.ts';
import { rdbType, writtenVersion } from './types.ts';

/** Where encoding begins; larger values take more. */
const slabBytes = 4096;
/** No integer of 32 bits has more characters. */
const longestInteger = 11;

/**
 * What DUMP answers: the type, the value, the version of the format, and a checksum. Collections are written element by
 * element, which every Redis reads and stores in the encoding of its choice; nothing is compressed.
 */
export function dumpOf(value: Value): Buffer {
  const writer = new ByteWriter(slabBytes);
  writeValue(writer, value);
  writer.u16(writtenVersion);
  const body = writer.take();
  return Buffer.concat([body, crc64(body)]);
}

function writeValue(writer: ByteWriter, value: Value): void {
  if (typeof value === 'string' || value.type === 'string') {
    writer.u8(rdbType.string);
    writeText(writer, value);
    return;
  }
  switch (value.type) {
    case 'list':
      writer.u8(rdbType.list);
      writeLength(writer, value.size);
      for (const item of value.items.from()) writeText(writer, item);
      break;
    case 'set':
      writer.u8(rdbType.set);
      writeLength(writer, value.size);
      for (const member of value.members.keys()) writeText(writer, member);
      break;
    case 'hash':
      writer.u8(rdbType.hash);
      writeLength(writer, value.size);
      for (const [field, text] of value.fields.entries()) {
        writeText(writer, field);
        writeText(writer, text);
      }
      break;
    case 'zset':
      writer.u8(rdbType.sortedSet2);
      writeLength(writer, value.size);
      for (const { member, score } of value.order.from()) {
        writeText(writer, member);
        writer.f64(score);
      }
      break;
  }
}

function writeText(writer: ByteWriter, text: StringValue): void {
  if (typeof text !== 'string') {
    writeLength(writer, text.length);
    for (const piece of text.pieces()) writer.copy(piece);
    return;
  }
  const integer = text.length > longestInteger ? null : parseSafeInteger(text);
  if (integer !== null && integer === (integer | 0)) {
    writeInteger(writer, integer);
    return;
  }
  writeLength(writer, text.length);
  writer.raw(text);
}

function writeInteger(writer: ByteWriter, value: number): void {
  const width = value === (value << 24) >> 24 ? 1 : value === (value << 16) >> 16 ? 2 : 4;
  writer.u8(0xc0 | (width >> 1));
  if (width === 1) writer.u8(value & 0xff);
  else if (width === 2) writer.u16(value & 0xffff);
  else writer.u32(value >>> 0);
}

function writeLength(writer: ByteWriter, length: number): void {
  if (length < 1 << 6) writer.u8(length);
  else if (length < 1 << 14) {
    writer.u8(0x40 | (length >> 8));
    writer.u8(length & 0xff);
  } else {
    writer.u8(0x80);
    const bytes: Bytes = String.fromCharCode(...[24, 16, 8, 0].map((shift) => (length >>> shift) & 0xff));
    writer.raw(bytes);
  }
}
