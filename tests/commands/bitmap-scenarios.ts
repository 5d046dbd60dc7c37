import { scenario } from '../support/redis-script.ts';

export const bitmapScenarios = [
  scenario(
    'SETBIT and GETBIT',
    `
    GETBIT k 0
    SETBIT k 7 1
    GET k
    SETBIT k 7 1
    SETBIT k 7 0
    GET k
    SETBIT k 100 0
    STRLEN k
    SETBIT k 23 1
    GETBIT k 23
    GETBIT k 22
    GETBIT k 4294967295
    GETBIT k 4294967296
    SETBIT k 4294967296 1
    SETBIT k -1 1
    SETBIT k x 1
    SETBIT k 0 2
    SETBIT k 0 -1
    SETBIT k 0 x
    SETBIT k 0 01
    SETBIT k x x
    SETBIT k 1.0 1
    SETBIT k #1 1
    SETBIT k
    SETBIT k 1
    SETBIT k 1 1 1
    GETBIT k
    GETBIT k x
    GETBIT k -1
    GETBIT k 1 1
    SET n 12
    SETBIT n 6 1
    GET n
    SET t v EXAT 33177117420
    SETBIT t 1 0
    SETBIT t 1 1
    EXPIRETIME t
    HSET h f v
    SETBIT h 0 1
    SETBIT h 0 2
    SETBIT h x 1
    GETBIT h 0
    GETBIT h x
    `,
  ),
  scenario(
    'bits of strings of megabytes',
    `
    SETBIT k 8000000 1
    STRLEN k
    BITCOUNT k
    BITPOS k 1
    BITPOS k 0
    SETBIT k 0 1
    SETBIT k 999999 1
    BITCOUNT k
    BITCOUNT k 1 -1
    BITCOUNT k 124999 124999
    BITCOUNT k 1 8000000 BIT
    BITCOUNT k 1 7999999 BIT
    BITPOS k 1 1
    BITPOS k 1 125000
    BITPOS k 1 999999 8000001 BIT
    BITPOS k 1 1000000 -1 BIT
    GETRANGE k 124998 125001
    SETRANGE k 70000 "hello world"
    GETRANGE k 69998 70012
    APPEND k tail
    GETRANGE k -6 -1
    STRLEN k
    COPY k {k}2
    SETBIT k 1 1
    GETBIT {k}2 1
    GETBIT k 1
    BITOP NOT {k}3 k
    GETRANGE {k}3 69998 70012
    BITCOUNT {k}3
    BITPOS {k}3 0
    BITOP XOR {k}4 k {k}2
    BITCOUNT {k}4
    BITPOS {k}4 1
    BITOP AND {k}4 k {k}3
    BITCOUNT {k}4
    BITOP OR {k}4 k {k}3
    BITCOUNT {k}4
    BITPOS {k}4 0
    BITPOS {k}4 0 0
    BITPOS {k}4 0 0 -1
    BITOP AND {k}5 k {k}short
    STRLEN {k}5
    BITCOUNT {k}5
    INCR k
    INCRBYFLOAT k 1
    GETRANGE k 0 3
    SET k short
    GET k
    OBJECT ENCODING {k}2
    TYPE {k}2
    GETDEL {k}nothing
    `,
  ),
  scenario(
    'BITCOUNT',
    `
    BITCOUNT k
    BITCOUNT k 0
    BITCOUNT k x y
    BITCOUNT k 0 1 WORD
    SET k foobar
    BITCOUNT k
    BITCOUNT k 0 0
    BITCOUNT k 1 1
    BITCOUNT k 1 1 BYTE
    BITCOUNT k 5 30 BIT
    BITCOUNT k 5 30 bit
    BITCOUNT k 5 5 BIT
    BITCOUNT k 8 7 BIT
    BITCOUNT k 0 -1
    BITCOUNT k -2 -1
    BITCOUNT k -1 -2
    BITCOUNT k -100 -50
    BITCOUNT k -50 -100
    BITCOUNT k -9223372036854775808 -9223372036854775807
    BITCOUNT k -9223372036854775807 -9223372036854775808
    BITCOUNT k 0 9223372036854775807
    BITCOUNT k 9223372036854775806 9223372036854775807
    BITCOUNT k 0 9223372036854775807 BIT
    BITCOUNT k -3 -1 BIT
    BITCOUNT k -17 -3 BIT
    BITCOUNT k 0
    BITCOUNT k 0 x
    BITCOUNT k x 0
    BITCOUNT k 0 0 WORD
    BITCOUNT k -1 -2 WORD
    BITCOUNT k 0 0 BIT BIT
    BITCOUNT
    SET k ""
    BITCOUNT k
    BITCOUNT k 0 0
    BITCOUNT k 0 -1 BIT
    SET n 123
    BITCOUNT n
    HSET h f v
    BITCOUNT h
    BITCOUNT h 0
    BITCOUNT h x y
    `,
  ),
  scenario(
    'BITPOS',
    `
    BITPOS k 0
    BITPOS k 1
    BITPOS k 0 x
    BITPOS k 2
    BITPOS k x
    BITPOS k -1
    SET k "\\xff\\xf0\\x00"
    BITPOS k 0
    BITPOS k 1
    BITPOS k 0 1
    BITPOS k 0 2
    BITPOS k 0 3
    BITPOS k 1 2
    BITPOS k 0 0 0
    BITPOS k 0 0 0 BIT
    BITPOS k 0 0 -1
    BITPOS k 1 3 -1 BIT
    BITPOS k 1 12 -1 BIT
    BITPOS k 0 9 11 BIT
    BITPOS k 0 9 12 BIT
    BITPOS k 0 0 11 BIT
    BITPOS k 1 11 30 BIT
    BITPOS k 1 -24 -1 BIT
    BITPOS k 1 -1 -24 BIT
    BITPOS k 1 -100 -1
    BITPOS k 1 -1 -100
    BITPOS k 0 -1
    BITPOS k 0 100
    BITPOS k 0 0 WORD
    BITPOS k 0 0 0 WORD
    BITPOS k 0 x 0 WORD
    BITPOS k 0 0 x WORD
    BITPOS k 0 0 x BIT
    BITPOS k 0 x
    BITPOS k 0 0 0 BIT BIT
    BITPOS k
    SET k "\\xff\\xff\\xff"
    BITPOS k 0
    BITPOS k 0 0
    BITPOS k 0 1
    BITPOS k 0 2
    BITPOS k 0 3
    BITPOS k 0 0 2
    BITPOS k 0 0 100
    BITPOS k 0 0 -1 BIT
    BITPOS k 0 3 23 BIT
    BITPOS k 1 3 3 BIT
    SET k "\\x00\\x00\\x00"
    BITPOS k 1
    BITPOS k 1 1
    BITPOS k 1 0 -1 BIT
    BITPOS k 0 7 -1 BIT
    SET k ""
    BITPOS k 0
    BITPOS k 1
    BITPOS k 0 0
    BITPOS k 0 0 -1
    HSET h f v
    BITPOS h 1
    BITPOS h 2
    BITPOS h 1 x
    `,
  ),
  scenario(
    'BITOP',
    `
    BITOP AND {k}d {k}none
    EXISTS {k}d
    SET {k}d v
    BITOP AND {k}d {k}none {k}none2
    EXISTS {k}d
    SET {k}a "\\xff\\x0f\\x55"
    SET {k}b "\\x0f\\xf0"
    BITOP AND {k}d {k}a {k}b
    GET {k}d
    BITOP OR {k}d {k}a {k}b
    GET {k}d
    BITOP XOR {k}d {k}a {k}b
    GET {k}d
    BITOP NOT {k}d {k}a
    GET {k}d
    BITOP and {k}d {k}a
    GET {k}d
    BITOP AND {k}d {k}a {k}none
    GET {k}d
    BITOP OR {k}d {k}a {k}none {k}b {k}a
    GET {k}d
    BITOP XOR {k}a {k}a {k}a
    GET {k}a
    SET {k}t v EX 100
    BITOP OR {k}t {k}b
    TTL {k}t
    SET {k}n 12
    BITOP XOR {k}d {k}n {k}b
    GET {k}d
    BITOP NOT {k}d {k}a {k}b
    BITOP NOT {k}d
    BITOP NAND {k}d {k}a
    BITOP
    BITOP AND {k}d
    HSET {k}h f v
    BITOP AND {k}d {k}a {k}h
    BITOP OR {k}h {k}b
    TYPE {k}h
    BITOP AND a b c
    BITOP NAND a b c
    SET {k}e ""
    BITOP OR {k}d {k}e
    EXISTS {k}d
    `,
  ),
  scenario(
    'BITFIELD',
    `
    BITFIELD k
    EXISTS k
    BITFIELD k GET u8 0
    EXISTS k
    BITFIELD k SET u8 0 255 GET u8 0 GET i8 0
    BITFIELD k INCRBY u8 0 1
    BITFIELD k OVERFLOW SAT INCRBY u8 0 300
    BITFIELD k OVERFLOW FAIL INCRBY u8 0 1 OVERFLOW WRAP INCRBY u8 0 1
    BITFIELD k SET i5 100 15 GET i5 100 INCRBY i5 100 1
    GET k
    STRLEN k
    BITFIELD k SET u4 #3 9 GET u4 #3 GET u4 12
    BITFIELD k SET i64 0 -9223372036854775808 GET i64 0
    BITFIELD k INCRBY i64 0 -1 GET i64 0
    BITFIELD k OVERFLOW SAT INCRBY i64 0 1 INCRBY i64 0 9223372036854775807
    BITFIELD k OVERFLOW SAT SET u8 0 -1 GET u8 0 SET u8 0 256 GET u8 0
    BITFIELD k OVERFLOW WRAP SET u8 0 -1 GET u8 0 SET u8 0 257 GET u8 0
    BITFIELD k OVERFLOW FAIL SET u8 0 -1 GET u8 0 SET u8 0 257 GET u8 0
    BITFIELD k OVERFLOW WRAP SET i8 0 200 GET i8 0 OVERFLOW SAT SET i8 0 200 GET i8 0 SET i8 0 -200 GET i8 0
    BITFIELD k OVERFLOW FAIL SET i8 0 128 SET i8 0 127 INCRBY i8 0 1 INCRBY i8 0 -255 INCRBY i8 0 -1
    BITFIELD k SET u63 3 9223372036854775807 GET u63 3 INCRBY u63 3 1
    BITFIELD k SET u1 7 1 SET u1 8 1 GET u2 7
    BITFIELD f OVERFLOW FAIL SET u8 80 256
    STRLEN f
    BITFIELD k GET u64 0
    BITFIELD k GET i65 0
    BITFIELD k GET u0 0
    BITFIELD k GET x8 0
    BITFIELD k GET u 0
    BITFIELD k GET u8x 0
    BITFIELD k GET U8 0
    BITFIELD k GET u8 -1
    BITFIELD k GET u8 x
    BITFIELD k GET u8 4294967295
    BITFIELD k GET u8 4294967296
    BITFIELD k GET u8 #536870911
    BITFIELD k GET u8 #536870912
    BITFIELD k GET u8 #9223372036854775807
    BITFIELD k GET u8 #x
    BITFIELD k GET u8 #-1
    BITFIELD k GET u8
    BITFIELD k GET
    BITFIELD k SET u8 0
    BITFIELD k SET u8 0 x
    BITFIELD k SET u8 0 1.5
    BITFIELD k SET u8 0 9223372036854775808
    BITFIELD k OVERFLOW
    BITFIELD k OVERFLOW NEVER
    BITFIELD k OVERFLOW sat get u8 0
    BITFIELD k OVERFLOW FAIL
    BITFIELD k NOPE u8 0
    BITFIELD k GET u8 0 NOPE
    BITFIELD
    SET n 12345
    BITFIELD n GET u8 0 GET u16 8
    BITFIELD n INCRBY u8 0 1
    GET n
    SET t v EXAT 33177117420
    BITFIELD t SET u8 0 65
    EXPIRETIME t
    HSET h f v
    BITFIELD h GET u8 0
    BITFIELD h
    BITFIELD h SET u8 0 1
    BITFIELD h SET u8 0 x
    `,
  ),
  scenario(
    'BITFIELD_RO',
    `
    BITFIELD_RO k
    BITFIELD_RO k GET u8 0
    SET k "\\x01\\xfe"
    BITFIELD_RO k GET u8 0 GET i8 8 GET u16 0 GET u8 4 GET u8 12 GET u8 100
    BITFIELD_RO k GET u8 #0 GET u8 #1 GET i4 #3
    BITFIELD_RO k SET u8 0 1
    BITFIELD_RO k INCRBY u8 0 1
    BITFIELD_RO k GET u8 0 SET u8 0 1
    BITFIELD_RO k OVERFLOW FAIL GET u8 0
    BITFIELD_RO k SET u8 0 x
    BITFIELD_RO
    HSET h f v
    BITFIELD_RO h GET u8 0
    BITFIELD_RO h SET u8 0 1
    `,
  ),
];
