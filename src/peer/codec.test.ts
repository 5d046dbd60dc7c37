import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import { encodeMembership } from '../core/membership-codec.ts';
import type { Append, BatchSpan, Message } from '../core/types.ts';
import { type Batch, BatchBuilder, entryKind } from '../log/batch.ts';
import { bulkBytesOf, decodeMessage, encodeMessage } from './codec.ts';

const shard = 7;
const whole = fc.maxSafeNat();
const name = fc.string({ unit: 'grapheme-ascii', maxLength: 64 });
const position = fc.record({ term: whole, lsn: whole });
const time = fc.oneof(
  whole,
  fc.double({ min: 0, max: 2e12, noNaN: true }).map((ms) => ms + 0),
);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const bytes = fc.uint8Array({ maxLength: 3000 }).map((array) => Buffer.from(array));

function sealed(term: number, firstLsn: number, payloads: readonly string[], of = shard): Batch {
  const builder = new BatchBuilder(of, 1024);
  for (const payload of payloads) {
    builder.begin(entryKind.effects, 0);
    builder.payload.raw(payload);
    builder.end();
  }
  return builder.seal(term, firstLsn, 1_700_000_000_000);
}

function membershipBatch(term: number, lsn: number, payload: Uint8Array, entries = 1): Batch {
  const builder = new BatchBuilder(shard, 1024);
  for (let i = 0; i < entries; i++) {
    builder.begin(entryKind.membership, 0);
    builder.payload.copy(payload);
    builder.end();
  }
  return builder.seal(term, lsn, 1_700_000_000_000);
}

const append: fc.Arbitrary<Append> = fc
  .record({
    previous: fc.record({ term: fc.nat(), lsn: fc.nat() }),
    overlap: fc.nat(3),
    runs: fc.array(
      fc.record({
        step: fc.nat(2),
        payloads: fc.array(fc.string({ maxLength: 200 }), { minLength: 1, maxLength: 4 }),
      }),
      { maxLength: 4 },
    ),
    commit: whole,
    timeMs: time,
    wantReceived: fc.boolean(),
    wantApplied: fc.boolean(),
  })
  .map(({ previous, overlap, runs, ...rest }) => {
    const batches: BatchSpan[] = [];
    let { term, lsn } = previous;
    for (const run of runs) {
      term += run.step;
      const first =
        batches.length === 0 && overlap < run.payloads.length ? Math.max(1, lsn + 1 - overlap) : lsn + 1;
      const batch = sealed(term, first, run.payloads);
      if (batch.lastLsn <= lsn) continue;
      batches.push(batch);
      lsn = batch.lastLsn;
    }
    return { kind: 'append', term: term + 1, previous, batches, ...rest };
  });

const acknowledged = { received: whole, flushed: whole, applied: whole };
const arbitraries: { readonly [K in Message['kind']]: fc.Arbitrary<Extract<Message, { kind: K }>> } = {
  preVoteRequest: fc.record({ kind: fc.constant('preVoteRequest'), term: whole, last: position }),
  preVoteResponse: fc.record({
    kind: fc.constant('preVoteResponse'),
    term: whole,
    asked: whole,
    granted: fc.boolean(),
  }),
  voteRequest: fc.record({
    kind: fc.constant('voteRequest'),
    term: whole,
    last: position,
    handover: fc.boolean(),
  }),
  voteResponse: fc.record({
    kind: fc.constant('voteResponse'),
    term: whole,
    asked: whole,
    granted: fc.boolean(),
  }),
  append,
  appendAck: fc.record(
    {
      kind: fc.constant('appendAck'),
      term: whole,
      refused: fc.record({ previous: position, hint: position }),
      ...acknowledged,
    },
    { requiredKeys: ['kind', 'term', 'received', 'flushed', 'applied'] },
  ),
  heartbeat: fc.record({
    kind: fc.constant('heartbeat'),
    term: whole,
    commit: whole,
    sentMs: finite,
    timeMs: time,
    last: whole,
    laggards: fc.array(fc.string({ unit: 'binary-ascii' })),
    held: whole,
    lackedBytes: whole,
    echo: fc.option(fc.record({ stampMs: finite, commit: fc.option(whole) })),
  }),
  heartbeatAck: fc.record({
    kind: fc.constant('heartbeatAck'),
    term: whole,
    sentMs: finite,
    ...acknowledged,
    priority: fc.nat(),
    stampMs: finite,
  }),
  campaignNow: fc.record({
    kind: fc.constant('campaignNow'),
    term: whole,
    last: position,
    keep: fc.boolean(),
  }),
  leaderNotice: fc.record({
    kind: fc.constant('leaderNotice'),
    term: whole,
    members: fc.array(name, { maxLength: 9 }),
  }),
  nodeNotice: fc.record({
    kind: fc.constant('nodeNotice'),
    term: fc.constant(0),
    peer: name,
    zone: name,
    sawNew: fc.boolean(),
    led: fc.array(
      fc.record({
        shard: fc.nat(65_535),
        term: whole,
        members: fc.array(name, { maxLength: 9 }),
        whole: fc.boolean(),
        keys: whole,
        bytes: whole,
      }),
      { maxLength: 5 },
    ),
  }),
  leadershipWanted: fc.record({ kind: fc.constant('leadershipWanted'), term: whole }),
  readIndexRequest: fc.record({
    kind: fc.constant('readIndexRequest'),
    term: whole,
    context: whole,
    byLease: fc.boolean(),
  }),
  readIndexResponse: fc.record({
    kind: fc.constant('readIndexResponse'),
    term: whole,
    context: whole,
    commit: fc.option(whole),
  }),
  snapshotOffer: fc.record({ kind: fc.constant('snapshotOffer'), term: whole, checkpoint: position }),
  snapshotRequest: fc.record({
    kind: fc.constant('snapshotRequest'),
    term: whole,
    checkpoint: position,
    offset: whole,
    maxBytes: whole,
  }),
  snapshotChunk: fc.record({
    kind: fc.constant('snapshotChunk'),
    term: whole,
    checkpoint: position,
    offset: whole,
    totalBytes: fc.integer({ min: -1 }),
    bytes,
  }),
  slotCopy: fc.record({
    kind: fc.constant('slotCopy'),
    term: whole,
    from: fc.nat(0xffff_ffff),
    began: whole,
    attempt: whole,
    sequence: whole,
    content: fc.constantFrom('begin', 'pieces', 'effects', 'end'),
    lsn: whole,
    bytes,
  }),
  slotCopied: fc.record({
    kind: fc.constant('slotCopied'),
    term: whole,
    began: whole,
    copyTerm: whole,
    attempt: whole,
    sequence: whole,
  }),
  slotStep: fc.record({
    kind: fc.constant('slotStep'),
    term: whole,
    step: fc.constantFrom('begin', 'finish', 'abandon'),
    began: whole,
    from: fc.nat(0xffff_ffff),
    to: fc.nat(0xffff_ffff),
    slots: fc.array(
      fc.tuple(fc.nat(16383), fc.nat(16383)).map(([one, other]) => ({
        from: Math.min(one, other),
        to: Math.max(one, other),
      })),
      { maxLength: 9 },
    ),
  }),
};

function frameOf(message: Message, of = shard): Buffer {
  const { header, parts } = encodeMessage(of, message);
  return Buffer.concat([header, ...parts]);
}

describe('every kind of message comes back as it was sent', () => {
  for (const [kind, arbitrary] of Object.entries(arbitraries)) {
    test(kind, () => {
      fc.assert(
        fc.property(arbitrary as fc.Arbitrary<Message>, fc.nat(0xffff_ffff), (message, number) => {
          const of = message.kind === 'append' ? shard : number;
          const frame = frameOf(message, of);
          expect(decodeMessage(frame)).toEqual({ shard: of, message });
          const { header } = encodeMessage(of, message);
          expect(bulkBytesOf(message)).toBe(frame.length - header.length);
        }),
      );
    });
  }
});

const anyMessage = fc.oneof(...(Object.values(arbitraries) as fc.Arbitrary<Message>[]));

test('a single wrong byte anywhere in a frame is noticed', () => {
  fc.assert(
    fc.property(anyMessage, fc.nat(), fc.integer({ min: 1, max: 255 }), (message, at, change) => {
      const frame = frameOf(message);
      const index = at % frame.length;
      frame[index] = (frame[index] as number) ^ change;
      expect(() => decodeMessage(frame)).toThrow(MalformedBytes);
    }),
    { numRuns: 1000 },
  );
});

test('bytes of a stranger are refused, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
      expect(() => decodeMessage(Buffer.from(garbage))).toThrow(MalformedBytes);
    }),
  );
});

test('bulk bytes are sent and received without a copy', () => {
  const batch = sealed(1, 1, ['x'.repeat(100_000)]);
  const message: Append = {
    kind: 'append',
    term: 1,
    previous: { term: 0, lsn: 0 },
    batches: [batch],
    commit: 0,
    timeMs: 0,
    wantReceived: false,
    wantApplied: false,
  };
  const { header, parts } = encodeMessage(shard, message);
  expect(header.length).toBeLessThan(100);
  expect(parts[0]).toBe(batch.bytes);
  const frame = Buffer.concat([header, ...parts]);
  const decoded = decodeMessage(frame).message as Append;
  expect((decoded.batches[0] as BatchSpan).bytes.buffer).toBe(frame.buffer);
});

describe('an append', () => {
  const base = {
    kind: 'append',
    term: 5,
    previous: { term: 3, lsn: 10 },
    commit: 0,
    timeMs: 0,
    wantReceived: false,
    wantApplied: false,
  } as const;
  const decode = (batches: readonly BatchSpan[], of = shard): Append =>
    decodeMessage(frameOf({ ...base, batches }, of)).message as Append;

  test('carries the membership that a batch sets', () => {
    const membership = { voters: ['n1', 'n2'], learners: ['n3'] };
    const batch = membershipBatch(4, 11, encodeMembership(membership));
    const [span, next] = decode([batch, sealed(4, 12, ['a'])]).batches;
    expect(span).toMatchObject({ term: 4, firstLsn: 11, lastLsn: 11, membership });
    expect(next?.membership).toBeUndefined();
  });

  test('is refused when a membership is not alone or makes no sense', () => {
    const bytes = encodeMembership({ voters: ['n1'], learners: [] });
    expect(() => decode([membershipBatch(4, 11, bytes, 2)])).toThrow('a membership that is not alone');
    expect(() => decode([membershipBatch(4, 11, Buffer.from('?'))])).toThrow(
      'a membership that cannot be read',
    );
  });

  test('is refused when its batches do not continue the log', () => {
    const wrong = 'a batch that does not continue the log before it';
    expect(() => decode([sealed(3, 12, ['a'])])).toThrow(wrong);
    expect(() => decode([sealed(3, 9, ['a', 'b'])])).toThrow(wrong);
    expect(() => decode([sealed(2, 11, ['a'])])).toThrow(wrong);
    expect(() => decode([sealed(6, 11, ['a'])])).toThrow(wrong);
    expect(() => decode([sealed(3, 11, ['a']), sealed(3, 11, ['a', 'b'])])).toThrow(wrong);
    expect(() => decode([sealed(4, 11, ['a']), sealed(3, 12, ['a'])])).toThrow(wrong);
    expect(decode([sealed(3, 10, ['a', 'b']), sealed(5, 12, ['c'])]).batches).toHaveLength(2);
  });

  test('is refused when a batch belongs to another shard', () => {
    expect(() => decode([sealed(3, 11, ['a'], 8)])).toThrow('a batch of shard 8, not 7');
  });
});

test('times that would poison a maximum are refused', () => {
  for (const timeMs of [Number.NaN, Number.POSITIVE_INFINITY, -1, 1e300]) {
    const heartbeat = {
      kind: 'heartbeat',
      term: 1,
      commit: 0,
      sentMs: 0,
      timeMs,
      last: 0,
      laggards: [],
      held: 0,
      lackedBytes: 0,
      echo: null,
    } as const;
    expect(() => decodeMessage(frameOf(heartbeat))).toThrow(MalformedBytes);
  }
});
