import { tooLargeResult } from '../../src/commands/parse.ts';
import { differs, oneEntry, parseLine, scenario } from '../support/redis-script.ts';

/** Seven members of 100,000 bytes with their scores. */
function large(letter: string): string {
  return Array.from({ length: 7 }, (_, i) => `${i} ${letter}${String(i).repeat(99_999)}`).join(' ');
}

export const sortedSetAlgebraScenarios = [
  scenario(
    'unions, intersections and differences',
    `
    ZADD {k}a 1 a 2 b 3 c 4 d
    ZADD {k}b 10 b 20 c 30 e
    ZADD {k}c 100 c 200 f
    SADD {k}s c b x
    ZUNION 2 {k}a {k}b
    ZUNION 2 {k}a {k}b WITHSCORES
    ZUNION 3 {k}a {k}b {k}c WEIGHTS 1 2 0.5 WITHSCORES
    ZUNION 3 {k}c {k}b {k}a AGGREGATE MIN WITHSCORES
    ZUNION 3 {k}c {k}b {k}a WITHSCORES AGGREGATE max WEIGHTS -1 1 1
    ZUNION 2 {k}s {k}a WITHSCORES
    ZUNION 2 {k}none {k}a WITHSCORES
    ZUNION 1 {k}none
    ZUNION 2 {k}a {k}a WITHSCORES
    ZINTER 2 {k}a {k}b WITHSCORES
    ZINTER 3 {k}a {k}b {k}c WITHSCORES
    ZINTER 3 {k}a {k}b {k}c WEIGHTS 1 2 3 AGGREGATE MAX WITHSCORES
    ZINTER 2 {k}a {k}s WITHSCORES AGGREGATE MIN
    ZINTER 2 {k}a {k}a WITHSCORES
    ZINTER 2 {k}a {k}none WITHSCORES
    ZINTER 1 {k}s WITHSCORES
    ZDIFF 2 {k}a {k}b WITHSCORES
    ZDIFF 3 {k}a {k}b {k}s
    ZDIFF 2 {k}s {k}a WITHSCORES
    ZDIFF 2 {k}a {k}a
    ZDIFF 2 {k}a {k}none WITHSCORES
    ZDIFF 2 {k}none {k}a
    ZINTERCARD 2 {k}a {k}b
    ZINTERCARD 2 {k}a {k}s LIMIT 1
    ZINTERCARD 2 {k}a {k}s LIMIT 0
    ZINTERCARD 2 {k}a {k}a LIMIT 3 LIMIT 2
    ZINTERCARD 1 {k}none
    `,
  ),
  scenario(
    'unions, intersections and differences that are stored',
    `
    ZADD {k}a 1 a 2 b 3 c 4 d
    ZADD {k}b 10 b 20 c 30 e
    SADD {k}s c b x
    SET {k}d string
    EXPIRE {k}d 1000
    ZUNIONSTORE {k}d 2 {k}a {k}b
    TTL {k}d
    TYPE {k}d
    ZRANGE {k}d 0 -1 WITHSCORES
    ZINTERSTORE {k}d 3 {k}a {k}b {k}s WEIGHTS 1 10 100 AGGREGATE SUM
    ZRANGE {k}d 0 -1 WITHSCORES
    ZDIFFSTORE {k}d 2 {k}a {k}b
    ZRANGE {k}d 0 -1 WITHSCORES
    ZUNIONSTORE {k}a 2 {k}a {k}a WEIGHTS 2 3
    ZRANGE {k}a 0 -1 WITHSCORES
    ZINTERSTORE {k}b 2 {k}b {k}a AGGREGATE MIN
    ZRANGE {k}b 0 -1 WITHSCORES
    ZDIFFSTORE {k}b 2 {k}b {k}b
    EXISTS {k}b
    ZUNIONSTORE {k}none 1 {k}missing
    EXISTS {k}none
    ZINTERSTORE {k}d 2 {k}missing {k}a
    EXISTS {k}d
    ZUNIONSTORE {k}s 1 {k}s
    ZRANGE {k}s 0 -1 WITHSCORES
    OBJECT ENCODING {k}s
    ZUNIONSTORE {k}d 1 {k}a WITHSCORES
    ZDIFFSTORE {k}d 1 {k}a WITHSCORES
    ZINTERSTORE {k}d 1 {k}a LIMIT 1
    EXISTS {k}d
    `,
  ),
  scenario(
    'infinite scores and weights',
    `
    ZADD {k}a inf up -inf down 0 zero 1 one
    ZADD {k}b -inf up inf down 5 zero inf one
    ZUNION 2 {k}a {k}b WITHSCORES
    ZINTER 2 {k}a {k}b WITHSCORES
    ZUNION 1 {k}a WEIGHTS 0 WITHSCORES
    ZUNION 1 {k}a WEIGHTS -inf WITHSCORES
    ZINTER 2 {k}a {k}b WEIGHTS 1 0 WITHSCORES
    ZINTER 2 {k}b {k}a WEIGHTS 0 1 AGGREGATE MIN WITHSCORES
    ZINTER 2 {k}b {k}a WEIGHTS inf -inf AGGREGATE MAX WITHSCORES
    ZUNIONSTORE {k}d 2 {k}a {k}b WEIGHTS -1 0
    ZRANGE {k}d 0 -1 WITHSCORES
    ZADD {k}x 0.5 a
    ZADD {k}y 0.25 a 1 b 1 c
    ZADD {k}z 1e16 a 1 b
    ZUNION 3 {k}y {k}z {k}x WITHSCORES
    ZINTER 3 {k}z {k}y {k}x WITHSCORES
    ZINTER 3 {k}x {k}z {k}x WITHSCORES WEIGHTS 1 -1 4
    `,
  ),
  scenario(
    'arguments of unions, intersections and differences',
    `
    ZADD {k}a 1 a
    SET {k}str v
    LPUSH {k}l v
    ZUNION 0 {k}a
    ZUNION -1 {k}a
    ZUNION x {k}a
    ZUNION 2 {k}a
    ZUNION 9223372036854775807 {k}a
    ZUNION 1
    ZUNION 1 {k}a WEIGHTS
    ZUNION 1 {k}a WEIGHTS x
    ZUNION 1 {k}a WEIGHTS nan
    ZUNION 1 {k}a WEIGHTS 1 2
    ZUNION 1 {k}a AGGREGATE
    ZUNION 1 {k}a AGGREGATE AVG
    ZUNION 1 {k}a AGGREGATE MIN AGGREGATE MAX WITHSCORES
    ZUNION 1 {k}a WITHSCORES WITHSCORES
    ZUNION 1 {k}a x
    ZUNION 1 {k}str
    ZUNION 2 {k}a {k}l x
    ZINTER 0 {k}a
    ZINTER 1 {k}a LIMIT 1
    ZDIFF 0 {k}a
    ZDIFF 1 {k}a WEIGHTS 1
    ZDIFF 1 {k}a AGGREGATE MIN
    ZDIFF 1 {k}str
    ZINTERCARD 0 {k}a
    ZINTERCARD x {k}a
    ZINTERCARD 1 {k}a LIMIT
    ZINTERCARD 1 {k}a LIMIT -1
    ZINTERCARD 1 {k}a LIMIT x
    ZINTERCARD 1 {k}a WITHSCORES
    ZINTERCARD 1 {k}str
    ZUNIONSTORE {k}d 0 {k}a
    ZUNIONSTORE {k}d x {k}a
    ZUNIONSTORE {k}d 2 {k}a
    ZUNIONSTORE {k}d 1 {k}str
    ZINTERSTORE {k}d 0 {k}a
    ZDIFFSTORE {k}d 0 {k}a
    ZDIFFSTORE {k}d 1
    EXISTS {k}d
    COMMAND GETKEYS ZUNIONSTORE d 2 a b WEIGHTS 1 2
    COMMAND GETKEYS ZINTER 2 a b WITHSCORES
    COMMAND GETKEYS ZINTERCARD 1 a LIMIT 3
    COMMAND GETKEYS ZRANGESTORE a b 0 1
    `,
  ),
  scenario(
    'ranges that are stored',
    `
    ZADD {k}a 1 a 2 b 3 c 4 d 5 e
    ZRANGESTORE {k}d {k}a 1 2
    ZRANGE {k}d 0 -1 WITHSCORES
    ZRANGESTORE {k}d {k}a 0 1 REV
    ZRANGE {k}d 0 -1 WITHSCORES
    ZRANGESTORE {k}d {k}a (1 4 BYSCORE
    ZRANGE {k}d 0 -1 WITHSCORES
    ZRANGESTORE {k}d {k}a 5 (1 BYSCORE REV LIMIT 1 2
    ZRANGE {k}d 0 -1 WITHSCORES
    ZADD {k}l 0 a 0 b 0 c 0 d
    ZRANGESTORE {k}d {k}l [b (d BYLEX
    ZRANGE {k}d 0 -1 WITHSCORES
    ZRANGESTORE {k}d {k}l + - BYLEX REV LIMIT 0 2
    ZRANGE {k}d 0 -1 WITHSCORES
    EXPIRE {k}d 100
    ZRANGESTORE {k}d {k}a 0 -1
    TTL {k}d
    ZRANGESTORE {k}a {k}a 2 -1
    ZRANGE {k}a 0 -1 WITHSCORES
    ZRANGESTORE {k}d {k}a 5 9
    EXISTS {k}d
    SET {k}s v
    ZRANGESTORE {k}s {k}missing 0 -1
    EXISTS {k}s
    SET {k}s v
    ZRANGESTORE {k}s {k}a 0 -1
    TYPE {k}s
    SET {k}str v
    ZRANGESTORE {k}d {k}str 0 -1
    ZRANGESTORE {k}d {k}a 0 -1 WITHSCORES
    ZRANGESTORE {k}d {k}a 0 -1 WITHSCORES LIMIT x 1
    ZRANGESTORE {k}d {k}a 0 -1 LIMIT 0 1
    ZRANGESTORE {k}d {k}a 0 -1 LIMIT x 1
    ZRANGESTORE {k}d {k}a x -1
    ZRANGESTORE {k}d {k}a x y BYSCORE
    ZRANGESTORE {k}d {k}a x y BYLEX
    ZRANGESTORE {k}d {k}a 0
    EXISTS {k}d
    `,
  ),
  scenario(
    'results of sorted sets that an entry of the log cannot take are refused, and nothing has changed',
    parseLine(`ZADD {k}1 ${large('a')}`),
    parseLine(`ZADD {k}2 ${large('b')}`),
    'SET {k}3 v',
    differs('ZUNIONSTORE {k}3 2 {k}1 {k}2', `-${tooLargeResult}\r\n`, oneEntry),
    parseLine(`ZADD {k}1 ${large('c')}`),
    'ZADD {k}1 99 last',
    'ZREMRANGEBYRANK {k}1 0 12',
    'ZCARD {k}1',
    'ZUNIONSTORE {k}2 1 {k}2',
    'MULTI',
    'ZUNIONSTORE {k}4 1 {k}2',
    'ZRANGESTORE {k}5 {k}2 0 -1',
    'STRLEN {k}3',
    differs('EXEC', `*3\r\n:7\r\n-${tooLargeResult}\r\n:1\r\n`, oneEntry),
  ),
  scenario(
    'minus zero',
    `
    ZADD z -0 a
    ZSCORE z a
    ZUNION 1 z WEIGHTS -1 WITHSCORES
    ZADD z -0 ${'m'.repeat(65)}
    `,
    differs(
      `ZSCORE z ${'m'.repeat(65)}`,
      '',
      'a score of minus zero is kept as 0; Redis does so in small sorted sets only',
    ),
  ),
];
