import { differs, scenario } from '../support/redis-script.ts';

export const serverScenarios = [
  scenario(
    'commands and subcommands that do not exist, and wrong numbers of arguments',
    `
    NOSUCH
    NOSUCH a b c
    nosuch "with blank" 'x'
    NOSUCH aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkkkkkkkkllllllllllmmmmmmmmmmnnnnnnnnnn x y
    aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkkkkkkkkllllllllllmmmmmmmmmmnnnnnnnnnn
    NOSUCH aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee ffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkkkkkkkk llllllllll mmmmmmmmmm nnnnnnnnnn
    NOSUCH "line\\r\\nbreak" y
    "NO\\r\\nSUCH" y
    "" y
    ""
    NOSUCH "\\x00\\xff"
    get|k k
    client|id
    config|get maxmemory
    CONFIG
    CONFIG NOSUCH
    CONFIG GET
    CONFIG RESETSTAT x
    COMMAND NOSUCH
    COMMAND COUNT x
    OBJECT NOSUCH x
    CLUSTER NOSUCH
    CLUSTER
    CLUSTER "no\\r\\nsuch"
    CLUSTER KEYSLOT
    CLUSTER KEYSLOT a b
    CLUSTER KEYSLOT somekey
    CLUSTER KEYSLOT {tag}key
    CLUSTER KEYSLOT {}key
    CLUSTER KEYSLOT a{}b{c}
    CLUSTER KEYSLOT ""
    CLUSTER COUNTKEYSINSLOT x
    CLUSTER COUNTKEYSINSLOT -1
    CLUSTER COUNTKEYSINSLOT 16384
    CLUSTER COUNTKEYSINSLOT 0
    CLUSTER GETKEYSINSLOT 0 10
    CLUSTER GETKEYSINSLOT 0 -1
    CLUSTER GETKEYSINSLOT 0 x
    CLUSTER GETKEYSINSLOT x 1
    CLUSTER GETKEYSINSLOT 16384 1
    ? CLUSTER MYID
    ? CLUSTER SLOTS
    ? CLUSTER INFO
    ? CLUSTER NODES
    READONLY
    READWRITE
    ASKING
    ? TIME
    TIME x
    ? ROLE
    ROLE x
    WAIT 0 0
    WAIT x 0
    WAIT 0 x
    WAIT 0 -1
    WAIT 1 10
    WAIT -1 10
    WAIT 0 9223372036854775808
    WAIT
    WAIT 0
    `,
    differs(
      'WAITAOF 0 0 0',
      '*2\r\n:1\r\n:0\r\n',
      'WAITAOF came with 7.2; all that is written is on disk here',
    ),
    `
    ? LASTSAVE
    ? INFO
    ? INFO nonsense
    INFO nonsense
    ECHO x
    `,
  ),
  scenario(
    'COMMAND',
    `
    COMMAND GETKEYS GET k
    COMMAND GETKEYS get k
    COMMAND GETKEYS MSET a 1 b 2
    COMMAND GETKEYS MSET a 1 b
    COMMAND GETKEYS SET k v EX 10
    COMMAND GETKEYS RENAME a b
    COMMAND GETKEYS COPY a b
    COMMAND GETKEYS OBJECT ENCODING k
    COMMAND GETKEYS DEL a b c
    COMMAND GETKEYS WATCH a b
    COMMAND GETKEYS NOSUCH a
    COMMAND GETKEYS GET a b
    COMMAND GETKEYS OBJECT a
    COMMAND GETKEYS PING a
    COMMAND GETKEYS NOSUCH x
    COMMAND GETKEYS MSET a
    COMMAND GETKEYS CLIENT ID
    COMMAND GETKEYS
    COMMAND INFO NOSUCH
    COMMAND INFO get|x
    COMMAND INFO client|nosuch
    COMMAND LIST FILTERBY PATTERN nosuch*
    * COMMAND LIST FILTERBY PATTERN getr*
    * COMMAND LIST FILTERBY PATTERN xyz
    COMMAND LIST FILTERBY MODULE nosuch
    COMMAND LIST FILTERBY nonsense x
    COMMAND LIST FILTERBY PATTERN
    COMMAND LIST nonsense
    * COMMAND LIST FILTERBY ACLCAT nosuch
    ? COMMAND COUNT
    COMMAND DOCS nosuch
    COMMAND HELP x
    `,
  ),
  scenario(
    'CONFIG',
    `
    CONFIG GET nosuch
    CONFIG GET maxmemory
    CONFIG GET MAXMEMORY
    * CONFIG GET maxmemory maxmemory-policy
    * CONFIG GET maxmemory maxmemory
    CONFIG GET appendonlyy
    CONFIG GET cluster-enabled
    CONFIG GET save
    CONFIG GET
    CONFIG SET nosuch 1
    CONFIG SET maxclients
    CONFIG SET
    CONFIG SET maxclients 5000 timeout
    CONFIG SET maxclients 5000
    CONFIG GET maxclients
    CONFIG SET maxclients 4000 timeout 3
    * CONFIG GET maxclients timeout
    CONFIG SET maxclients 3000 nosuch 1
    CONFIG GET maxclients
    CONFIG SET maxclients 3000 maxclients 2000
    CONFIG SET maxclients 10000 timeout 0
    CONFIG SET cluster-enabled no
    CONFIG RESETSTAT
    `,
    ...['maxclients abc', 'maxclients 3000 timeout x', 'timeout -1'].map((pair) =>
      differs(
        `CONFIG SET ${pair}`,
        `-ERR CONFIG SET failed (possibly related to argument '${/(\w+) \S+$/.exec(pair)?.[1]}') - `,
        'the message says what is expected instead',
      ),
    ),
    differs(
      'CONFIG SET appendfsync no',
      "-ERR CONFIG SET failed (possibly related to argument 'appendfsync') - can't set immutable config\r\n",
      'durability is a promise that no parameter takes back',
    ),
    `
    CONFIG GET maxclients
    ? HELLO 3
    CONFIG GET maxmemory
    CONFIG GET nosuch
    `,
  ),
];
