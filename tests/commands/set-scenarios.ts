import { tooLargeResult } from '../../src/commands/parse.ts';
import { differs, oneEntry, parseLine, scenario, since72 } from '../support/redis-script.ts';

/** Members 1 to `count`, each in `width` digits. */
function numbered(count: number, width = 1): string {
  return Array.from({ length: count }, (_, i) => String(i + 1).padStart(width, '0')).join(' ');
}

/** Seven members of 100,000 bytes, which begin with this letter. */
function large(letter: string): string {
  return Array.from({ length: 7 }, (_, i) => letter + String(i).repeat(99_999)).join(' ');
}

export const setScenarios = [
  scenario(
    'SADD, SREM, SCARD, SISMEMBER, SMISMEMBER and SMEMBERS',
    `
    SADD s a
    SADD s a b a c ""
    SCARD s
    * SMEMBERS s
    SISMEMBER s a
    SISMEMBER s x
    SISMEMBER s ""
    SMISMEMBER s a x b a
    SREM s a a x
    SREM s x
    SMEMBERS none
    SCARD none
    SISMEMBER none a
    SMISMEMBER none a b
    SREM none a
    SREM s b c "" d
    EXISTS s
    TYPE s
    SADD s "\\x00\\xff\\r\\n"
    SMEMBERS s
    TYPE s
    SADD
    SADD s
    SREM s
    SCARD
    SCARD s t
    SISMEMBER s
    SISMEMBER s a b
    SMISMEMBER s
    SMEMBERS
    SMEMBERS s t
    `,
  ),
  scenario(
    'sets refuse keys of another type, and others refuse sets',
    `
    SET {k} v
    SADD {k} a
    SREM {k} a
    SCARD {k}
    SISMEMBER {k} a
    SMISMEMBER {k} a
    SMEMBERS {k}
    SPOP {k}
    SPOP {k} 2
    SRANDMEMBER {k}
    SRANDMEMBER {k} 2
    SSCAN {k} 0
    SMOVE {k} {k}2 a
    SMOVE {k}2 {k} a
    SADD {k}2 a
    SMOVE {k}2 {k} a
    SMOVE {k}2 {k} b
    SINTER {k}2 {k}
    SINTER {k}none {k}
    SINTER {k} {k}none
    SUNION {k}2 {k}
    SDIFF {k}2 {k}
    SDIFF {k}none {k}
    SINTERCARD 2 {k}2 {k}
    SINTERSTORE {k}3 {k}2 {k}
    SUNIONSTORE {k}3 {k}2 {k}
    SDIFFSTORE {k}3 {k}2 {k}
    EXISTS {k}3
    GET {k}2
    INCR {k}2
    HSET {k}2 f v
    APPEND {k}2 x
    SUNIONSTORE {k} {k}2
    TYPE {k}
    SMEMBERS {k}
    `,
  ),
  scenario(
    'SMOVE',
    `
    SADD {k}1 a b
    SMOVE {k}1 {k}2 x
    SMOVE {k}1 {k}2 a
    SMOVE {k}1 {k}1 b
    SMOVE {k}1 {k}1 x
    SADD {k}2 b
    SMOVE {k}1 {k}2 b
    EXISTS {k}1
    * SMEMBERS {k}2
    SMOVE {k}1 {k}2 a
    SMOVE a b c
    SMOVE {k}1 {k}2
    `,
  ),
  scenario(
    'SPOP and SRANDMEMBER, where chance decides nothing',
    `
    SPOP s
    SPOP s 1
    SPOP s 0
    SRANDMEMBER s
    SRANDMEMBER s 1
    SRANDMEMBER s -1
    SADD s a
    SRANDMEMBER s
    SRANDMEMBER s 5
    SRANDMEMBER s 1
    SRANDMEMBER s -3
    SRANDMEMBER s 0
    SPOP s 0
    SPOP s
    EXISTS s
    SADD s a b c
    * SRANDMEMBER s 3
    * SRANDMEMBER s 4
    * SPOP s 3
    EXISTS s
    SADD s a b c
    * SPOP s 9223372036854775807
    EXISTS s
    SADD s a b c
    ? SPOP s 2
    SCARD s
    ? SPOP s
    EXISTS s
    SPOP s -1
    SPOP s x
    SPOP s 1.5
    SPOP s 9223372036854775808
    SPOP s 1 2
    SPOP
    SRANDMEMBER s x
    SRANDMEMBER s 1 2
    SRANDMEMBER s -9223372036854775808
    SRANDMEMBER s 9223372036854775808
    SRANDMEMBER
    `,
  ),
  scenario(
    'SINTER, SUNION and SDIFF',
    `
    SADD {s}1 a b c d
    SADD {s}2 c
    SADD {s}3 a c e
    * SINTER {s}1 {s}3
    SINTER {s}1 {s}2 {s}3
    SINTER {s}1 {s}none
    * SINTER {s}1
    * SINTER {s}1 {s}1
    SINTER {s}none
    * SUNION {s}1 {s}2 {s}3
    * SUNION {s}1 {s}none
    SUNION {s}none
    * SDIFF {s}1 {s}2 {s}3
    * SDIFF {s}1 {s}none
    * SDIFF {s}1
    SDIFF {s}1 {s}1
    SDIFF {s}none {s}1
    SDIFF {s}1 {s}2 {s}1
    SINTER
    SUNION
    SDIFF
    SINTER a b
    SUNION a b
    SDIFF a b
    `,
  ),
  scenario(
    'SINTERSTORE, SUNIONSTORE and SDIFFSTORE',
    `
    SADD {s}1 a b c d
    SADD {s}2 c
    SADD {s}3 a c e
    SINTERSTORE {d} {s}1 {s}3
    * SMEMBERS {d}
    SUNIONSTORE {d} {s}1 {s}3
    * SMEMBERS {d}
    SDIFFSTORE {d} {s}1 {s}3
    * SMEMBERS {d}
    EXPIREAT {d} 33177117420
    SINTERSTORE {d} {s}1 {s}2
    TTL {d}
    SMEMBERS {d}
    SINTERSTORE {d} {s}2 {s}none
    EXISTS {d}
    SINTERSTORE {d} {s}none
    SET {d} v
    SUNIONSTORE {d} {s}none {s}none2
    EXISTS {d}
    SET {d} v
    SDIFFSTORE {d} {s}1 {s}2
    TYPE {d}
    SUNIONSTORE {s}1 {s}1 {s}3
    * SMEMBERS {s}1
    SDIFFSTORE {s}1 {s}1 {s}3
    * SMEMBERS {s}1
    SDIFFSTORE {s}1 {s}2 {s}2
    EXISTS {s}1
    SINTERSTORE {d}
    SUNIONSTORE {d}
    SDIFFSTORE {d}
    SINTERSTORE a b c
    `,
  ),
  scenario(
    'SINTERCARD',
    `
    SADD {s}1 a b c d
    SADD {s}2 b c d e
    SINTERCARD 2 {s}1 {s}2
    SINTERCARD 1 {s}1
    SINTERCARD 2 {s}1 {s}none
    SINTERCARD 2 {s}1 {s}2 LIMIT 2
    SINTERCARD 2 {s}1 {s}2 LIMIT 0
    SINTERCARD 2 {s}1 {s}2 LIMIT 9
    SINTERCARD 2 {s}1 {s}2 limit 1
    SINTERCARD 2 {s}1 {s}2 LIMIT 1 LIMIT 2
    SINTERCARD 2 {s}1 {s}2 LIMIT -1
    SINTERCARD 2 {s}1 {s}2 LIMIT x
    SINTERCARD 2 {s}1 {s}2 LIMIT
    SINTERCARD 2 {s}1 {s}2 x 1
    SINTERCARD 2 {s}1 {s}2 x
    SINTERCARD 0 {s}1
    SINTERCARD -1 {s}1
    SINTERCARD x {s}1
    SINTERCARD 3 {s}1 {s}2
    SINTERCARD 9223372036854775807 {s}1 {s}2
    SINTERCARD 1
    SINTERCARD
    COMMAND GETKEYS SINTERCARD 2 a b LIMIT 1
    COMMAND GETKEYS SINTERCARD 3 a b
    COMMAND GETKEYS SINTERCARD 0 a
    COMMAND GETKEYS SINTERCARD x a
    SINTERCARD 2 a b
    `,
  ),
  scenario(
    'SSCAN',
    `
    SSCAN none 0
    SADD s 1 2 3 abc
    SSCAN s 0 COUNT 100 MATCH a*
    SSCAN s 0 MATCH a*
    SSCAN s 0 COUNT 100 MATCH none
    SSCAN s x
    SSCAN s 0 COUNT 0
    SSCAN s 0 COUNT x
    SSCAN s 0 COUNT
    SSCAN s 0 TYPE set
    SSCAN s 0 NOVALUES
    SSCAN s
    `,
  ),
  scenario(
    'OBJECT ENCODING of sets',
    `
    SADD s 1 2 3
    OBJECT ENCODING s
    SADD s 9223372036854775807 -9223372036854775808 0
    OBJECT ENCODING s
    SADD s 9223372036854775808
    SADD t ${'x'.repeat(65)}
    OBJECT ENCODING t
    SADD u ${numbered(513)}
    OBJECT ENCODING u
    SADD v ${numbered(129, 5)}
    OBJECT ENCODING v
    SADD w a
    `,
    since72('OBJECT ENCODING w', '$8\r\nlistpack\r\n', 'small sets of strings are compact too'),
  ),
  scenario(
    'many members of a set with a long key',
    parseLine(`SADD ${'k'.repeat(5000)} ${numbered(2000)}`),
    `SCARD ${'k'.repeat(5000)}`,
    parseLine(`SREM ${'k'.repeat(5000)} ${numbered(1999)}`),
    `SMEMBERS ${'k'.repeat(5000)}`,
  ),
  scenario(
    'results that an entry of the log cannot take are refused, and nothing has changed',
    parseLine(`SADD {k}1 ${large('a')}`),
    parseLine(`SADD {k}2 ${large('b')}`),
    'SET {k}3 v',
    differs('SUNIONSTORE {k}3 {k}1 {k}2', `-${tooLargeResult}\r\n`, oneEntry),
    parseLine(`SADD {k}1 ${large('c')}`),
    differs('SPOP {k}1 13', `-${tooLargeResult}\r\n`, oneEntry),
    '* SUNIONSTORE {k}2 {k}2',
    'MULTI',
    'SUNIONSTORE {k}4 {k}2',
    'SUNIONSTORE {k}5 {k}2',
    'STRLEN {k}3',
    differs('EXEC', `*3\r\n:7\r\n-${tooLargeResult}\r\n:1\r\n`, oneEntry),
  ),
  scenario(
    'sets in transactions, copied, renamed and expired',
    `
    MULTI
    SADD {s}1 a b
    SMEMBERS {s}none
    SPOP {s}none
    SREM {s}1 b
    SCARD {s}1
    SINTERCARD 0 {s}1
    EXEC
    COPY {s}1 {s}2
    SADD {s}2 b
    SCARD {s}1
    RENAME {s}2 {s}1
    SCARD {s}1
    WATCH {s}1
    b> SADD {s}1 z
    MULTI
    SCARD {s}1
    EXEC
    WATCH {s}1
    b> SADD {s}1 z
    MULTI
    SCARD {s}1
    EXEC
    PEXPIREAT {s}1 1
    SMEMBERS {s}1
    SADD {s}1 q
    TTL {s}1
    SMEMBERS {s}1
    `,
  ),
];
