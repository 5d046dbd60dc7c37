import { differs, hears, scenario, since72 } from '../support/redis-script.ts';

export const connectionScenarios = [
  scenario(
    'PING and ECHO',
    `
    PING
    ping
    PING hello
    PING ""
    PING a b
    ECHO hello
    ECHO ""
    ECHO
    ECHO a b
    `,
  ),
  scenario(
    'HELLO',
    `
    ? HELLO
    ? HELLO 2
    ? HELLO 3
    GET none
    ? HELLO
    ? HELLO 2
    GET none
    HELLO 1
    HELLO 4
    HELLO x
    HELLO 2.0
    HELLO ""
    HELLO -1
    HELLO 99999999999999999999
    ? HELLO 3 SETNAME me
    CLIENT GETNAME
    HELLO 3 SETNAME "a b"
    HELLO 3 SETNAME
    HELLO 3 AUTH
    HELLO 3 AUTH default
    ? HELLO 3 AUTH default pass
    HELLO 3 AUTH other pass
    HELLO 3 unknown
    HELLO 2 SETNAME two unknown
    `,
    since72('CLIENT GETNAME', '$2\r\nme\r\n', 'HELLO does all or nothing since 7.2'),
    `
    GET none
    ? HELLO 2 setname three auth default x
    `,
  ),
  scenario(
    'AUTH without a password',
    `
    AUTH x
    AUTH default x
    AUTH other x
    AUTH
    AUTH a b c
    AUTH ""
    GET k
    `,
  ),
  scenario(
    'SELECT knows one database',
    `
    SELECT 0
    SELECT 1
    SELECT 16
    SELECT -1
    SELECT x
    SELECT ""
    SELECT
    SELECT 0 0
    SELECT 99999999999
    SELECT 99999999999999999999
    `,
  ),
  scenario('QUIT closes', '! QUIT', 'b> ! QUIT now please', 'c> ! quit'),
  scenario(
    'RESET',
    `
    ? HELLO 3 SETNAME me
    CLIENT GETNAME
    RESET
    CLIENT GETNAME
    GET none
    MULTI
    SET k v
    RESET
    EXEC
    GET k
    WATCH k
    b> SET k v
    RESET
    MULTI
    EXEC
    RESET x
    CLIENT REPLY ON
    `,
  ),
  scenario(
    'CLIENT names',
    `
    CLIENT GETNAME
    CLIENT SETNAME me
    CLIENT GETNAME
    CLIENT SETNAME "with blank"
    CLIENT SETNAME "line\\nbreak"
    CLIENT SETNAME "\\xff"
    CLIENT GETNAME
    CLIENT SETNAME ""
    CLIENT GETNAME
    CLIENT SETNAME
    CLIENT SETNAME a b
    CLIENT GETNAME x
    client getname
    `,
  ),
  scenario(
    'CLIENT ID, INFO and LIST',
    `
    ? CLIENT ID
    ? CLIENT INFO
    ? CLIENT LIST
    ? CLIENT LIST TYPE normal
    CLIENT LIST TYPE replica
    CLIENT LIST TYPE master
    CLIENT LIST TYPE pubsub
    CLIENT LIST TYPE slave
    CLIENT LIST TYPE nonsense
    CLIENT LIST TYPE
    CLIENT LIST ID
    CLIENT LIST ID x
    CLIENT LIST ID 0
    CLIENT LIST ID -1
    CLIENT LIST ID 999999999
    CLIENT LIST nonsense
    CLIENT LIST nonsense x
    CLIENT LIST TYPE normal normal
    CLIENT ID x
    CLIENT INFO x
    `,
  ),
  scenario(
    'CLIENT NO-EVICT, REPLY and what does not exist',
    `
    CLIENT NO-EVICT ON
    CLIENT NO-EVICT off
    CLIENT NO-EVICT maybe
    CLIENT NO-EVICT
    CLIENT NO-EVICT ON OFF
    CLIENT REPLY ON
    CLIENT REPLY nonsense
    CLIENT REPLY
    CLIENT REPLY ON OFF
    CLIENT
    CLIENT nonsense
    CLIENT "non sense" x y
    CLIENT HELP x
    `,
    differs('CLIENT TRACKING ON', "-ERR unknown subcommand 'TRACKING'. Try CLIENT HELP.\r\n", 'not offered'),
    differs('CLIENT GETREDIR', "-ERR unknown subcommand 'GETREDIR'. Try CLIENT HELP.\r\n", 'not offered'),
    since72('CLIENT NO-TOUCH ON', '+OK\r\n', 'NO-TOUCH came with 7.2'),
    since72('CLIENT NO-TOUCH off', '+OK\r\n', 'NO-TOUCH came with 7.2'),
    since72('CLIENT NO-TOUCH maybe', '-ERR syntax error\r\n', 'NO-TOUCH came with 7.2'),
    since72('CLIENT SETINFO LIB-NAME me', '+OK\r\n', 'SETINFO came with 7.2'),
    since72('CLIENT SETINFO lib-ver 1.2.3', '+OK\r\n', 'SETINFO came with 7.2'),
    since72('CLIENT SETINFO lib-ver ""', '+OK\r\n', 'SETINFO came with 7.2'),
    since72(
      'CLIENT SETINFO lib-ver "a b"',
      '-ERR lib-ver cannot contain spaces, newlines or special characters.\r\n',
      'SETINFO came with 7.2',
    ),
    since72(
      'CLIENT SETINFO LIB-NAME "a b"',
      '-ERR LIB-NAME cannot contain spaces, newlines or special characters.\r\n',
      'SETINFO came with 7.2',
    ),
    since72('CLIENT SETINFO Colour red', "-ERR Unrecognized option 'Colour'\r\n", 'SETINFO came with 7.2'),
    since72(
      'CLIENT SETINFO LIB-NAME',
      "-ERR wrong number of arguments for 'client|setinfo' command\r\n",
      'SETINFO came with 7.2',
    ),
  ),
  scenario(
    'CLIENT REPLY OFF and SKIP keep replies back',
    `
    _ CLIENT REPLY OFF
    _ PING lost
    _ SET k v
    _ NOSUCH
    _ GET
    CLIENT REPLY ON
    GET k
    _ CLIENT REPLY SKIP
    _ PING lost
    PING seen
    _ CLIENT REPLY SKIP
    _ NOSUCH
    PING seen
    _ CLIENT REPLY SKIP
    _ SET k w
    GET k
    _ CLIENT REPLY OFF
    _ CLIENT REPLY SKIP
    _ PING lost
    _ PING lost
    CLIENT REPLY ON
    PING seen
    _ CLIENT REPLY SKIP
    _ CLIENT REPLY SKIP
    _ PING lost
    PING seen
    _ CLIENT REPLY SKIP
    _ MULTI
    SET k x
    EXEC
    MULTI
    SET k y
    CLIENT REPLY ON
    EXEC
    GET k
    _ CLIENT REPLY OFF
    RESET
    PING seen
    `,
  ),
  scenario(
    'CLIENT KILL',
    `
    CLIENT KILL 127.0.0.1:1
    CLIENT KILL nonsense
    CLIENT KILL ID 999999999
    CLIENT KILL ID 0
    CLIENT KILL ID -1
    CLIENT KILL ID x
    CLIENT KILL ID
    CLIENT KILL ADDR 127.0.0.1:1
    CLIENT KILL LADDR 127.0.0.1:1
    CLIENT KILL TYPE nonsense
    CLIENT KILL TYPE pubsub
    CLIENT KILL TYPE replica
    CLIENT KILL TYPE master SKIPME yes
    CLIENT KILL USER nonsense
    CLIENT KILL USER default ADDR 127.0.0.1:1
    CLIENT KILL SKIPME maybe
    CLIENT KILL SKIPME
    CLIENT KILL nonsense x
    CLIENT KILL ID 999999999 nonsense
    CLIENT KILL ID 999999999 ADDR
    CLIENT KILL
    CLIENT KILL ID 999999999 SKIPME no TYPE normal
    `,
  ),
  scenario(
    'CLIENT KILL ends other connections and, unless told otherwise, not its own',
    `
    b> PING
    c> PING
    b> CLIENT KILL TYPE normal SKIPME yes LADDR 127.0.0.1:1
    ? CLIENT KILL TYPE normal
    PING
    b> ! PING
    `,
  ),
  scenario('CLIENT KILL of oneself comes after the reply', '! CLIENT KILL TYPE normal SKIPME no'),
  scenario(
    'CLIENT PAUSE holds writes back until CLIENT UNPAUSE',
    `
    c> MULTI
    c> SET l v
    d> MULTI
    d> GET k
    CLIENT PAUSE 100000 WRITE
    b> _ SET k v
    GET k
    c> _ EXEC
    GET l
    d> EXEC
    PING
    CLIENT UNPAUSE
    `,
    hears('b'),
    hears('c'),
    `
    GET k
    GET l
    CLIENT PAUSE 30 WRITE
    SET k w
    CLIENT PAUSE 30 ALL
    GET k
    `,
  ),
  scenario(
    'CLIENT PAUSE and UNPAUSE',
    `
    CLIENT PAUSE 1
    CLIENT PAUSE 0
    CLIENT PAUSE -1
    CLIENT PAUSE x
    CLIENT PAUSE 1.5
    CLIENT PAUSE 1 nonsense
    CLIENT PAUSE 1 WRITE
    CLIENT PAUSE 1 all
    CLIENT PAUSE 1 ALL x
    CLIENT PAUSE
    CLIENT UNPAUSE
    CLIENT UNPAUSE x
    CLIENT PAUSE 9223372036854775808
    CLIENT PAUSE 100 WRITE
    GET k
    SET k v
    GET k
    CLIENT PAUSE 100
    SET k w
    GET k
    CLIENT PAUSE 100000 WRITE
    CLIENT UNPAUSE
    SET k x
    `,
  ),
];
