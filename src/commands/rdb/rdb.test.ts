import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedBytes } from '../../bytes/byte-reader.ts';
import { HashValue, ListValue, SetValue, SortedSetValue } from '../../state/collections.ts';
import type { Value } from '../../state/entry.ts';
import { stringValue } from '../../state/entry.ts';
import { formatScore } from '../scores.ts';
import { crc64 } from './crc64.ts';
import { lzfDecompress } from './lzf.ts';
import { blob, oldDumps, sealed, texts, ziplistOf } from './old-encodings-test-kit.ts';
import type { Budget } from './packed.ts';
import type { DumpedValue } from './read-value.ts';
import { readValue } from './read-value.ts';
import { dumpOf } from './write-value.ts';

const boundless: Budget = { take: () => {} };

function read(dump: Buffer): DumpedValue {
  const body = dump.subarray(0, dump.length - 8);
  expect(crc64(body)).toEqual(dump.subarray(dump.length - 8));
  return readValue(dump.subarray(0, dump.length - 10), boundless);
}

/** As plain values that can be compared. */
function plain(value: DumpedValue): unknown {
  switch (value.type) {
    case 'string':
      return value.text;
    case 'list':
      return value.items;
    case 'set':
      return [...value.members].sort();
    case 'hash':
      return Object.fromEntries(value.fields);
    case 'zset':
      return Object.fromEntries([...value.scores].map(([member, score]) => [member, formatScore(score)]));
  }
}

/** What DUMP of Redis 7.2.4 answered. */
const redisDumps: readonly (readonly [what: string, hex: string, value: unknown])[] = [
  ['a text', '000568656c6c6f0b000aad620598abc983', 'hello'],
  ['an integer', '00c1d4fe0b00af1b3b50032137a7', '-300'],
  ['a compressed text', '00c30a405002616261e042010161620b00fd42e27d4c414dcc', 'ab'.repeat(40)],
  [
    'a quicklist, compressed',
    '120102c32b406d106d00000008008161020101ded402e04678e03c000648f2a0860104f4205b4000088009f1401f038001ff0b0032b132c65dea2029',
    ['a', '1', '-300', 'x'.repeat(70), '100000', '-9223372036854775808', '8000', ''],
  ],
  [
    'a set of integers',
    '0b140400000003000000fbffffff01000000701101000b00ef7f06bcc7bd04ac',
    ['-5', '1', '70000'],
  ],
  ['a set in a listpack', '140c0c00000002008161020c01ff0b001d927c43fd62d12a', ['12', 'a']],
  [
    'a hash table',
    '0403016601760167c00c0168c3094064017878e057000178780b0092af137f450f8edd',
    { f: 'v', g: '12', h: 'x'.repeat(100) },
  ],
  [
    'a sorted set in a listpack',
    '111d1d0000000600816202842d696e660581610283312e35048163020301ff0b0040af78fc307915b8',
    { a: '1.5', b: '-inf', c: '3' },
  ],
  ['a set in a table', '0203c0fbc270110100c0010b0069f32b956c646681', ['-5', '1', '70000']],
  [
    'a skip list',
    '0503016300000000000008400161000000000000f83f0162000000000000f0ff0b00f37dee569c930372',
    { a: '1.5', b: '-inf', c: '3' },
  ],
];

test('the checksum is the one that Redis names', () => {
  expect(crc64(Buffer.from('123456789')).toString('hex')).toBe('cad9b8c414d9c6e9');
});

describe('a dump is read', () => {
  test.each(redisDumps)('that Redis wrote: %s', (_, hex, value) => {
    expect(plain(read(Buffer.from(hex, 'hex')))).toEqual(value);
  });

  test.each(oldDumps)('of a Redis of old: %s', (_, dump, value) => {
    expect(plain(read(dump))).toEqual(value);
  });
});

const anyText = fc.oneof(
  fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 90,
  }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.integer({ min: -70_000, max: 70_000 }).map(String),
  fc.constantFrom(...texts, '-0', '01', '+1', '2147483648', '-2147483649'),
);
const someTexts = fc.uniqueArray(anyText, { minLength: 1, maxLength: 40 });

const anyValue: fc.Arbitrary<Value> = fc.oneof(
  anyText.map(stringValue),
  fc.constant(stringValue('long'.repeat(40_000))),
  someTexts.map((items) => {
    const list = new ListValue();
    for (const item of items) list.insert(0, item);
    return list;
  }),
  someTexts.map((members) => {
    const set = new SetValue();
    for (const member of members) set.add(member);
    return set;
  }),
  someTexts.map((names) => {
    const hash = new HashValue();
    names.forEach((name, i) => {
      hash.set(name, names[names.length - 1 - i] as string);
    });
    return hash;
  }),
  fc
    .tuple(someTexts, fc.array(fc.double({ noNaN: true }), { minLength: 40, maxLength: 40 }))
    .map(([names, scores]) => {
      const sorted = new SortedSetValue();
      names.forEach((name, i) => {
        sorted.put(name, scores[i] as number);
      });
      return sorted;
    }),
);

function plainOf(value: Value): unknown {
  if (typeof value === 'string') return value;
  switch (value.type) {
    case 'string':
      return value.slice(0, value.length);
    case 'list':
      return [...value.items.from()];
    case 'set':
      return [...value.members.keys()].sort();
    case 'hash':
      return Object.fromEntries(value.fields.entries());
    case 'zset':
      return Object.fromEntries(
        Array.from(value.order.from(), ({ member, score }) => [member, formatScore(score)]),
      );
  }
}

test('what was dumped is read back', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      expect(plain(read(dumpOf(value)))).toEqual(plainOf(value));
    }),
  );
});

describe('bytes that are no dump', () => {
  const samples = [
    ...redisDumps.map(([, hex]) => Buffer.from(hex, 'hex')),
    ...oldDumps.map(([, dump]) => dump),
    sealed(11, blob(Buffer.from('02000000020000000100feff', 'hex'))),
  ].map((dump) => dump.subarray(0, dump.length - 10));

  function isReadOrRefused(bytes: Buffer): void {
    let most = 0;
    const budget: Budget = {
      take: (taken) => {
        most += taken;
      },
    };
    try {
      const value = readValue(bytes, budget);
      expect(plain(value)).not.toEqual([]);
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedBytes);
    }
    // No more than LZF can make of them.
    expect(most).toBeLessThanOrEqual(bytes.length * 264 * 2);
  }

  test('are refused, or read as something, but break nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 22 }), fc.uint8Array({ maxLength: 200 }), (type, body) =>
        isReadOrRefused(Buffer.from([type, ...body])),
      ),
      { numRuns: 2000 },
    );
  });

  test('are refused, or read as something, when they were changed here and there', () => {
    const change = fc.tuple(fc.nat(), fc.constantFrom('set', 'insert', 'drop', 'cut'), fc.nat(255));
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (sample, changes) => {
          let bytes = Buffer.from(sample);
          for (const [where, how, byte] of changes) {
            const at = where % (bytes.length + 1);
            const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
            if (how === 'set' && at < bytes.length) bytes[at] = byte;
            else if (how === 'insert') bytes = Buffer.concat([head, Buffer.from([byte]), tail]);
            else if (how === 'drop') bytes = Buffer.concat([head, tail.subarray(1)]);
            else bytes = Buffer.from(head);
          }
          isReadOrRefused(bytes);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test.each([
    ['an empty list', 1, '00'],
    ['an empty ziplist', 10, blob(ziplistOf([])).toString('hex')],
    ['a member twice', 2, '0201610161'],
    ['a field twice', 4, '020161016201610163'],
    ['half a pair', 13, blob(ziplistOf(['a'])).toString('hex')],
    ['a score that is no number', 5, '010161000000000000f87f'],
    ['integers out of order', 11, blob(Buffer.from('020000000200000002000100', 'hex')).toString('hex')],
    ['a stream', 15, '00'],
    ['more elements than bytes', 1, '81001fffffffffffff'],
    ['a compressed text that claims too much', 0, 'c30180ffffffff00'],
    ['a text that is not there', 0, '80ffffffff'],
  ])('are refused: %s', (_, type, hex) => {
    expect(() => readValue(Buffer.from([type, ...Buffer.from(hex, 'hex')]), boundless)).toThrow(
      MalformedBytes,
    );
  });

  test('stop at the budget before they are unpacked', () => {
    const bomb = Buffer.concat([
      Buffer.from([0, 0xc3, 0x80, 0, 1, 0, 0, 0x80, 1, 0, 0, 0]),
      Buffer.alloc(65_536, 0xff),
    ]);
    const budget: Budget = {
      take: (bytes) => {
        if (bytes > 1 << 20) throw new RangeError('too much');
      },
    };
    expect(() => readValue(bomb, budget)).toThrow(RangeError);
  });

  test('of LZF that point before the text or behind it are refused', () => {
    for (const bytes of [
      [0x20, 0],
      [0x00],
      [0x1f, 1],
      [0x00, 65, 0xe0],
      [0x00, 65, 0x20, 5],
      [0x01, 65, 66, 0xff, 0xff, 0],
    ])
      expect(() => lzfDecompress(Buffer.from(bytes), 40)).toThrow(MalformedBytes);
  });
});
