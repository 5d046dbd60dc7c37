import { describe, expect, it } from 'vitest';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import { damaged, eachSeed, pieces } from '../bytes/damage-test-kit.ts';
import type { SeededRandom } from '../sim/seeded-random.ts';
import { defaultRequestLimits, ProtocolError, RespParser } from './parser.ts';
import { encodeRequest, ReplyParser } from './reply-parser.ts';

const limits = { bulkBytes: 3000, requestBytes: 5000, argumentCount: 40, inlineBytes: 2000 };
const breakers = [
  '*-1\r\n',
  '$-1\r\n',
  '*4294967296\r\n',
  '$2147483648\r\n',
  '\r\n',
  '*0\r\n',
  '"',
  '\n',
  '*01\r\n',
];

function aText(random: SeededRandom): string {
  const length = random.pick([0, 1, 3, 3, 20, 20, 200, 2500]);
  return Array.from({ length }, () => String.fromCharCode(random.below(256))).join('');
}

/** What a client may send: requests in both forms, as many as fit in one argument after the other. */
function aConversation(random: SeededRandom): Buffer {
  const parts: Buffer[] = [];
  for (let count = 1 + random.below(5); count > 0; count--) {
    if (random.chance(0.2)) parts.push(Buffer.from('SET a "x \\x41\\n" \'b c\'\r\n'));
    else if (random.chance(0.1)) parts.push(Buffer.from(random.pick(breakers)));
    else parts.push(encodeRequest(Array.from({ length: 1 + random.below(4) }, () => aText(random))));
  }
  return Buffer.concat(parts);
}

/** As `toEqual`, which takes long for thousands of characters. */
function sameAs(wanted: unknown, found: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) expect(found).toEqual(wanted);
}

interface Outcome {
  readonly requests: string[][];
  readonly error: boolean;
}

/** What the parser makes of the pieces. Anything but a protocol error is not for it to throw. */
function parsed(input: readonly Buffer[]): Outcome {
  const parser = new RespParser(limits);
  const requests: string[][] = [];
  let handedIn = 0;
  try {
    for (const piece of input) {
      parser.push(piece);
      handedIn += piece.length;
      for (let args = parser.next(); args !== null; args = parser.next()) {
        requests.push(args);
        // Each takes some of what came: no loop.
        if (requests.length > handedIn || args.length > handedIn)
          throw new Error('more came out than went in');
      }
      // What is kept is a request that may yet become complete, and no more than the last piece beside it.
      const kept = parser.buffered;
      if (kept > handedIn || kept > limits.requestBytes + limits.inlineBytes + piece.length)
        throw new Error(`${kept} bytes are kept`);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { requests, error: true };
  }
  return { requests, error: false };
}

describe('requests that were damaged', () => {
  it('are the same requests, then the same refusal, however they are split', () => {
    eachSeed(800, (random) => {
      const valid = aConversation(random);
      const bytes = damaged(random, valid, [aConversation(random), valid]);
      const whole = parsed([Buffer.from(bytes)]);
      for (let times = 0; times < 2; times++) sameAs(whole, parsed(pieces(random, bytes)));
    });
  });

  it('are served as far as they are whole', () => {
    eachSeed(500, (random) => {
      const requests = Array.from({ length: 1 + random.below(6) }, () => [
        'SET',
        aText(random).slice(0, 300),
      ]);
      const intact = Buffer.concat(requests.map((request) => encodeRequest(request)));
      const rest = damaged(random, aConversation(random), [intact]);
      const { requests: found } = parsed(pieces(random, Buffer.concat([intact, rest])));
      expect(found.slice(0, requests.length)).toEqual(requests);
    });
  });

  it('pitfall 09: cost no memory for what they announce', () => {
    const before = process.memoryUsage();
    const parsers: RespParser[] = [];
    for (let i = 0; i < 2000; i++) {
      const parser = new RespParser(defaultRequestLimits);
      parser.push(Buffer.from(i % 2 === 0 ? '*1048576\r\n$33554432\r\nx' : '*2\r\n$33554432\r\n$'));
      expect(parser.next()).toBeNull();
      parsers.push(parser);
    }
    const after = process.memoryUsage();
    // They announced 64 GB and more.
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 << 20);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(64 << 20);
    expect(parsers).toHaveLength(2000);
  });
});

const replies = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':12\r\n',
  '$5\r\nhello\r\n',
  '*3\r\n$1\r\na\r\n:1\r\n*1\r\n_\r\n',
  '%1\r\n+k\r\n#t\r\n',
  '=7\r\ntxt:abc\r\n',
  '$-1\r\n*-1\r\n',
];

function repliesIn(input: readonly Buffer[]): { replies: unknown[]; error: boolean } {
  const parser = new ReplyParser();
  const found: unknown[] = [];
  let handedIn = 0;
  try {
    for (const piece of input) {
      parser.push(piece);
      handedIn += piece.length;
      for (let reply = parser.next(); reply !== undefined; reply = parser.next()) {
        found.push(reply);
        if (found.length > handedIn) throw new Error('more came out than went in');
      }
    }
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    return { replies: found, error: true };
  }
  return { replies: found, error: false };
}

describe('replies that were damaged', () => {
  it('are the same replies, then malformed, however they are split', () => {
    eachSeed(1500, (random) => {
      const some = (): Buffer =>
        Buffer.from(Array.from({ length: 1 + random.below(4) }, () => random.pick(replies)).join(''));
      const bytes = damaged(random, some(), [some()]);
      const whole = repliesIn([Buffer.from(bytes)]);
      sameAs(whole, repliesIn(pieces(random, bytes)));
    });
  });

  it.each(['=2\r\nab\r\n', '*Infinity\r\n', '$x\r\n', '$1e3\r\n', '%-2\r\n'])(
    'such as %j are malformed',
    (text) => {
      expect(repliesIn([Buffer.from(text)])).toEqual({ replies: [], error: true });
    },
  );

  it('and nested without end are malformed', () => {
    expect(repliesIn([Buffer.from('*1\r\n'.repeat(100_000))])).toEqual({ replies: [], error: true });
  });
});
