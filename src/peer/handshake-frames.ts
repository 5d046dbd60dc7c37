import { ByteReader, MalformedBytes } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Lane, PeerIdentity } from './types.ts';

/**
 * What both ends say before any message. Each frame: u32 magic, u16 length of the frame, u8 type, body.
 * A hello and a challenge begin with the version, and a refusal never changes its form, so that nodes of different
 * versions can tell each other why they do not talk.
 */
export const protocolVersion = 2;
export const nonceBytes = 32;
const magic = 0x4c_50_57_42;
const headerBytes = 7;
const frameBytesMax = 2048;
const textBytesMax = 400;

export const handshakeType = { hello: 1, challenge: 2, proof: 3, welcome: 4, refusal: 5 } as const;

/** Opens the handshake: who dials, whom it wants to reach. */
export interface Hello {
  readonly identity: PeerIdentity;
  readonly target: string;
  readonly lane: Lane;
  /** The sender was given a shared secret, proves it and expects a proof. */
  readonly hasSecret: boolean;
  readonly nonce: Buffer;
}

/** The answer: who was reached. */
export interface Challenge {
  readonly identity: PeerIdentity;
  readonly hasSecret: boolean;
  readonly nonce: Buffer;
}

const refusalCodes = ['version', 'cluster', 'target', 'self', 'twin', 'unknown', 'secret'] as const;
export type RefusalCode = (typeof refusalCodes)[number];

export interface Refusal {
  readonly code: RefusalCode;
  /** One sentence without its full stop. */
  readonly reason: string;
}

const lanes: readonly Lane[] = ['control', 'bulk'];
const freshFlag = 1;
const secretFlag = 2;
/** Flags that a version does not know it passes over. */
const hearsNodesFlag = 4;

function frame(type: number, fill: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter(512);
  out.u32(magic);
  out.u16(0);
  out.u8(type);
  fill(out);
  const bytes = out.take();
  bytes.writeUInt16LE(bytes.length, 4);
  return bytes;
}

export function encodeHello(hello: Hello): Buffer {
  return frame(handshakeType.hello, (out) => {
    out.u16(protocolVersion);
    writeIdentity(out, hello.identity, hello.hasSecret);
    writeText(out, hello.target);
    out.u8(lanes.indexOf(hello.lane));
    out.copy(hello.nonce);
  });
}

export function encodeChallenge(challenge: Challenge): Buffer {
  return frame(handshakeType.challenge, (out) => {
    out.u16(protocolVersion);
    writeIdentity(out, challenge.identity, challenge.hasSecret);
    out.copy(challenge.nonce);
  });
}

/** @param proof an HMAC, or empty when there is no shared secret */
export function encodeProof(
  type: typeof handshakeType.proof | typeof handshakeType.welcome,
  proof: Buffer,
): Buffer {
  return frame(type, (out) => out.copy(proof));
}

export function encodeRefusal(refusal: Refusal): Buffer {
  return frame(handshakeType.refusal, (out) => {
    out.u8(refusalCodes.indexOf(refusal.code));
    writeText(out, refusal.reason);
  });
}

export function handshakeTypeOf(bytes: Buffer): number {
  return bytes[6] as number;
}

/** Reads a hello; only its version when that is another one. */
export function decodeHello(bytes: Buffer): Hello | { readonly version: number } {
  const from = bodyOf(bytes);
  const version = from.u16();
  if (version !== protocolVersion) return { version };
  const { identity, hasSecret } = readIdentity(from);
  const target = readText(from);
  const lane = lanes[from.u8()];
  if (lane === undefined) throw new MalformedBytes('a hello for no lane', from.offset - 1);
  const nonce = from.view(nonceBytes);
  endBody(from);
  return { identity, hasSecret, target, lane, nonce };
}

/** Reads a challenge; only its version when that is another one. */
export function decodeChallenge(bytes: Buffer): Challenge | { readonly version: number } {
  const from = bodyOf(bytes);
  const version = from.u16();
  if (version !== protocolVersion) return { version };
  const { identity, hasSecret } = readIdentity(from);
  const nonce = from.view(nonceBytes);
  endBody(from);
  return { identity, hasSecret, nonce };
}

export function decodeProof(bytes: Buffer): Buffer {
  return bytes.subarray(headerBytes);
}

/** The reason is a stranger's text: it is bounded, and what is not printable is replaced. */
export function decodeRefusal(bytes: Buffer): Refusal {
  const from = bodyOf(bytes);
  const code = refusalCodes[from.u8()] ?? 'version';
  return { code, reason: readText(from).replace(/[^\x20-\x7e]/g, '?') };
}

/** Collects the bytes of a connection into handshake frames. Holds little more than one frame and one read. */
export class HandshakeReader {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** The next frame; null when more bytes are needed. Throws `MalformedBytes` when this is no handshake. */
  next(): Buffer | null {
    const bytes = this.#bytes;
    if (bytes.length < headerBytes) return null;
    if (bytes.readUInt32LE(0) !== magic) throw new MalformedBytes('no handshake of this protocol', 0);
    const length = bytes.readUInt16LE(4);
    if (length < headerBytes || length > frameBytesMax)
      throw new MalformedBytes(`a handshake frame of ${length} bytes`, 4);
    if (bytes.length < length) return null;
    this.#bytes = bytes.subarray(length);
    return bytes.subarray(0, length);
  }

  /** What came behind the last frame. */
  rest(): Buffer {
    return this.#bytes;
  }
}

function bodyOf(bytes: Buffer): ByteReader {
  return new ByteReader(bytes, headerBytes);
}

function endBody(from: ByteReader): void {
  if (from.remaining !== 0)
    throw new MalformedBytes('bytes behind the end of a handshake frame', from.offset);
}

function writeIdentity(out: ByteWriter, identity: PeerIdentity, hasSecret: boolean): void {
  const { fresh, hearsNodes = false } = identity;
  out.u8((fresh ? freshFlag : 0) | (hasSecret ? secretFlag : 0) | (hearsNodes ? hearsNodesFlag : 0));
  writeText(out, identity.cluster);
  writeText(out, identity.node);
  writeText(out, identity.instance);
  writeText(out, identity.client);
}

function readIdentity(from: ByteReader): { identity: PeerIdentity; hasSecret: boolean } {
  const flags = from.u8();
  const cluster = readText(from);
  const node = readText(from);
  const instance = readText(from);
  const client = readText(from);
  return {
    identity: {
      ...{ cluster, node, instance, client },
      fresh: (flags & freshFlag) !== 0,
      hearsNodes: (flags & hearsNodesFlag) !== 0,
    },
    hasSecret: (flags & secretFlag) !== 0,
  };
}

function writeText(out: ByteWriter, text: string): void {
  const bytes = Buffer.from(text, 'utf8').subarray(0, textBytesMax);
  out.u16(bytes.length);
  out.copy(bytes);
}

function readText(from: ByteReader): string {
  return from.view(from.u16()).toString('utf8');
}
