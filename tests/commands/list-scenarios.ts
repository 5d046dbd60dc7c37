import { scenario, since72 } from '../support/redis-script.ts';

const big = 'x'.repeat(9000);

export const listScenarios = [
  scenario(
    'LPUSH, RPUSH and their kin for lists that exist',
    `
    LPUSH l a
    LPUSH l b c
    RPUSH l d e
    LRANGE l 0 -1
    LLEN l
    LLEN none
    LPUSHX l x
    RPUSHX l y z
    LRANGE l 0 -1
    LPUSHX none x
    RPUSHX none x y
    EXISTS none
    LPUSH l
    RPUSH
    LPUSHX l
    LLEN
    LLEN l m
    LPUSH l "" "\\x00\\xff\\r\\n"
    LRANGE l 0 1
    TYPE l
    SET s v
    LPUSH s a
    RPUSH s a
    LPUSHX s a
    RPUSHX s a
    LLEN s
    LRANGE s 0 -1
    GET l
    `,
  ),
  scenario(
    'LPOP and RPOP',
    `
    RPUSH l a b c d e f g
    LPOP l
    RPOP l
    LPOP l 0
    RPOP l 0
    LPOP l 2
    RPOP l 2
    LRANGE l 0 -1
    RPOP l 100
    EXISTS l
    LPOP l
    RPOP l
    LPOP l 1
    RPOP l 0
    LPOP l -1
    LPOP l x
    RPOP l 1.0
    LPOP l 9223372036854775808
    RPUSH l a b c
    LPOP l 9223372036854775807
    RPUSH l a
    LPOP l -1
    LPOP l 1 2
    RPOP l 1 2
    RPOP l ""
    LPOP
    RPOP
    LPOP l
    EXISTS l
    SET s v
    LPOP s
    RPOP s 1
    LPOP s x
    RPOP s 0
    `,
  ),
  scenario(
    'LINDEX and LSET',
    `
    RPUSH l a b c
    LINDEX l 0
    LINDEX l 2
    LINDEX l 3
    LINDEX l -1
    LINDEX l -3
    LINDEX l -4
    LINDEX l 9223372036854775807
    LINDEX l -9223372036854775808
    LINDEX l 9223372036854775808
    LINDEX l x
    LINDEX none x
    LINDEX none 0
    LINDEX l
    LSET l 0 A
    LSET l -1 C
    LSET l 3 x
    LSET l -4 x
    LSET l x x
    LSET none 0 x
    LSET none x x
    LSET l 1 ""
    LRANGE l 0 -1
    LSET l 1
    LSET l 1000000000 x
    SET s v
    LINDEX s 0
    LINDEX s x
    LSET s 0 x
    LSET s x x
    `,
  ),
  scenario(
    'LRANGE and LTRIM',
    `
    RPUSH l a b c d e
    LRANGE l 1 3
    LRANGE l -3 -2
    LRANGE l 0 100
    LRANGE l -100 1
    LRANGE l 3 1
    LRANGE l 5 10
    LRANGE l 4 4
    LRANGE l -1 0
    LRANGE l -100 -90
    LRANGE l 0 9223372036854775807
    LRANGE l -9223372036854775808 -1
    LRANGE l 0 x
    LRANGE l x 0
    LRANGE none 0 -1
    LRANGE none 0 x
    LRANGE l 0
    LTRIM l 1 -2
    LRANGE l 0 -1
    LTRIM l 0 -1
    LTRIM l 1 100
    LRANGE l 0 -1
    LTRIM l x 1
    LTRIM l 1 1.5
    LTRIM none 0 1
    LTRIM none x 1
    LTRIM l -1 -1
    LRANGE l 0 -1
    LTRIM l 1 0
    EXISTS l
    RPUSH l a b c
    LTRIM l 7 9
    EXISTS l
    RPUSH l a b c
    LTRIM l -100 -50
    EXISTS l
    SET s v
    LTRIM s 0 1
    LTRIM s x 1
    LRANGE s 0 x
    LTRIM s 0
    `,
  ),
  scenario(
    'LINSERT',
    `
    RPUSH l a b c b
    LINSERT l BEFORE b x
    LINSERT l after b y
    LINSERT l Before a first
    LINSERT l AFTER none z
    LRANGE l 0 -1
    LINSERT l AFTER c z
    LINSERT none BEFORE a b
    LINSERT none NEAR a b
    LINSERT l NEAR a b
    LINSERT l BEFORE a
    EXISTS none
    LRANGE l 0 -1
    SET s v
    LINSERT s BEFORE a b
    LINSERT s NEAR a b
    `,
  ),
  scenario(
    'LREM',
    `
    RPUSH l a b a a c a b a
    LREM l 1 a
    LRANGE l 0 -1
    LREM l -2 a
    LRANGE l 0 -1
    LREM l 0 a
    LRANGE l 0 -1
    LREM l 5 b
    LREM l 0 none
    LREM l 0 c
    EXISTS l
    LREM l 0 c
    RPUSH l x x x y x x
    LREM l -9223372036854775808 x
    LRANGE l 0 -1
    LREM l 9223372036854775807 y
    EXISTS l
    LREM l x y
    LREM none x y
    LREM l 0
    SET s v
    LREM s 0 a
    LREM s x a
    `,
  ),
  scenario(
    'LPOS',
    `
    RPUSH l a b c 1 2 3 c c
    LPOS l c
    LPOS l a
    LPOS l none
    LPOS l c RANK 2
    LPOS l c RANK 4
    LPOS l c RANK -1
    LPOS l c RANK -3
    LPOS l c RANK -4
    LPOS l c COUNT 0
    LPOS l c COUNT 2
    LPOS l c COUNT 1
    LPOS l c COUNT 100
    LPOS l c COUNT 2 RANK 2
    LPOS l c RANK -1 COUNT 2
    LPOS l c rank -1 count 0 maxlen 2
    LPOS l c MAXLEN 2
    LPOS l c MAXLEN 3
    LPOS l c MAXLEN 0
    LPOS l c COUNT 0 MAXLEN 1
    LPOS l c COUNT 0 MAXLEN 7
    LPOS l none COUNT 0
    LPOS none a
    LPOS none a COUNT 1
    LPOS l c RANK 0
    LPOS l c RANK x
    LPOS l c COUNT -1
    LPOS l c COUNT x
    LPOS l c MAXLEN -1
    LPOS l c MAXLEN x
    LPOS l c NEAR 1
    LPOS l c COUNT
    LPOS l c RANK 1 RANK 2
    LPOS l c RANK 9223372036854775807
    LPOS l c RANK -9223372036854775807
    LPOS none a RANK 0
    LPOS l
    SET s v
    LPOS s a
    LPOS s a RANK 0
    `,
    since72(
      'LPOS l c RANK -9223372036854775808',
      '-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n',
      'its opposite is no 64-bit integer',
    ),
  ),
  scenario(
    'LMOVE and RPOPLPUSH',
    `
    RPUSH {k}a 1 2 3 4
    RPOPLPUSH {k}a {k}b
    LMOVE {k}a {k}b LEFT RIGHT
    LMOVE {k}a {k}b right left
    LRANGE {k}a 0 -1
    LRANGE {k}b 0 -1
    RPOPLPUSH {k}a {k}b
    EXISTS {k}a
    RPOPLPUSH {k}a {k}b
    LMOVE {k}a {k}b LEFT LEFT
    LMOVE {k}b {k}b LEFT RIGHT
    LRANGE {k}b 0 -1
    RPOPLPUSH {k}b {k}b
    LRANGE {k}b 0 -1
    LMOVE {k}b {k}b LEFT LEFT
    LMOVE {k}b {k}b RIGHT RIGHT
    LRANGE {k}b 0 -1
    LMOVE {k}a {k}b UP LEFT
    LMOVE {k}a {k}b LEFT DOWN
    LMOVE {k}a {k}b LEFT
    RPOPLPUSH {k}a
    RPOPLPUSH a b
    LMOVE a b LEFT LEFT
    SET {k}s v
    LMOVE {k}b {k}s LEFT LEFT
    LMOVE {k}s {k}b LEFT LEFT
    LMOVE {k}a {k}s LEFT LEFT
    RPOPLPUSH {k}s {k}b
    LRANGE {k}b 0 -1
    RPUSH {k}one 1
    EXPIRE {k}one 100
    RPOPLPUSH {k}one {k}one
    LMOVE {k}one {k}one LEFT LEFT
    LMOVE {k}one {k}one LEFT RIGHT
    LRANGE {k}one 0 -1
    ~ TTL {k}one
    `,
  ),
  scenario(
    'LMPOP',
    `
    RPUSH {k}a 1 2 3 4 5
    RPUSH {k}b x y
    LMPOP 1 {k}a LEFT
    LMPOP 1 {k}a right
    LMPOP 2 {k}none {k}a LEFT COUNT 2
    LMPOP 2 {k}a {k}b RIGHT COUNT 10
    LMPOP 2 {k}a {k}b RIGHT COUNT 10
    LMPOP 2 {k}a {k}b RIGHT COUNT 10
    EXISTS {k}a {k}b
    LMPOP 0 {k}a LEFT
    LMPOP -1 {k}a LEFT
    LMPOP x {k}a LEFT
    LMPOP 1 {k}a UP
    LMPOP 2 {k}a LEFT
    LMPOP 100 {k}a LEFT
    LMPOP 1 {k}a
    LMPOP 1 {k}a LEFT COUNT
    LMPOP 1 {k}a LEFT COUNT 0
    LMPOP 1 {k}a LEFT COUNT -1
    LMPOP 1 {k}a LEFT COUNT x
    LMPOP 1 {k}a LEFT COUNT 1 COUNT 1
    LMPOP 1 {k}a LEFT COUNT 1 x
    LMPOP 1 {k}a LEFT x 1
    LMPOP 9223372036854775807 {k}a LEFT
    LMPOP 2 a b LEFT
    SET {k}s v
    LMPOP 2 {k}s {k}a LEFT
    LMPOP 2 {k}none {k}s LEFT
    RPUSH {k}a 1
    LMPOP 2 {k}a {k}s LEFT
    COMMAND GETKEYS LMPOP 2 a b LEFT
    COMMAND GETKEYS LMPOP x a b LEFT
    `,
  ),
  scenario(
    'lists among other commands',
    `
    RPUSH {k}a 1 2 3
    COPY {k}a {k}b
    RPUSH {k}b 4
    LRANGE {k}a 0 -1
    LRANGE {k}b 0 -1
    RENAME {k}b {k}c
    LRANGE {k}c 0 -1
    EXPIRE {k}c 100
    LPUSH {k}c 0
    ~ TTL {k}c
    LPOP {k}c 100
    RPUSH {k}c 1
    TTL {k}c
    SET {k}a v
    GET {k}a
    DEL {k}a
    RPUSH {k}a x
    PEXPIREAT {k}a 1
    LRANGE {k}a 0 -1
    RPUSH {k}a y
    LRANGE {k}a 0 -1
    TTL {k}a
    * KEYS *
    SCAN 0 TYPE string
    `,
  ),
  scenario(
    'lists in transactions',
    `
    MULTI
    RPUSH {k}a 1 2 3
    LPOP {k}a 2
    LMPOP 1 {k}a LEFT
    LMPOP 1 {k}a LEFT
    LPUSH {k}a x
    LRANGE {k}a 0 -1
    EXEC
    WATCH {k}a
    b> LMOVE {k}a {k}a LEFT LEFT
    MULTI
    LLEN {k}a
    EXEC
    WATCH {k}b
    b> RPOPLPUSH {k}a {k}b
    MULTI
    LLEN {k}a
    EXEC
    WATCH {k}b
    b> LTRIM {k}none 0 1
    b> LREM {k}b 0 none
    MULTI
    LLEN {k}b
    EXEC
    `,
  ),
  scenario(
    'OBJECT ENCODING of lists',
    'RPUSH l a b 1 -300',
    since72('OBJECT ENCODING l', '$8\r\nlistpack\r\n', 'Redis 7.0 has one encoding for lists'),
    `
    RPUSH l ${big}
    OBJECT ENCODING l
    RPUSH m ${big}
    OBJECT ENCODING m
    `,
    'RPUSH n 1',
    since72('OBJECT ENCODING n', '$8\r\nlistpack\r\n', 'Redis 7.0 has one encoding for lists'),
  ),
];
