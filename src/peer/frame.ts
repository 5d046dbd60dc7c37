import { crc32 } from 'node:zlib';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';

/**
 * What travels on a link once the handshake is over:
 *
 *   0 u32 crc32 of the control part from byte 4   4 u32 length of the frame   8 u32 length of the control part
 *  12 u32 shard   16 u8 kind   17 the rest of the control part, then bulk bytes
 *
 * Both lengths include these 17 bytes. Bulk bytes are batches or a piece of a checkpoint; they have checksums of
 * their own.
 */
export const frameHeaderBytes = 17;

/** Largest frame on each lane; a longer one is not sent, and a peer that announces one is cut off. */
export const frameBytesMax = { control: 64 << 20, bulk: (4 << 20) + 4096 } as const;

/** Kinds from here on are the link's own and carry no message. */
export const firstLinkKind = 0xf0;
export const linkKind = { alive: 0xf0, identity: 0xf1 } as const;

/** Leaves room for the header of a frame; returns where the frame begins in the writer's piece. */
export function beginFrame(out: ByteWriter): number {
  const start = out.length;
  out.reserve(frameHeaderBytes);
  out.offset += frameHeaderBytes;
  return start;
}

/** Fills the header of the frame that `beginFrame` opened; its control part ends here. */
export function endFrame(
  out: ByteWriter,
  start: number,
  kind: number,
  shard: number,
  bulkBytes: number,
): void {
  const at = out.start + start;
  const controlBytes = out.offset - at;
  const buffer = out.buffer;
  buffer.writeUInt32LE(controlBytes + bulkBytes, at + 4);
  buffer.writeUInt32LE(controlBytes, at + 8);
  buffer.writeUInt32LE(shard, at + 12);
  buffer[at + 16] = kind;
  buffer.writeUInt32LE(crc32(buffer.subarray(at + 4, out.offset)), at);
}

/** Checks the header and the checksum of a whole frame; returns the length of its control part. */
export function checkFrame(frame: Buffer): number {
  if (frame.length < frameHeaderBytes)
    throw new MalformedBytes('a frame shorter than its header', frame.length);
  if (frame.readUInt32LE(4) !== frame.length) throw new MalformedBytes('a frame of another length', 4);
  const controlBytes = frame.readUInt32LE(8);
  if (controlBytes < frameHeaderBytes || controlBytes > frame.length)
    throw new MalformedBytes('a control part that does not fit its frame', 8);
  if (frame.readUInt32LE(0) !== crc32(frame.subarray(4, controlBytes)))
    throw new MalformedBytes('a frame with a wrong checksum', 0);
  return controlBytes;
}

export function frameKind(frame: Buffer): number {
  return frame[16] as number;
}

/** What each end of a link sends when there is nothing else: proof that it is there. */
export const aliveFrame: Buffer = linkFrame(linkKind.alive, 0);
/** Says that the sender is no longer fresh. */
export const notFreshFrame: Buffer = linkFrame(linkKind.identity, 0);

function linkFrame(kind: number, value: number): Buffer {
  const out = new ByteWriter(64);
  const start = beginFrame(out);
  out.u8(value);
  endFrame(out, start, kind, 0, 0);
  return out.take();
}
