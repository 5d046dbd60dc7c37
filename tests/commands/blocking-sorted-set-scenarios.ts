import { blocked, hears, raw, scenario, since72 } from '../support/redis-script.ts';

export const blockingSortedSetScenarios = [
  scenario(
    'pops from the first of several sorted sets',
    `
    ZADD {k}a 1 a 2 b 3 c 4 d 5 e 6 f
    ZADD {k}b 1 x 2.5 y
    ZMPOP 1 {k}a MIN
    ZMPOP 1 {k}a MAX
    ZMPOP 2 {k}none {k}a min COUNT 2
    ZMPOP 3 {k}none {k}b {k}a MAX COUNT 10
    EXISTS {k}b
    ZMPOP 1 {k}none MIN
    ZMPOP 2 {k}none {k}other MAX COUNT 3
    BZPOPMIN {k}a 0
    BZPOPMAX {k}none {k}a 0
    EXISTS {k}a
    ZADD {k}a 1 a 2 b 3 c inf d
    BZMPOP 0 1 {k}a MAX
    BZMPOP 1 2 {k}none {k}a MIN COUNT 2
    BZPOPMAX {k}a {k}none 0.1
    EXISTS {k}a
    `,
  ),
  scenario(
    'arguments of pops from several sorted sets',
    `
    ZADD {k}a 1 a 2 b 3 c
    ZMPOP
    ZMPOP 0 {k}a MIN
    ZMPOP -1 {k}a MIN
    ZMPOP x {k}a MIN
    ZMPOP 1 {k}a
    ZMPOP 1 {k}a LEFT
    ZMPOP 2 {k}a MIN
    ZMPOP 9223372036854775807 {k}a MIN
    ZMPOP 1 {k}a MIN COUNT
    ZMPOP 1 {k}a MIN COUNT 0
    ZMPOP 1 {k}a MIN COUNT -1
    ZMPOP 1 {k}a MIN COUNT x
    ZMPOP 1 {k}a MIN COUNT 1 COUNT 2
    ZMPOP 1 {k}a MIN COUNT 1 x
    ZMPOP 1 {k}a MIN x 1
    BZMPOP 0 0 {k}a MIN
    BZMPOP 0 x {k}a MIN
    BZMPOP x 1 {k}a MIN
    BZMPOP -1 1 {k}a MIN
    BZMPOP 0 1 {k}a UP
    BZMPOP x 1 {k}a UP
    BZMPOP 0 1 {k}a MIN COUNT 0
    BZMPOP 0 1 {k}a MIN COUNT 1 x
    BZMPOP 0 2 {k}a MIN
    BZMPOP 0 1 {k}a
    BZPOPMIN {k}a
    BZPOPMIN {k}a x
    BZPOPMIN {k}a -1
    BZPOPMAX {k}a ""
    BZPOPMAX {k}none 0.01
    BZPOPMIN {k}none {k}none 0.02
    BZPOPMIN {k}none 0x1p-7
    BZMPOP 0.01 2 {k}none {k}other MIN COUNT 3
    BZPOPMIN a b 0
    ZMPOP 2 a b MIN
    SET {k}s v
    RPUSH {k}l v
    ZMPOP 1 {k}s MIN
    ZMPOP 2 {k}a {k}s MIN
    ZMPOP 2 {k}l {k}a MIN
    BZPOPMIN {k}s 0
    BZPOPMIN {k}none {k}l 0
    BZPOPMIN {k}s {k}a x
    BZMPOP 0 2 {k}none {k}s MIN
    BLPOP {k}a 0
    ZRANGE {k}a 0 -1
    COMMAND GETKEYS BZPOPMIN a b c 0
    COMMAND GETKEYS BZMPOP 0 2 a b MIN
    COMMAND GETKEYS ZMPOP 2 a b MIN COUNT 3
    `,
    since72('BZPOPMIN {k}a 1e400', '-ERR timeout is out of range\r\n', 'negative, or taken, before 7.2'),
  ),
  scenario(
    'those who wait for sorted sets are served in the order in which they began to',
    'a> _ BZPOPMIN k 0',
    blocked(1),
    'b> _ BZPOPMAX k l{k} 0',
    blocked(2),
    'c> _ BZMPOP 0 2 l{k} k MIN COUNT 2',
    blocked(3),
    'd> _ BZPOPMIN k 0',
    blocked(4),
    'x> ZADD l{k} 1 first',
    'x> ZADD k 1 one 2 two 3 three 4 four 5 five',
    hears('a'),
    hears('b'),
    hears('c'),
    hears('d'),
    blocked(0),
    'x> ZRANGE k 0 -1 WITHSCORES',
    'x> EXISTS l{k}',
  ),
  scenario(
    'one member goes to one client',
    'a> _ BZPOPMIN k 0',
    blocked(1),
    'b> _ BZPOPMAX k 0',
    blocked(2),
    'x> ZADD k 1 one',
    hears('a'),
    blocked(1),
    'x> ZCARD k',
    'x> ZADD k 1 one 2 two',
    hears('b'),
    'x> ZRANGE k 0 -1',
    'a> BZPOPMIN k 0',
    'x> EXISTS k',
  ),
  scenario(
    'lists and sorted sets serve those who wait for them',
    'a> _ BLPOP k 0',
    blocked(1),
    'b> _ BZPOPMIN k 0',
    blocked(2),
    'x> RPUSH k v',
    hears('a'),
    'x> ZADD k 1 m',
    hears('b'),
    'a> _ BZPOPMIN {k}a {k}b 0',
    blocked(1),
    'x> SET {k}a string',
    'x> RPUSH {k}b list',
    'x> DEL {k}b',
    'x> ZADD {k}b XX 1 m',
    blocked(1),
    'x> ZADD {k}b 1 m',
    {
      ...hears('a'),
      difference: {
        answer: '-WRONGTYPE',
        because: 'since 7.2 the command runs again, and finds the string first',
        until: [7, 2],
      },
    },
  ),
  scenario(
    'sorted sets that come by all ways are handed out',
    'x> ZADD {k}from 1 a 2 b 3 c 4 d 5 e',
    ...[
      'ZINCRBY {k}a 3 m',
      'ZADD {k}a INCR 3 m',
      'COPY {k}from {k}a',
      'ZUNIONSTORE {k}a 1 {k}from',
      'ZINTERSTORE {k}a 1 {k}from',
      'ZDIFFSTORE {k}a 1 {k}from',
      'ZRANGESTORE {k}a {k}from 1 3',
      'RENAME {k}from {k}a',
    ].flatMap((command) => [
      'a> _ BZPOPMIN {k}a 0',
      blocked(1),
      `x> ${command}`,
      hears('a'),
      'x> ZRANGE {k}a 0 -1 WITHSCORES',
      'x> DEL {k}a',
    ]),
  ),
  scenario(
    'what a transaction adds is handed out when it is complete',
    'a> _ BZPOPMIN {k}a 0',
    blocked(1),
    `
    x> MULTI
    x> ZADD {k}a 1 a
    x> DEL {k}a
    x> ZADD {k}a 5 b
    x> ZADD {k}a 3 c
    x> EXEC
    `,
    hears('a'),
    'x> ZRANGE {k}a 0 -1',
    'x> DEL {k}a',
    'a> _ BZMPOP 0 1 {k}a MAX',
    blocked(1),
    `
    x> MULTI
    x> ZADD {k}a 1 a
    x> ZREM {k}a a
    x> EXEC
    x> MULTI
    x> ZADD {k}a 1 a
    x> SET {k}a string
    x> EXEC
    x> DEL {k}a
    x> MULTI
    x> ZADD {k}a 1 a
    x> PEXPIREAT {k}a 1
    x> EXEC
    x> EXISTS {k}a
    `,
    blocked(1),
    'x> ZADD {k}a 1 last',
    hears('a'),
  ),
  scenario(
    'nothing waits for sorted sets inside a transaction',
    `
    MULTI
    BZPOPMIN {k}a 0
    BZPOPMAX {k}a {k}b 10
    BZMPOP 0 1 {k}a MIN
    BZPOPMIN {k}a x
    ZADD {k}a 1 a 2 b 3 c
    BZPOPMIN {k}a 0
    BZPOPMAX {k}a 0
    BZMPOP 0 1 {k}a MIN
    EXEC
    EXISTS {k}a
    `,
  ),
  scenario(
    'what a client sends while it waits for a sorted set is executed afterwards',
    raw('BZPOPMIN k 0\r\nSET after 1\r\nPING\r\n', 'silent'),
    blocked(1),
    'x> EXISTS after',
    'x> ZADD k 1 m',
    hears('a'),
    hears('a'),
    hears('a'),
    'x> GET after',
    'b> WATCH k',
    raw('BZPOPMAX k 0.02\r\nBZMPOP 0 1 k MIN\r\nPING\r\n', 'silent'),
    hears('a'),
    blocked(1),
    'x> ZADD k 2 m',
    hears('a'),
    hears('a'),
    'b> MULTI',
    'b> PING',
    'b> EXEC',
  ),
];
