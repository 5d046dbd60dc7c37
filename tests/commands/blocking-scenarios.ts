import { blocked, hears, raw, scenario, since72 } from '../support/redis-script.ts';

export const blockingScenarios = [
  scenario(
    'blocking commands that find a list do not wait',
    `
    RPUSH {k}a 1 2 3 4 5 6 7 8
    RPUSH {k}b x y
    BLPOP {k}a 0
    BRPOP {k}a 0
    BLPOP {k}none {k}a {k}b 1
    BRPOP {k}b {k}a 0
    BRPOPLPUSH {k}a {k}b 0
    BLMOVE {k}a {k}b LEFT RIGHT 0
    BLMPOP 0 1 {k}a LEFT
    BLMPOP 1 2 {k}none {k}a RIGHT COUNT 10
    BLMPOP 0.5 2 {k}none {k}b LEFT COUNT 2
    LRANGE {k}b 0 -1
    BLPOP {k}b 0
    EXISTS {k}b
    `,
  ),
  scenario(
    'timeouts and other arguments of blocking commands',
    `
    RPUSH {k}a 1 2 3 4
    BLPOP {k}a -1
    BLPOP {k}a -0.1
    BLPOP {k}a x
    BLPOP {k}a ""
    BLPOP {k}a -inf
    BLPOP {k}a 0x
    BLPOP {k}none -1
    BLPOP {k}none 0.05
    BLPOP {k}none {k}none 0.01
    BRPOP {k}none 0x1p-7
    BRPOP {k}none 1e-9
    BRPOPLPUSH {k}none {k}b 0.01
    BLMOVE {k}none {k}b LEFT LEFT 0.01
    BLMPOP 0.01 1 {k}none LEFT
    BLMPOP 0.01 2 {k}none {k}other LEFT COUNT 3
    BLPOP {k}a
    BLPOP
    BRPOP {k}a
    BLMOVE {k}a {k}b LEFT RIGHT
    BLMOVE {k}a {k}b UP RIGHT 0
    BLMOVE {k}a {k}b LEFT DOWN x
    BLMOVE {k}a {k}b LEFT RIGHT x
    BRPOPLPUSH {k}a {k}b
    BRPOPLPUSH {k}a {k}b -1
    BRPOPLPUSH {k}a {k}b x
    BLMPOP 0 1 {k}a
    BLMPOP x 1 {k}a LEFT
    BLMPOP -1 1 {k}a LEFT
    BLMPOP 0 0 {k}a LEFT
    BLMPOP 0 x {k}a LEFT
    BLMPOP 0 1 {k}a UP
    BLMPOP x 1 {k}a UP
    BLMPOP 0 1 {k}a LEFT COUNT 0
    BLMPOP 0 1 {k}a LEFT COUNT 1 x
    BLMPOP 0 2 {k}a LEFT
    BLPOP a b 0
    BLMOVE a b LEFT LEFT 0
    BLMPOP 0 2 a b LEFT
    DEL {k}a
    RPUSH {k}a 1 2 3
    SET {k}s v
    BLPOP {k}s 0
    BLPOP {k}none {k}s 0
    BLPOP {k}s {k}a x
    BLMOVE {k}s {k}b LEFT LEFT 0
    BLMOVE {k}a {k}s LEFT LEFT 0
    BRPOPLPUSH {k}a {k}s 0
    BLMPOP 0 2 {k}none {k}s LEFT
    LRANGE {k}a 0 -1
    COMMAND GETKEYS BLPOP a b c 0
    COMMAND GETKEYS BLMPOP 0 2 a b LEFT
    COMMAND GETKEYS BLMOVE a b LEFT LEFT 0
    `,
    ...['1e400', 'inf', '1e20', '9223372036854775807', '9223372036854775'].map((timeout) =>
      since72(`BLPOP {k}a ${timeout}`, '-ERR timeout is out of range\r\n', 'negative, or taken, before 7.2'),
    ),
  ),
  scenario(
    'those who wait are served in the order in which they began to',
    'a> _ BLPOP k 0',
    blocked(1),
    'b> _ BRPOP k l{k} 0',
    blocked(2),
    'c> _ BLMPOP 0 2 l{k} k LEFT COUNT 2',
    blocked(3),
    'd> _ BLPOP k 0',
    blocked(4),
    'x> LPUSH l{k} first',
    'x> RPUSH k 1 2 3 4 5',
    hears('b'),
    blocked(0),
    'x> LRANGE k 0 -1',
  ),
  scenario(
    'one element goes to one client',
    'a> _ BLPOP k 0',
    blocked(1),
    'b> _ BLPOP k 0',
    blocked(2),
    'x> LPUSH k one',
    hears('a'),
    blocked(1),
    'x> LLEN k',
    'x> LPUSH k two three',
    hears('b'),
    'x> LRANGE k 0 -1',
    'a> BLPOP k 0',
    'x> EXISTS k',
  ),
  scenario(
    'whoever waits for several keys is served once',
    'a> _ BLPOP {k}a {k}b {k}c 0',
    blocked(1),
    'x> RPUSH {k}c 1',
    hears('a'),
    'x> RPUSH {k}a 1',
    'x> RPUSH {k}b 1',
    'a> BLPOP {k}a {k}b {k}c 0',
    'a> BLPOP {k}a {k}b {k}c 0',
    'a> _ BLPOP {k}a {k}a {k}a 0',
    blocked(1),
    'x> RPUSH {k}a 1 2 3',
    hears('a'),
    'x> LRANGE {k}a 0 -1',
  ),
  scenario(
    'what a transaction pushes is handed out when it is complete',
    'a> _ BLPOP {k}a 0',
    blocked(1),
    `
    x> MULTI
    x> LPUSH {k}a 1
    x> DEL {k}a
    x> LPUSH {k}a 2
    x> LPUSH {k}a 3
    x> EXEC
    `,
    hears('a'),
    'x> LRANGE {k}a 0 -1',
    'x> DEL {k}a',
    'a> _ BRPOP {k}a 0',
    blocked(1),
    `
    x> MULTI
    x> LPUSH {k}a 1
    x> LPOP {k}a
    x> EXEC
    x> MULTI
    x> LPUSH {k}a 1
    x> SET {k}a string
    x> EXEC
    x> GET {k}a
    x> DEL {k}a
    x> MULTI
    x> LPUSH {k}a 1
    x> PEXPIREAT {k}a 1
    x> EXEC
    x> EXISTS {k}a
    `,
    blocked(1),
    'x> LPUSH {k}a last',
    hears('a'),
  ),
  scenario(
    'of keys that became ready together the first argument counts',
    'a> _ BLPOP {k}a {k}b 0',
    blocked(1),
    `
    x> MULTI
    x> RPUSH {k}b 1
    x> RPUSH {k}a 2
    x> EXEC
    `,
    {
      ...hears('a'),
      difference: {
        answer: '*2\r\n$4\r\n{k}a\r\n$1\r\n2\r\n',
        because: 'Redis 7.0 takes the key that became ready first',
        until: [7, 2],
      },
    },
    'x> EXISTS {k}a {k}b',
  ),
  scenario(
    'nothing waits inside a transaction',
    `
    MULTI
    BLPOP {k}a 0
    BRPOP {k}a {k}b 10
    BLMOVE {k}a {k}b LEFT LEFT 0
    BRPOPLPUSH {k}a {k}b 0
    BLMPOP 0 1 {k}a LEFT
    BLPOP {k}a x
    RPUSH {k}a 1 2 3
    BLPOP {k}a 0
    BLMOVE {k}a {k}b LEFT LEFT 0
    BLMPOP 0 1 {k}a LEFT
    EXEC
    LRANGE {k}b 0 -1
    `,
  ),
  scenario(
    'a move serves whoever waits for where it goes',
    'a> _ BLMOVE {k}a {k}b LEFT RIGHT 0',
    blocked(1),
    'b> _ BRPOPLPUSH {k}b {k}c 0',
    blocked(2),
    'c> _ BLPOP {k}c 0',
    blocked(3),
    'x> RPUSH {k}a 1',
    hears('a'),
    hears('b'),
    hears('c'),
    'x> EXISTS {k}a {k}b {k}c',
    'a> _ BRPOPLPUSH {k}a {k}b 0',
    blocked(1),
    'b> _ BRPOPLPUSH {k}b {k}a 0',
    blocked(2),
    'x> RPUSH {k}a 1',
    hears('a'),
    hears('b'),
    'x> LRANGE {k}a 0 -1',
    'x> DEL {k}a',
    'a> _ BLMOVE {k}a {k}a LEFT RIGHT 0',
    blocked(1),
    'x> RPUSH {k}a 1 2',
    hears('a'),
    'x> LRANGE {k}a 0 -1',
  ),
  scenario(
    'a move to what is no list fails when its time comes',
    'SET {k}s v',
    'a> _ BLMOVE {k}a {k}s LEFT RIGHT 0',
    blocked(1),
    'b> _ BLPOP {k}a 0',
    blocked(2),
    'x> RPUSH {k}a 1 2',
    hears('a'),
    hears('b'),
    'x> LRANGE {k}a 0 -1',
  ),
  scenario(
    'a key of another type is waited over',
    'a> _ BLPOP k 0',
    blocked(1),
    `
    x> SET k v
    x> LPUSH k 1
    x> DEL k
    x> HSET k f v
    x> DEL k
    `,
    blocked(1),
    'x> LPUSH k 1',
    hears('a'),
  ),
  scenario(
    'lists that come by other ways are handed out too',
    'x> RPUSH {k}from 1 2 3',
    'a> _ BLPOP {k}a 0',
    blocked(1),
    'x> COPY {k}from {k}a',
    hears('a'),
    'x> LRANGE {k}a 0 -1',
    'x> DEL {k}a',
    'a> _ BLPOP {k}a 0',
    blocked(1),
    'x> RENAME {k}from {k}a',
    hears('a'),
    'x> LRANGE {k}a 0 -1',
    'x> DEL {k}a',
    'a> _ BLPOP {k}a 0',
    blocked(1),
    'x> RPUSH {k}b z',
    'x> RPOPLPUSH {k}b {k}a',
    hears('a'),
    'x> EXISTS {k}a {k}b',
    'a> _ BLPOP {k}a 0',
    blocked(1),
    'x> RPUSHX {k}a 1',
    'x> LINSERT {k}a BEFORE 1 2',
    'x> SET {k}s v',
    'x> RENAME {k}s {k}a',
    'x> DEL {k}a',
    'x> RPUSH {k}a end',
    hears('a'),
  ),
  scenario(
    'CLIENT UNBLOCK ends a wait',
    'a> ? CLIENT ID',
    `
    x> CLIENT UNBLOCK 1000000
    x> CLIENT UNBLOCK x
    x> CLIENT UNBLOCK 1000000 NOW
    x> CLIENT UNBLOCK x NOW
    x> CLIENT UNBLOCK
    x> CLIENT UNBLOCK 1 2 3
    `,
  ),
  scenario(
    'what a client sends while it waits is executed afterwards',
    raw('BLPOP k 0\r\nSET after 1\r\nPING\r\n', 'silent'),
    blocked(1),
    'x> EXISTS after',
    'x> RPUSH k 1',
    hears('a'),
    hears('a'),
    hears('a'),
    'x> GET after',
    raw('BLPOP k 0.02\r\nBLPOP k 0\r\nPING\r\n', 'silent'),
    hears('a'),
    blocked(1),
    'x> RPUSH k 2',
    hears('a'),
    hears('a'),
  ),
  scenario(
    'watched keys are changed by those who are served',
    'a> _ BLPOP {k}a 0',
    blocked(1),
    'b> WATCH {k}a',
    'x> RPUSH {k}a 1',
    hears('a'),
    'b> MULTI',
    'b> PING',
    'b> EXEC',
    'b> WATCH {k}b',
    'a> _ BLMOVE {k}a {k}b LEFT LEFT 0',
    blocked(1),
    'x> RPUSH {k}a 1',
    hears('a'),
    'b> MULTI',
    'b> PING',
    'b> EXEC',
  ),
  scenario(
    'one who waits in silence takes its element all the same',
    'a> _ CLIENT REPLY OFF',
    'a> _ BLPOP k 0',
    blocked(1),
    'x> RPUSH k 1',
    blocked(0),
    'x> EXISTS k',
    'a> CLIENT REPLY ON',
    'a> PING',
  ),
];
