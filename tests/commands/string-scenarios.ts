import { scenario } from '../support/redis-script.ts';

export const stringScenarios = [
  scenario(
    'GET gives the string or nil',
    `
    GET k
    SET k v
    GET k
    SET k ""
    GET k
    SET k "\\x00\\xff\\r\\n binary"
    GET k
    STRLEN k
    GET
    GET k l
    get k
    gEt k
    `,
  ),
  scenario(
    'SET replaces value and expiry',
    `
    SET k v EX 100
    SET k w
    TTL k
    GET k
    SET k
    SET
    SET k v extra
    SET k v EX
    SET "" empty-key
    GET ""
    SET k v nx xx
    SET k v XX NX
    SET k v NX NX
    SET k v XX XX
    `,
  ),
  scenario(
    'SET with NX and XX',
    `
    SET k v XX
    GET k
    SET k v NX
    SET k w NX
    GET k
    SET k w XX
    GET k
    SET n v NX EX 100
    ~ TTL n
    SET n v NX EX 200
    ~ TTL n
    SET n v XX
    TTL n
    `,
  ),
  scenario(
    'SET with GET',
    `
    SET k v GET
    SET k w GET
    GET k
    SET k x NX GET
    GET k
    SET l x NX GET
    GET l
    SET m x XX GET
    GET m
    SET k y XX GET
    GET k
    SET k z GET GET
    SET k z GET EX 100
    ~ TTL k
    SET k z EX 100 GET
    SET k z GET PX 0
    GET k
    `,
  ),
  scenario(
    'SET with EX and PX',
    `
    SET k v EX 100
    ~ TTL k
    SET k v PX 100000
    ~ PTTL k
    SET k v ex 100
    SET k v EX 0
    SET k v EX -1
    SET k v PX 0
    SET k v PX -1
    SET k v EX abc
    SET k v EX 1.5
    SET k v EX ""
    SET k v EX " 1"
    SET k v EX +1
    SET k v EX 01
    SET k v PX abc
    SET k v EX 10 EX 20
    SET k v EX 10 PX 20
    SET k v PX 10 EX 20
    SET k v EX 10 KEEPTTL
    SET k v KEEPTTL EX 10
    SET k v KEEPTTL KEEPTTL
    SET k v EX 9223372036854775807
    SET k v EX 9223372036854775808
    SET k v PX 9223372036854775807
    SET k v PX 9223372036854775808
    SET k v EX 9223372036854775
    SET k v EX abc NX XX
    SET k v EX 0 NX XX
    SET k v EX
    SET k v PX
    SET k v NX EX 10 XX
    GET k
    `,
  ),
  scenario(
    'SET with EXAT and PXAT',
    `
    SET k v EXAT 33177117420
    EXPIRETIME k
    SET k v PXAT 33177117420123
    PEXPIRETIME k
    EXPIRETIME k
    SET k v EXAT 1
    GET k
    EXISTS k
    SET k v
    SET k w PXAT 1
    GET k
    SET k v GET
    SET k w GET PXAT 1
    EXISTS k
    SET k v EXAT 0
    SET k v EXAT -1
    SET k v PXAT 0
    SET k v PXAT -1
    SET k v EXAT x
    SET k v PXAT x
    SET k v EXAT 9223372036854775807
    SET k v EXAT 10 PXAT 10
    SET k v EX 10 EXAT 10
    SET k v KEEPTTL EXAT 10
    SET k v EXAT 10 KEEPTTL
    SET k w NX PXAT 1
    EXISTS k
    `,
  ),
  scenario(
    'SET with KEEPTTL',
    `
    SET k v KEEPTTL
    TTL k
    SET k v EXAT 33177117420
    SET k w KEEPTTL
    GET k
    EXPIRETIME k
    SET k w KEEPTTL GET
    SET k w NX KEEPTTL
    SET k x XX KEEPTTL
    EXPIRETIME k
    `,
  ),
  scenario(
    'SETNX',
    `
    SETNX k v
    SETNX k w
    GET k
    SETNX k
    SETNX k v w
    SET e v EXAT 33177117420
    SETNX e w
    EXPIRETIME e
    `,
  ),
  scenario(
    'SETEX and PSETEX',
    `
    SETEX k 100 v
    ~ TTL k
    GET k
    PSETEX k 100000 w
    ~ PTTL k
    GET k
    SETEX k 0 v
    SETEX k -1 v
    SETEX k x v
    SETEX k 1.5 v
    SETEX k 9223372036854775807 v
    SETEX k 9223372036854775808 v
    PSETEX k 0 v
    PSETEX k -5 v
    PSETEX k x v
    PSETEX k 9223372036854775807 v
    SETEX k 100
    PSETEX k 100
    SETEX k 100 v w
    `,
  ),
  scenario(
    'GETSET and GETDEL',
    `
    GETSET k v
    GETSET k w
    GET k
    SET k v EX 100
    GETSET k w
    TTL k
    GETSET k
    GETDEL k
    GETDEL k
    EXISTS k
    GETDEL
    GETDEL k l
    `,
  ),
  scenario(
    'GETEX',
    `
    GETEX k
    GETEX k EX 10
    EXISTS k
    SET k v
    GETEX k
    TTL k
    GETEX k EX 100
    ~ TTL k
    GETEX k PX 200000
    ~ TTL k
    GETEX k EXAT 33177117420
    EXPIRETIME k
    GETEX k PXAT 33177117420123
    PEXPIRETIME k
    GETEX k
    PEXPIRETIME k
    GETEX k PERSIST
    TTL k
    GETEX k PERSIST
    GETEX k persist
    GETEX k EX 0
    GETEX k EX -1
    GETEX k EX x
    GETEX k PX 0
    GETEX k EXAT 0
    GETEX k PXAT -7
    GETEX k EX
    GETEX k EX 10 PX 10
    GETEX k EX 10 PERSIST
    GETEX k PERSIST EX 10
    GETEX k KEEPTTL
    GETEX k NX
    GETEX k GET
    GETEX k XX
    GETEX k EX 10 EX 10
    GETEX k PERSIST PERSIST
    GETEX k unknown
    GETEX none EX x
    GETEX none EX 0
    GETEX none unknown
    GETEX
    GETEX k PXAT 1
    EXISTS k
    SET k v
    GETEX k EXAT 1
    GET k
    `,
  ),
  scenario(
    'MGET, MSET and MSETNX',
    `
    MGET {a}1 {a}2
    MSET {a}1 v1 {a}2 v2
    MGET {a}1 {a}2 {a}3 {a}1
    MSET {a}1 x {a}1 y
    GET {a}1
    MSET {a}1
    MSET {a}1 v {a}2
    MSET
    MGET
    SET {a}1 v EX 100
    MSET {a}1 w
    TTL {a}1
    MSETNX {a}1 v {a}9 v
    EXISTS {a}9
    MSETNX {a}8 v {a}9 w
    MGET {a}8 {a}9
    MSETNX {a}7 1 {a}7 2
    GET {a}7
    MSETNX {a}1
    MSETNX {a}1 v {a}2
    MSETNX
    MGET a b
    MSET a 1 b 2
    MSETNX a 1 b 2
    MSET a 1 b
    `,
  ),
  scenario(
    'APPEND and STRLEN',
    `
    STRLEN k
    APPEND k ""
    EXISTS k
    APPEND k abc
    APPEND k def
    APPEND k ""
    GET k
    STRLEN k
    STRLEN
    STRLEN k l
    APPEND k
    APPEND k a b
    SET n 10
    APPEND n 5
    GET n
    INCR n
    SET e v EXAT 33177117420
    APPEND e w
    EXPIRETIME e
    `,
  ),
  scenario(
    'GETRANGE and SUBSTR',
    `
    GETRANGE k 0 -1
    SET k "Hello World"
    GETRANGE k 0 4
    GETRANGE k 0 -1
    GETRANGE k -5 -1
    GETRANGE k -5 -7
    GETRANGE k -100 -90
    GETRANGE k -100 100
    GETRANGE k 5 3
    GETRANGE k 11 20
    GETRANGE k 10 20
    GETRANGE k 0 0
    GETRANGE k -1 -1
    GETRANGE k -1 0
    GETRANGE k -100 0
    GETRANGE k -100 -11
    GETRANGE k -100 -12
    GETRANGE k -11 -12
    GETRANGE k 3 -100
    GETRANGE k 9223372036854775807 9223372036854775807
    GETRANGE k -9223372036854775808 9223372036854775807
    GETRANGE k -9223372036854775808 -9223372036854775808
    GETRANGE k 0 9223372036854775808
    GETRANGE k a 3
    GETRANGE k 0 b
    GETRANGE k 1.5 3
    GETRANGE k "" 3
    GETRANGE none a 3
    GETRANGE k 0
    GETRANGE k 0 1 2
    SUBSTR k 0 4
    SUBSTR k -3 -1
    SUBSTR k a 1
    SUBSTR k
    SUBSTR none 0 1
    SET n 12345
    GETRANGE n 1 2
    SET empty ""
    GETRANGE empty 0 -1
    GETRANGE empty 0 0
    GETRANGE empty -1 5
    `,
  ),
  scenario(
    'SETRANGE',
    `
    SETRANGE k 5 ""
    EXISTS k
    SETRANGE k 3 abc
    GET k
    SETRANGE k 0 XY
    GET k
    SETRANGE k 6 Z
    GET k
    SETRANGE k 10 end
    GET k
    SETRANGE k 0 ""
    SETRANGE k 100 ""
    STRLEN k
    SETRANGE k -1 a
    SETRANGE k -1 ""
    SETRANGE none -1 a
    SETRANGE k x a
    SETRANGE k 1.0 a
    SETRANGE none x a
    SETRANGE k 536870912 a
    SETRANGE k 536870911 ab
    SETRANGE k 9223372036854775807 a
    SETRANGE k 9223372036854775808 a
    SETRANGE none 536870912 ""
    SETRANGE none 9223372036854775807 ""
    SETRANGE k 536870912 ""
    SETRANGE k 0
    SETRANGE k 0 a b
    SET n 12345
    SETRANGE n 1 99
    INCR n
    SET e v EXAT 33177117420
    SETRANGE e 2 w
    EXPIRETIME e
    GET e
    `,
  ),
];
