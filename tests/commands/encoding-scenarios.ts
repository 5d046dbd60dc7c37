import { differs, scenario, since72 } from '../support/redis-script.ts';

const setsOf72 = 'Redis 7.0 has no compact encoding for sets of texts';
const listsOf72 = 'Redis 7.0 has one encoding for lists';
const compact = '$8\r\nlistpack\r\n';
const long = 'x'.repeat(65);
const restored = `
    CONFIG SET hash-max-listpack-entries 512 hash-max-listpack-value 64 set-max-intset-entries 512
    CONFIG SET zset-max-listpack-entries 128 zset-max-listpack-value 64 list-max-listpack-size -2
    `;

function numbers(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i).join(' ');
}

export const encodingScenarios = [
  scenario(
    'parameters of encodings, by their old names too',
    `
    CONFIG GET hash-max-listpack-entries
    CONFIG GET hash-max-ziplist-entries
    CONFIG GET hash-max-listpack-value
    CONFIG GET list-max-listpack-size
    CONFIG GET list-compress-depth
    CONFIG GET set-max-intset-entries
    CONFIG GET zset-max-listpack-entries
    CONFIG GET zset-max-listpack-value
    CONFIG SET hash-max-ziplist-entries 3
    CONFIG GET hash-max-listpack-entries
    CONFIG SET hash-max-listpack-value 1kb
    CONFIG GET hash-max-ziplist-value
    CONFIG SET list-max-ziplist-size 7
    CONFIG GET list-max-listpack-size
    CONFIG SET list-compress-depth 2
    CONFIG GET list-compress-depth
    CONFIG SET list-compress-depth 0
    CONFIG SET list-compress-depth -1
    CONFIG SET list-max-listpack-size 2147483648
    CONFIG SET list-max-listpack-size x
    CONFIG SET list-max-listpack-size 1kb
    CONFIG SET hash-max-listpack-value x
    CONFIG SET zset-max-listpack-entries 1.5
    CONFIG SET set-max-intset-entries ""
    CONFIG SET zset-max-ziplist-value 10 zset-max-listpack-entries x
    CONFIG GET zset-max-listpack-value
    `,
    restored,
  ),
  scenario(
    'OBJECT ENCODING of hashes, by how many fields there were and how long they are',
    `
    CONFIG SET hash-max-listpack-entries 2 hash-max-listpack-value 8
    HSET h a 1 b 12345678
    OBJECT ENCODING h
    HSET h c 1
    OBJECT ENCODING h
    HDEL h b c
    OBJECT ENCODING h
    HSET i a 123456789
    OBJECT ENCODING i
    HSET i a 1
    OBJECT ENCODING i
    RENAME i j
    OBJECT ENCODING j
    COPY j k
    OBJECT ENCODING k
    CONFIG SET hash-max-listpack-entries 0
    HSET l a 1
    OBJECT ENCODING l
    `,
    restored,
    ...[300, 511, 512, 513].map((fields) => `HSET h${fields} ${numbers(1, fields * 2)}`),
    ...[300, 511, 512, 513].map((fields) => `OBJECT ENCODING h${fields}`),
  ),
  scenario(
    'OBJECT ENCODING of sorted sets, by how many members there were and how long they are',
    `
    CONFIG SET zset-max-listpack-entries 2 zset-max-listpack-value 8
    ZADD z 1 a 2 12345678
    OBJECT ENCODING z
    ZADD z 3 c
    OBJECT ENCODING z
    ZREM z c a
    OBJECT ENCODING z
    ZADD y 1 123456789
    OBJECT ENCODING y
    `,
    restored,
  ),
  scenario(
    'OBJECT ENCODING of sets of integers, by how many there were',
    `
    CONFIG SET set-max-intset-entries 3
    SADD s 1 2 3
    OBJECT ENCODING s
    SADD s 4
    OBJECT ENCODING s
    SREM s 4 3 2
    OBJECT ENCODING s
    `,
    restored,
    `SADD t ${numbers(1, 512)}`,
    `
    OBJECT ENCODING t
    SADD t 513
    OBJECT ENCODING t
    SADD u 1 ${long}
    OBJECT ENCODING u
    `,
    `SADD v ${numbers(1, 127)}`,
    'OBJECT ENCODING v',
    'SADD v a',
    since72('OBJECT ENCODING v', compact, setsOf72),
    'SADD v b',
    'OBJECT ENCODING v',
    `SADD w ${numbers(1, 200)}`,
    `SREM w ${numbers(11, 200)}`,
    'SADD w a',
    since72('OBJECT ENCODING w', compact, setsOf72),
  ),
  scenario(
    'OBJECT ENCODING of lists, by number or bytes',
    'CONFIG SET list-max-listpack-size 2',
    'RPUSH l a b',
    since72('OBJECT ENCODING l', compact, listsOf72),
    'RPUSH l c',
    'OBJECT ENCODING l',
    `RPUSH m ${'x'.repeat(8190)}`,
    'OBJECT ENCODING m',
    'CONFIG SET list-max-listpack-size -1',
    `RPUSH n ${'x'.repeat(4000)}`,
    since72('OBJECT ENCODING n', compact, listsOf72),
    `RPUSH n ${'x'.repeat(200)}`,
    'OBJECT ENCODING n',
    'CONFIG SET list-max-listpack-size -7',
    `RPUSH o ${'x'.repeat(60_000)}`,
    since72('OBJECT ENCODING o', compact, listsOf72),
    restored,
  ),
  scenario(
    'FUNCTION, where there are no functions',
    `
    FUNCTION FLUSH
    FUNCTION FLUSH ASYNC
    FUNCTION FLUSH sync
    FUNCTION FLUSH x
    FUNCTION FLUSH SYNC SYNC
    FUNCTION LIST
    FUNCTION LIST WITHCODE
    FUNCTION LIST LIBRARYNAME *
    FUNCTION LIST LIBRARYNAME
    FUNCTION LIST WITHCODE WITHCODE
    FUNCTION LIST x
    FUNCTION
    FUNCTION NOSUCH
    `,
    differs('FUNCTION STATS', '', 'no engine is there to run functions'),
  ),
];
