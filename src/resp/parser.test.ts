import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { defaultRequestLimits, ProtocolError, RespParser } from './parser.ts';
import { encodeRequest, ReplyParser } from './reply-parser.ts';
import { RespWriter } from './reply-writer.ts';

const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array).latin1Slice());

function parseAll(parser: RespParser): string[][] {
  const requests: string[][] = [];
  for (let args = parser.next(); args !== null; args = parser.next()) requests.push(args);
  return requests;
}

function parsed(text: string): string[][] {
  const parser = new RespParser(defaultRequestLimits);
  parser.push(Buffer.from(text, 'latin1'));
  return parseAll(parser);
}

describe('the request parser', () => {
  it('finds the same requests however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(bytes, { minLength: 1, maxLength: 5 }), { maxLength: 8 }),
        fc.array(fc.nat(40)),
        (requests, cuts) => {
          const parser = new RespParser(defaultRequestLimits);
          let rest = Buffer.concat(requests.map(encodeRequest));
          const found: string[][] = [];
          for (const cut of [...cuts, rest.length]) {
            parser.push(rest.subarray(0, cut));
            rest = rest.subarray(cut);
            found.push(...parseAll(parser));
          }
          expect(found).toEqual(requests);
          expect(parser.buffered).toBe(0);
        },
      ),
    );
  });

  it('finds arguments of every length, in requests with few and with many of them', () => {
    for (const length of [0, 1, 9, 10, 16, 17, 99, 100, 999, 1000, 9998, 9999, 10_000, 10_001, 70_000]) {
      const value = 'v'.repeat(length);
      const requests = [[value], ['a', value], ['SET', value, value], ['MSET', 'a', value, 'b']];
      const sent = Buffer.concat(requests.map(encodeRequest));
      expect(parsed(sent.latin1Slice())).toEqual(requests);
      const parser = new RespParser(defaultRequestLimits);
      const found: string[][] = [];
      const cuts = [0, 1, 7, 30, sent.length];
      for (let i = 1; i < cuts.length; i++) {
        parser.push(sent.subarray(cuts[i - 1], cuts[i]));
        found.push(...parseAll(parser));
      }
      expect(found).toEqual(requests);
    }
  });

  it('keeps to small limits in short requests too', () => {
    const parse = (text: string, limits: object): string[][] => {
      const parser = new RespParser({ ...defaultRequestLimits, ...limits });
      parser.push(Buffer.from(text, 'latin1'));
      return parseAll(parser);
    };
    const text = '*2\r\n$3\r\nGET\r\n$5\r\nhello\r\n';
    expect(parse(text, { bulkBytes: 5 })).toEqual([['GET', 'hello']]);
    expect(() => parse(text, { bulkBytes: 4 })).toThrow('invalid bulk length');
    expect(() => parse(text, { requestBytes: 20 })).toThrow('too big request');
  });

  it.each(['*02\r\n', '*2\rx', '*1\r\n$01\r\na\r\n', '*1\r\n$1a\r\n', '*1\r\n:1\r\na\r\n'])(
    'refuses the short request %j, with enough bytes behind it to tell',
    (text) => {
      expect(() => parsed(`${text}........`)).toThrow(ProtocolError);
    },
  );

  it('never hangs and never throws anything but a protocol error on nonsense', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('*2\r\n', '$3\r\n', '*-1\r\n', '\r\n', 'GET x\r\n', '"'), bytes)),
        (pieces) => {
          const parser = new RespParser(defaultRequestLimits);
          try {
            for (const piece of pieces) {
              parser.push(Buffer.from(piece, 'latin1'));
              parseAll(parser);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        },
      ),
    );
  });

  it('reads lines typed by hand', () => {
    expect(parsed('SET a "x \\x41\\n"\r\n\r\nGET \'b c\'\n')).toEqual([
      ['SET', 'a', 'x A\n'],
      ['GET', 'b c'],
    ]);
  });

  it.each([
    ['*1\r\n+PING\r\n', "expected '$', got '+'"],
    ['*x\r\n', 'invalid multibulk length'],
    ['*9999999999\r\n', 'invalid multibulk length'],
    ['*1\r\n$-5\r\n', 'invalid bulk length'],
    ['*1\r\n$99999999999\r\n', 'invalid bulk length'],
    ['GET "a\r\n', 'unbalanced quotes'],
    ['x'.repeat(70_000), 'too big inline request'],
    [`*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(70_000)}`, 'too big bulk count string'],
  ])('refuses %j as Redis does', (text, complaint) => {
    expect(() => parsed(text)).toThrow(complaint);
  });
});

describe('the request parser, of strangers', () => {
  it.each([
    ['*11\r\n', 'unauthenticated multibulk length'],
    ['*2\r\n$16385\r\n', 'unauthenticated bulk length'],
  ])('takes no %j', (text, complaint) => {
    const parser = new RespParser(defaultRequestLimits);
    parser.stranger = true;
    parser.push(Buffer.from(text));
    expect(() => parser.next()).toThrow(complaint);
  });
});

describe('the reply writer', () => {
  it('writes what the reply parser reads', () => {
    for (const protocol of [2, 3] as const) {
      const writer = new RespWriter(new ByteWriter(16));
      writer.protocol = protocol;
      writer.ok();
      writer.integer(-5);
      writer.map(1);
      writer.bulk('k');
      writer.nil();
      writer.error('ERR two\r\nlines');
      writer.verbatim('text');
      writer.boolean(true);
      const parser = new ReplyParser();
      for (const byte of writer.out.take()) parser.push(Buffer.from([byte]));
      expect([1, 2, 3].map(() => parser.next())).toEqual(['OK', -5, ['k', null]]);
      expect(parser.next()).toMatchObject({ message: 'ERR two  lines' });
      expect(parser.next()).toBe('text');
      expect(parser.next()).toBe(1);
      expect(parser.next()).toBeUndefined();
    }
  });
});
