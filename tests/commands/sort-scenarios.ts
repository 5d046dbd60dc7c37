import { differs, scenario } from '../support/redis-script.ts';

const inTheSlot =
  'patterns of BY and GET are taken when a hash tag keeps their keys in the slot of the sorted key, as in Redis 7.4; Redis 7.2 refuses them all in a cluster';
const tooLong =
  'strings whose lengths multiply to more than 8 million are refused: they would stop the node for longer than 10 ms';

export const sortScenarios = [
  scenario(
    'SORT and SORT_RO by the elements themselves',
    `
    RPUSH {t}l 3 1 2 -5 1.5 10 0x10 inf -inf 1e3 " 7" ""
    SORT {t}l
    SORT_RO {t}l
    SORT {t}l DESC
    SORT {t}l asc
    SORT {t}l DESC ASC
    SORT {t}l ALPHA
    SORT {t}l ALPHA DESC
    SORT {t}l LIMIT 0 3
    SORT {t}l LIMIT 2 3 DESC
    SORT {t}l LIMIT -1 3
    SORT {t}l LIMIT 10 100
    SORT {t}l LIMIT 100 1
    SORT {t}l LIMIT 3 -1
    SORT {t}l LIMIT 3 0
    SORT {t}l LIMIT 1 2 LIMIT 3 4
    SORT {t}l LIMIT 1 9223372036854775807
    SORT {t}l LIMIT 9223372036854775807 1
    SORT {t}none
    SORT_RO {t}none LIMIT 0 1
    SADD {t}s 5 3 100 20 -1
    SORT {t}s
    SORT_RO {t}s DESC ALPHA
    ZADD {t}z 5 a 4 b 3 c
    SORT {t}z ALPHA
    SORT {t}z ALPHA DESC LIMIT 0 2
    SORT {t}z
    RPUSH {t}m 1 a
    SORT {t}m
    SORT_RO {t}m DESC LIMIT 0 0
    SORT {t}m ALPHA
    RPUSH {t}n 1 nan
    SORT {t}n
    RPUSH {t}o 1 "1 "
    SORT {t}o
    RPUSH {t}q 01 1 1.0 +1 001
    SORT {t}q
    SORT {t}q DESC
    RPUSH {t}r "\\xff" a B "\\xc3\\xa9" b A ab
    SORT {t}r ALPHA STORE {t}sorted
    LRANGE {t}sorted 0 -1
    `,
  ),
  scenario(
    'SORT BY something constant leaves the order as it is',
    `
    RPUSH {t}l c a b e d
    SORT {t}l BY nosort
    SORT {t}l BY nosort DESC
    SORT {t}l BY nosort LIMIT 1 2
    SORT {t}l BY nosort DESC LIMIT 1 2
    SORT {t}l BY nosort LIMIT 4 10
    SORT {t}l BY nosort LIMIT 5 10 DESC
    SORT {t}l BY "" ALPHA
    ZADD {t}z 1 x 2 y 3 w 4 v
    SORT {t}z BY nosort
    SORT_RO {t}z BY nosort DESC
    SORT {t}z BY nosort LIMIT 1 2
    SORT {t}z BY nosort DESC LIMIT 2 9
    SORT {t}z BY nosort LIMIT 9 9
    SADD {t}s c a b
    * SORT {t}s BY nosort
    SORT {t}s BY nosort STORE {t}stored
    LRANGE {t}stored 0 -1
    SORT {t}s BY nosort STORE {t}stored DESC LIMIT 0 2
    LRANGE {t}stored 0 -1
    `,
  ),
  scenario(
    'SORT with STORE',
    `
    RPUSH {t}l 3 1 2
    SORT {t}l STORE {t}d
    LRANGE {t}d 0 -1
    TYPE {t}d
    SORT {t}l DESC STORE {t}d
    LRANGE {t}d 0 -1
    SET {t}d text EX 100
    SORT {t}l STORE {t}d
    LRANGE {t}d 0 -1
    TTL {t}d
    SORT {t}none STORE {t}d
    EXISTS {t}d
    SORT {t}none STORE {t}d
    SORT {t}l STORE {t}l
    LRANGE {t}l 0 -1
    SORT {t}l LIMIT 0 2 STORE {t}l
    LRANGE {t}l 0 -1
    SORT {t}l STORE {t}a STORE {t}b
    EXISTS {t}a {t}b
    SORT {t}l LIMIT 9 9 STORE {t}b
    EXISTS {t}b
    RPUSH {t}x a
    SORT {t}x STORE {t}c
    EXISTS {t}c
    SORT {t}l STORE other
    SORT_RO {t}l STORE {t}d
    COMMAND GETKEYS SORT a LIMIT 0 10 GET # STORE b
    COMMAND GETKEYS SORT a BY x STORE b STORE c
    COMMAND GETKEYS SORT a STORE
    COMMAND GETKEYS SORT_RO a
    `,
  ),
  scenario(
    'what SORT refuses',
    `
    SORT
    SORT_RO
    SET {t}s v
    HSET {t}h f v
    SORT {t}s
    SORT_RO {t}h
    RPUSH {t}l 1
    SORT {t}l NOSUCH
    SORT {t}l LIMIT 0
    SORT {t}l LIMIT x 1
    SORT {t}l LIMIT 0 x
    SORT {t}l LIMIT 0 9223372036854775808
    SORT {t}l STORE
    SORT {t}l BY
    SORT {t}l GET
    SORT {t}l BY weight_*
    SORT {t}l GET weight_*
    SORT_RO {t}l BY {u}weight_*
    SORT {t}l BY *{t}
    SORT {t}l BY {t*}
    SORT {t}l BY {}{t}*
    SORT {t}s NOSUCH
    SORT {t}s BY weight_*
    `,
    differs('SORT {t}l BY {t}w_*', '*1\r\n$1\r\n1\r\n', inTheSlot),
    differs('SORT {t}l GET {t}w_*', '*1\r\n', inTheSlot),
    differs('SORT {t}l GET #', '*1\r\n$1\r\n1\r\n', inTheSlot),
  ),
  scenario(
    'LCS',
    `
    SET {t}a ohmytext
    SET {t}b mynewtext
    LCS {t}a {t}b
    LCS {t}a {t}b LEN
    LCS {t}a {t}b IDX
    LCS {t}a {t}b IDX WITHMATCHLEN
    LCS {t}a {t}b IDX MINMATCHLEN 4
    LCS {t}a {t}b idx minmatchlen 4 withmatchlen
    LCS {t}a {t}b IDX MINMATCHLEN 5
    LCS {t}a {t}b IDX MINMATCHLEN -1
    LCS {t}a {t}b MINMATCHLEN 4
    LCS {t}a {t}b LEN WITHMATCHLEN
    LCS {t}a {t}b LEN IDX
    LCS {t}a {t}b MINMATCHLEN
    LCS {t}a {t}b MINMATCHLEN x
    LCS {t}a {t}b NOSUCH
    LCS {t}a {t}none
    LCS {t}none {t}none2
    LCS {t}none {t}none2 IDX
    LCS {t}none {t}b LEN
    LCS {t}a {t}a IDX
    RPUSH {t}l a
    LCS {t}a {t}l
    LCS {t}l {t}a NOSUCH
    LCS {t}a
    LCS {t}a other
    SET {t}c "\\x00\\xffab\\x00cd\\xfeab"
    SET {t}d "ab\\x00\\xffcd\\x00\\xfeba"
    LCS {t}c {t}d
    LCS {t}c {t}d IDX WITHMATCHLEN
    LCS {t}d {t}c IDX WITHMATCHLEN
    SET {t}e abcabcabc
    SET {t}f cbacbacba
    LCS {t}e {t}f
    LCS {t}e {t}f IDX
    LCS {t}f {t}e IDX
    SET {t}g 12345
    SET {t}h 145
    LCS {t}g {t}h IDX
    `,
    `
    SETRANGE {t}big 2999 x
    SETRANGE {t}big2 2999 x
    `,
    differs('LCS {t}big {t}big2 LEN', '-ERR Insufficient memory', tooLong),
  ),
];

/** For a Redis that is in no cluster; the keys of all patterns are in one slot. */
export const sortPatternScenarios = [
  scenario(
    'SORT BY and GET keys and fields',
    `
    RPUSH {t}ids 1 2 3 4
    MSET {t}w_1 30 {t}w_2 10 {t}w_3 20 {t}n_1 one {t}n_2 two {t}n_3 three
    HSET {t}o_1 name first weight 3
    HSET {t}o_2 name second weight 2
    HSET {t}o_3 name third
    SORT {t}ids BY {t}w_*
    SORT_RO {t}ids BY {t}w_* DESC
    SORT {t}ids BY {t}w_* GET {t}n_*
    SORT {t}ids BY {t}w_* GET # GET {t}n_* GET {t}none_* GET constant
    SORT {t}ids BY {t}o_*->weight
    SORT {t}ids BY {t}o_*->name ALPHA
    SORT {t}ids BY {t}o_*->name ALPHA DESC
    SORT {t}ids BY {t}o_*-> ALPHA LIMIT 0 0
    SORT {t}ids BY {t}w_*->weight GET {t}o_*->name GET {t}o_*->none GET {t}w_*->name GET {t}o_*
    SORT {t}ids BY {t}n_* ALPHA GET {t}n_*
    SORT {t}ids BY {t}n_*
    SORT {t}ids BY nosort GET # GET {t}n_*
    SORT {t}ids BY nosort GET {t}n_* DESC LIMIT 1 2
    SORT {t}ids GET {t}n_* LIMIT 1 2
    SORT {t}ids GET {t}n_* STORE {t}stored
    LRANGE {t}stored 0 -1
    SORT {t}ids BY {t}w_* GET # GET {t}n_* STORE {t}stored
    LRANGE {t}stored 0 -1
    SORT {t}ids BY {t}w_* GET #x
    SORT {t}ids BY {t}w_* GET "" LIMIT 0 1
    SORT {t}none BY {t}w_* GET #
    SADD {t}set 2 1 3
    SORT {t}set BY {t}w_*
    SORT {t}set GET {t}n_* GET #
    ZADD {t}z 1 3 2 2 3 1
    SORT {t}z BY {t}w_* GET #
    SORT {t}z BY nosort GET # GET {t}n_*
    RPUSH {t}stars * **
    SET {t}w_* 2
    SET {t}w_** 1
    SET {t}w_x* starred
    SORT {t}stars BY {t}w_*
    SORT {t}ids BY {t}*_* GET {t}*x*
    RPUSH {t}same b a c
    SORT {t}same BY {t}none_*
    SORT {t}same BY {t}none_* DESC
    PEXPIRE {t}w_2 1
    `,
  ),
];
