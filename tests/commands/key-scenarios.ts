import { differs, parseLine, scenario } from '../support/redis-script.ts';

const encodingIsDerived = 'the encoding is derived from the value: how it came to be is not kept';

export const keyScenarios = [
  scenario(
    'DEL, UNLINK, EXISTS and TOUCH count keys',
    `
    DEL {k}1
    MSET {k}1 a {k}2 b {k}3 c
    EXISTS {k}1
    EXISTS {k}1 {k}1 {k}9
    TOUCH {k}1 {k}2 {k}9 {k}1
    DEL {k}1 {k}1 {k}9
    UNLINK {k}2 {k}2
    EXISTS {k}1 {k}2 {k}3
    UNLINK {k}9
    DEL
    UNLINK
    EXISTS
    TOUCH
    DEL a b
    UNLINK a b
    EXISTS a b
    TOUCH a b
    `,
  ),
  scenario(
    'TYPE',
    `
    TYPE k
    SET k v
    TYPE k
    TYPE
    TYPE k l
    `,
  ),
  scenario(
    'RENAME and RENAMENX',
    `
    RENAME {k}1 {k}2
    RENAMENX {k}1 {k}2
    RENAME {k}1 {k}1
    RENAMENX {k}1 {k}1
    SET {k}1 v
    RENAME {k}1 {k}1
    RENAMENX {k}1 {k}1
    RENAME {k}1 {k}2
    MGET {k}1 {k}2
    SET {k}1 w EXAT 33177117420
    RENAME {k}1 {k}2
    GET {k}2
    EXPIRETIME {k}2
    SET {k}1 x
    RENAMENX {k}1 {k}2
    RENAMENX {k}1 {k}3
    MGET {k}1 {k}2 {k}3
    SET {k}4 y EXAT 33177117420
    SET {k}5 z
    RENAME {k}5 {k}4
    TTL {k}4
    RENAME {k}1
    RENAME {k}1 {k}2 {k}3
    RENAMENX {k}1
    RENAME a b
    RENAMENX a b
    `,
  ),
  scenario(
    'COPY',
    `
    COPY {k}1 {k}2
    SET {k}1 v EXAT 33177117420
    COPY {k}1 {k}2
    GET {k}2
    EXPIRETIME {k}2
    SET {k}1 w
    COPY {k}1 {k}2
    GET {k}2
    COPY {k}1 {k}2 REPLACE
    GET {k}2
    TTL {k}2
    COPY {k}1 {k}1
    COPY {k}1 {k}1 REPLACE
    COPY none none
    COPY {k}1 {k}3 DB 0
    COPY {k}1 {k}3 DB 0 REPLACE
    COPY {k}1 {k}3 REPLACE DB 0
    COPY {k}1 {k}3 REPLACE REPLACE
    COPY {k}1 {k}3 DB 1
    COPY {k}1 {k}3 DB 16
    COPY {k}1 {k}3 DB -1
    COPY {k}1 {k}3 DB x
    COPY {k}1 {k}3 DB
    COPY {k}1 {k}3 DB 9999999999999999999
    COPY {k}1 {k}3 DB 99999999999
    COPY {k}1 {k}1 DB 1
    COPY {k}1 {k}3 unknown
    COPY {k}1
    COPY a b
    `,
  ),
  scenario(
    'RANDOMKEY, KEYS and DBSIZE',
    `
    RANDOMKEY
    DBSIZE
    KEYS *
    SET only v
    RANDOMKEY
    DBSIZE
    MSET {x}a 1 {x}b 2 {x}ab 3 {x}abc 4 {x}[ 5 {x}\\\\ 6 {x}* 7
    DBSIZE
    * KEYS *
    * KEYS {x}a*
    * KEYS {x}?
    * KEYS {x}a?
    * KEYS {x}[ab]
    * KEYS {x}[^a]
    * KEYS {x}[a-b]*
    * KEYS {x}[b-a]
    * KEYS {x}[
    * KEYS {x}\\\\[
    * KEYS {x}\\\\*
    * KEYS {x}\\\\\\\\
    * KEYS {x}[\\\\[]
    * KEYS {x}[a
    * KEYS *c
    * KEYS *a*b*
    * KEYS **
    * KEYS ""
    * KEYS nothing
    * KEYS only
    * KEYS {x}[]
    * KEYS {x}[^]
    * KEYS {x}[a-]
    * KEYS {x}[^
    * KEYS {x}\\\\
    KEYS
    KEYS a b
    DBSIZE x
    RANDOMKEY x
    SET gone v PXAT 1
    EXISTS gone
    `,
  ),
  scenario(
    'SCAN goes through the keys',
    `
    SCAN 0
    SET k v
    SCAN 0 COUNT 100000
    SCAN 0 MATCH k COUNT 100000
    SCAN 0 MATCH x* COUNT 100000
    SCAN 0 COUNT 100000 TYPE string
    SCAN 0 COUNT 100000 TYPE STRING
    SCAN 0 COUNT 100000 TYPE list
    SCAN 0 COUNT 100000 TYPE nonsense
    SCAN 0 COUNT 100000 MATCH x MATCH k
    SCAN 0 COUNT 1 COUNT 100000
    SCAN x
    SCAN 18446744073709551615 MATCH none
    SCAN 18446744073709551616
    SCAN -18446744073709551616
    SCAN +
    SCAN +0 COUNT 100000
    SCAN 0x
    SCAN 0 COUNT 9223372036854775807
    SCAN -1 MATCH none
    SCAN 1.5
    SCAN ""
    SCAN " 0"
    SCAN 0 COUNT
    SCAN 0 COUNT 0
    SCAN 0 COUNT -1
    SCAN 0 COUNT x
    SCAN 0 COUNT 99999999999999999999
    SCAN 0 MATCH
    SCAN 0 TYPE
    SCAN 0 unknown 1
    SCAN 0 MATCH * COUNT
    SCAN
    SCAN 18446744073709551616
    `,
  ),
  scenario(
    'FLUSHDB and FLUSHALL',
    `
    SET k v
    FLUSHDB
    DBSIZE
    SET k v
    FLUSHALL
    DBSIZE
    FLUSHDB ASYNC
    FLUSHDB SYNC
    FLUSHALL ASYNC
    FLUSHALL sync
    FLUSHALL nonsense
    FLUSHDB nonsense
    FLUSHALL SYNC ASYNC
    FLUSHDB SYNC SYNC
    `,
  ),
  scenario(
    'OBJECT',
    `
    OBJECT ENCODING k
    OBJECT REFCOUNT k
    OBJECT IDLETIME k
    OBJECT FREQ k
    SET k 12345
    OBJECT ENCODING k
    `,
    parseLine('SET k 7'),
    differs('OBJECT REFCOUNT k', ':1\r\n', 'small integers are not shared between keys here'),
    `
    SET k abc
    OBJECT ENCODING k
    OBJECT REFCOUNT k
    OBJECT IDLETIME k
    OBJECT FREQ k
    SET k 01
    OBJECT ENCODING k
    SET k -5
    OBJECT ENCODING k
    SET k ""
    OBJECT ENCODING k
    SET k 9223372036854775807
    OBJECT ENCODING k
    SET k 9223372036854775808
    OBJECT ENCODING k
    SET k 12345678901234567890123456789012345678901234
    OBJECT ENCODING k
    SET k 123456789012345678901234567890123456789012345
    OBJECT ENCODING k
    `,
    ...['APPEND k d', 'SETRANGE k 0 x'].flatMap((change) => [
      parseLine('SET k abc'),
      parseLine(change),
      differs('OBJECT ENCODING k', '$6\r\nembstr\r\n', encodingIsDerived),
    ]),
    ...['APPEND k 5', 'SETRANGE k 0 5'].flatMap((change) => [
      parseLine('SET k 1'),
      parseLine(change),
      differs('OBJECT ENCODING k', '$3\r\nint\r\n', encodingIsDerived),
    ]),
    `
    INCR k
    OBJECT ENCODING k
    INCRBYFLOAT k 0.5
    OBJECT ENCODING k
    `,
    'INCRBYFLOAT k 0.5',
    differs('OBJECT ENCODING k', '$3\r\nint\r\n', encodingIsDerived),
    `
    SET k 12345
    object encoding k
    OBJECT
    OBJECT ENCODING
    OBJECT ENCODING k l
    OBJECT FREQ
    OBJECT unknown
    OBJECT unknown k
    OBJECT HELP x
    `,
    differs(
      'OBJECT HELP',
      '*11\r\n+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n',
      'help has the same form and says what these subcommands do here',
    ),
  ),
];
