import { scenario, until } from '../support/redis-script.ts';

export const transactionScenarios = [
  scenario(
    'MULTI, EXEC and DISCARD',
    `
    EXEC
    DISCARD
    MULTI
    SET k v
    GET k
    INCR {k}n
    PING
    PING hello
    ECHO x
    EXEC
    MULTI
    EXEC
    MULTI
    SET k w
    DISCARD
    GET k
    DISCARD
    EXEC
    MULTI
    MULTI
    GET k
    EXEC
    MULTI
    DISCARD x
    EXEC
    MULTI
    EXEC x
    DISCARD
    MULTI x
    EXEC x
    WATCH k
    EXEC x
    b> SET k changed
    MULTI
    EXEC
    `,
  ),
  scenario(
    'an error while queueing aborts EXEC',
    `
    MULTI
    SET k v
    NOSUCHCOMMAND
    SET k w
    EXEC
    GET k
    MULTI
    GET
    EXEC
    MULTI
    CLIENT NOSUCH
    EXEC
    MULTI
    OBJECT ENCODING
    EXEC
    MULTI
    SET k v
    GET
    DISCARD
    GET k
    MULTI
    MSET {a}1 1 {b}2 2
    EXEC
    MULTI
    NOSUCH
    SET a 1
    SET b 2
    EXEC
    MULTI
    SET a 1
    SET b 2
    NOSUCH
    EXEC
    WATCH k
    b> SET k dirty
    MULTI
    SET a 1
    SET b 2
    EXEC
    MULTI
    WATCH a b
    EXEC
    MULTI
    SET a 1
    SET b 2
    EXEC
    MULTI
    SELECT x
    EXEC
    `,
  ),
  scenario(
    'an error while running aborts nothing',
    `
    SET s abc
    MULTI
    INCR s
    SET s v2 EX -1
    APPEND s def
    GET s
    EXPIRE s x
    EXEC
    GET s
    `,
  ),
  scenario(
    'WATCH and UNWATCH',
    `
    WATCH k
    MULTI
    SET k v
    EXEC
    WATCH k
    b> SET k w
    MULTI
    SET k x
    EXEC
    GET k
    WATCH k
    SET k own
    MULTI
    GET k
    EXEC
    WATCH k
    b> SET k w
    UNWATCH
    MULTI
    GET k
    EXEC
    WATCH k
    b> SET k w2
    MULTI
    GET k
    DISCARD
    MULTI
    GET k
    EXEC
    WATCH k
    b> GET k
    b> TTL k
    MULTI
    GET k
    EXEC
    MULTI
    WATCH k
    EXEC
    MULTI
    UNWATCH
    EXEC
    WATCH
    UNWATCH x
    WATCH a b
    WATCH {a}1 {a}2
    b> SET {a}2 v
    MULTI
    GET {a}1
    EXEC
    `,
  ),
  scenario(
    'what makes a watched key dirty',
    `
    WATCH k
    b> DEL k
    MULTI
    PING
    EXEC
    SET k v
    WATCH k
    b> EXPIRE k 100
    MULTI
    PING
    EXEC
    WATCH k
    b> PERSIST k
    MULTI
    PING
    EXEC
    WATCH k
    b> PERSIST k
    MULTI
    PING
    EXEC
    WATCH k
    b> SET k v NX
    MULTI
    PING
    EXEC
    WATCH k
    b> SET k v
    MULTI
    PING
    EXEC
    WATCH k
    b> APPEND k ""
    MULTI
    PING
    EXEC
    WATCH k
    b> SETRANGE k 0 ""
    MULTI
    PING
    EXEC
    SET n 1
    WATCH n
    b> INCRBY n 0
    MULTI
    PING
    EXEC
    WATCH n
    b> FLUSHALL
    MULTI
    PING
    EXEC
    WATCH n
    b> FLUSHALL
    MULTI
    PING
    EXEC
    WATCH n
    b> SET other v
    b> FLUSHDB
    MULTI
    PING
    EXEC
    SET {n}1 v
    WATCH {n}1
    b> RENAME {n}1 {n}2
    MULTI
    PING
    EXEC
    WATCH {n}1
    b> RENAME {n}2 {n}1
    MULTI
    PING
    EXEC
    WATCH {n}1
    b> RENAME {n}1 {n}1
    MULTI
    PING
    EXEC
    WATCH {n}3
    b> COPY {n}1 {n}3
    MULTI
    PING
    EXEC
    WATCH {n}1
    b> COPY {n}1 {n}3 REPLACE
    MULTI
    PING
    EXEC
    WATCH {n}1
    b> GETEX {n}1
    MULTI
    PING
    EXEC
    WATCH {n}1
    b> GETEX {n}1 EX 100
    MULTI
    PING
    EXEC
    WATCH {n}1
    b> GETEX {n}1 PERSIST
    MULTI
    PING
    EXEC
    WATCH {n}1
    b> GETEX {n}1 PERSIST
    MULTI
    PING
    EXEC
    WATCH {n}1
    b> EXPIRE {n}1 100 XX
    MULTI
    PING
    EXEC
    WATCH {n}1
    b> GETDEL {n}1
    MULTI
    PING
    EXEC
    WATCH {n}1
    b> GETDEL {n}1
    MULTI
    PING
    EXEC
    `,
  ),
  scenario(
    'a watched key that expires is dirty, one that had expired before is not',
    `
    SET {k}1 v PX 500
    SET clock v PX 550
    WATCH {k}1
    `,
    until('b> EXISTS clock', ':0\r\n'),
    `
    MULTI
    PING
    EXEC
    SET {k}1 v PX 500
    SET clock v PX 550
    WATCH {k}1
    `,
    until('b> EXISTS clock', ':0\r\n'),
    `
    MULTI
    GET {k}1
    SET {k}2 v
    EXEC
    EXISTS {k}2
    SET {k}1 v PX 1
    SET clock v PX 500
    `,
    until('b> EXISTS clock', ':0\r\n'),
    `
    WATCH {k}1
    MULTI
    GET {k}1
    EXEC
    WATCH {k}3
    b> SET {k}3 v PX 500
    b> SET clock v PX 550
    `,
    until('b> EXISTS clock', ':0\r\n'),
    `
    MULTI
    PING
    EXEC
    SET {k}1 v PX 5000
    WATCH {k}1
    b> PERSIST {k}1
    MULTI
    PING
    EXEC
    GET {k}1
    `,
  ),
  scenario(
    'a failed EXEC forgets what was watched',
    `
    WATCH k
    b> SET k v
    MULTI
    EXEC
    MULTI
    GET k
    EXEC
    WATCH k
    b> SET k w
    MULTI
    NOSUCH
    EXEC
    MULTI
    GET k
    EXEC
    `,
  ),
  scenario(
    'commands of the connection inside MULTI',
    `
    MULTI
    CLIENT ID
    CLIENT SETNAME in-multi
    CLIENT GETNAME
    SELECT 0
    COMMAND COUNT
    TIME
    HELLO 3
    AUTH x
    RESET
    GET k
    CLIENT GETNAME
    MULTI
    CLIENT SETNAME in-multi
    CLIENT GETNAME
    SELECT 0
    DBSIZE
    KEYS *
    SCAN 0
    RANDOMKEY
    FLUSHALL
    OBJECT ENCODING k
    WAIT 0 10
    EXEC
    MULTI
    SET k v
    SELECT 1
    EXEC
    GET k
    `,
  ),
  scenario(
    'QUIT inside MULTI',
    `
    MULTI
    SET k v
    ! QUIT
    b> GET k
    `,
  ),
  scenario(
    'a transaction in RESP3',
    `
    ? HELLO 3
    MULTI
    GET k
    SET k v
    TTL k
    EXEC
    WATCH k
    b> SET k w
    MULTI
    GET k
    EXEC
    `,
  ),
  scenario(
    'LTRIM changes a list for those who watch it, although it removes nothing',
    `
    RPUSH k a b
    WATCH k
    LTRIM k 0 -1
    MULTI
    PING
    EXEC
    WATCH k
    LTRIM l 0 -1
    MULTI
    PING
    EXEC
    `,
  ),
];
