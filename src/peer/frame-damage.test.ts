import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import { damaged, eachSeed, pieces } from '../bytes/damage-test-kit.ts';
import { encodeMembership } from '../core/membership-codec.ts';
import type { Append, BatchSpan, Message } from '../core/types.ts';
import { Batch, BatchBuilder, entryKind } from '../log/batch.ts';
import type { SeededRandom } from '../sim/seeded-random.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import { aliveFrame, frameHeaderBytes, notFreshFrame } from './frame.ts';
import { FrameAssembler } from './frame-assembler.ts';

const shard = 3;
const longest = 1 << 16;
const at = { term: 4, lsn: 20 };
const acknowledged = { received: 20, flushed: 19, applied: 18 };

function batchOf(
  term: number,
  firstLsn: number,
  payloads: readonly (string | Uint8Array)[],
  kind = 0,
): Batch {
  const builder = new BatchBuilder(shard, 1024);
  for (const payload of payloads) {
    builder.begin(kind === 0 ? entryKind.effects : entryKind.membership, 0);
    builder.payload.copy(Buffer.from(payload));
    builder.end();
  }
  return Batch.parse(Buffer.from(builder.seal(term, firstLsn, 1_700_000_000_000).bytes));
}

function appendOf(batches: readonly BatchSpan[]): Append {
  const rest = { commit: 20, timeMs: 1_700_000_000_000, wantReceived: true, wantApplied: false };
  return { kind: 'append', term: 6, previous: at, batches, ...rest };
}

const membership = batchOf(5, 23, [encodeMembership({ voters: ['a', 'b'], learners: ['c'] })], 1);
const batches = [batchOf(4, 21, ['one', 'two']), membership, batchOf(6, 24, ['x'.repeat(700)])];
const messages: readonly Message[] = [
  { kind: 'preVoteRequest', term: 5, last: at },
  { kind: 'voteRequest', term: 5, last: at, handover: true },
  { kind: 'voteResponse', term: 5, asked: 5, granted: true },
  appendOf([]),
  appendOf(batches),
  { kind: 'appendAck', term: 5, ...acknowledged },
  { kind: 'appendAck', term: 5, ...acknowledged, refused: { previous: at, hint: at } },
  {
    kind: 'heartbeat',
    term: 5,
    commit: 7,
    sentMs: 1.5,
    timeMs: 3,
    last: 9,
    laggards: [],
    held: 8,
    lackedBytes: 100,
    echo: { stampMs: 2, commit: 7 },
  },
  { kind: 'heartbeatAck', term: 5, sentMs: 1, ...acknowledged, priority: 100, stampMs: 2 },
  { kind: 'readIndexResponse', term: 5, context: 8, commit: 20 },
  { kind: 'snapshotRequest', term: 5, checkpoint: at, offset: 7, maxBytes: 1 << 20 },
  {
    kind: 'snapshotChunk',
    term: 5,
    checkpoint: at,
    offset: 0,
    totalBytes: 300,
    bytes: Buffer.alloc(300, 'c'),
  },
];

function frameOf(message: Message): Buffer {
  const { header, parts } = encodeMessage(shard, message);
  return Buffer.concat([header, ...parts]);
}

const frames = [...messages.map(frameOf), aliveFrame, notFreshFrame];

/** Makes the checksums right again, so that what is behind them has to cope. */
function withChecksums(frame: Buffer): Buffer {
  if (frame.length < frameHeaderBytes) return frame;
  frame.writeUInt32LE(frame.length, 4);
  if (frame.readUInt32LE(8) > frame.length) frame.writeUInt32LE(frame.length, 8);
  const controlBytes = Math.max(frameHeaderBytes, frame.readUInt32LE(8));
  frame.writeUInt32LE(controlBytes, 8);
  frame.writeUInt32LE(crc32(frame.subarray(4, controlBytes)), 0);
  return frame;
}

/** A batch with right checksums and wrong contents. */
function wrongBatch(random: SeededRandom): Buffer {
  const others = batches.map(({ bytes }) => bytes);
  const bytes = damaged(random, random.pick(others), others);
  if (bytes.length < 48) return bytes;
  bytes.writeUInt32LE(bytes.length, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

function aFrame(random: SeededRandom): Buffer {
  if (random.chance(0.3)) {
    const spans = Array.from({ length: 1 + random.below(3) }, () => ({ bytes: wrongBatch(random) }));
    return frameOf(appendOf(spans as unknown as BatchSpan[]));
  }
  const frame = damaged(random, random.pick(frames), frames);
  return random.chance(0.7) ? withChecksums(frame) : frame;
}

/** Everything about a message, batches read to their ends. */
function shown(frame: Buffer): string {
  const message = decodeMessage(frame);
  const spans = message.message.kind === 'append' ? message.message.batches : [];
  return JSON.stringify([message, spans.map((span) => [...(span as Batch).entries()])]);
}

/** What a link makes of the pieces: messages up to the first frame that makes no sense. */
function received(input: readonly Buffer[]): { messages: string[]; error: string | null } {
  const assembler = new FrameAssembler(longest);
  const found: string[] = [];
  let handedIn = 0;
  try {
    for (const piece of input) {
      assembler.push(piece);
      handedIn += piece.length;
      for (let frame = assembler.next(); frame !== null; frame = assembler.next()) {
        if (frame.length > longest || found.length * frameHeaderBytes > handedIn)
          throw new Error('more came out than went in');
        found.push(frame[16] === aliveFrame[16] ? 'alive' : shown(frame));
      }
    }
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    return { messages: found, error: error.message };
  }
  return { messages: found, error: null };
}

test('damaged frames are what they say or malformed, the same however they are split', () => {
  let errors = 0;
  let understood = 0;
  eachSeed(4000, (random) => {
    const intact = Array.from({ length: random.below(3) }, () => random.pick(frames.slice(0, -1)));
    const bytes = Buffer.concat([...intact, aFrame(random), aFrame(random)]);
    const whole = received([Buffer.from(bytes)]);
    const split = received(pieces(random, bytes));
    if (JSON.stringify(split) !== JSON.stringify(whole)) expect(split).toEqual(whole);
    // What came before the damage was received.
    const before = received(intact).messages;
    expect(whole.messages.slice(0, before.length)).toEqual(before);
    if (whole.error !== null) errors += 1;
    understood += whole.messages.length - before.length;
  });
  expect(errors).toBeGreaterThan(0);
  expect(understood).toBeGreaterThan(0);
});

test('pitfall 09: a frame that is not there yet costs no more than the longest one, however often it is announced', () => {
  const before = process.memoryUsage().arrayBuffers;
  const head = Buffer.from(frameOf(messages[4] as Message).subarray(0, 8));
  const assemblers = Array.from({ length: 50 }, () => new FrameAssembler(longest));
  for (const assembler of assemblers) {
    for (const length of [longest + 1, 0x7fff_ffff, 0xffff_ffff]) {
      head.writeUInt32LE(length, 4);
      assembler.push(Buffer.from(head));
      expect(() => assembler.next()).toThrow(MalformedBytes);
    }
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * longest);
});
