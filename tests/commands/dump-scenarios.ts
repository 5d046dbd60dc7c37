import { scenario } from '../support/redis-script.ts';

/** A dump as it is written in a scenario. */
function quoted(hex: string): string {
  return `"${hex.replace(/../g, (byte) => `\\x${byte}`)}"`;
}

/** What DUMP of Redis 7.0 answers for the text "hello". */
const hello = '000568656c6c6f0a006372df766534200a';
const text = quoted(hello);

export const dumpScenarios = [
  scenario(
    'RESTORE of what Redis dumped',
    `
    RESTORE a 0 ${text}
    GET a
    TTL a
    RESTORE a 0 ${text}
    SET a other
    RESTORE a 0 ${text} REPLACE
    GET a
    RESTORE b 10000 ${text}
    ~ PTTL b
    RESTORE c 1 ${text} ABSTTL
    EXISTS c
    RESTORE b 1 ${text} ABSTTL REPLACE
    EXISTS b
    RESTORE d 4102444800000 ${text} ABSTTL
    PEXPIRETIME d
    RESTORE e 0 ${text} IDLETIME 1000
    ~ OBJECT IDLETIME e
    RESTORE f 0 ${text} FREQ 100
    RESTORE g 0 ${text} IDLETIME 9223372036854775807
    RESTORE int 0 ${quoted('00c1d4fe0a00c6c48623febede2e')}
    INCR int
    RESTORE lzf 0 ${quoted('00c30a405002616261e042010161620a00949d5f0eb1dea445')}
    GET lzf
    RESTORE list 0 ${quoted('120102c32b406d106d00000008008161020101ded402e04678e03c000648f2a0860104f4205b4000088009f1401f038001ff0a005b6e8fb5a075c9a0')}
    LRANGE list 0 -1
    RESTORE intset 0 ${quoted('0b140400000003000000fbffffff01000000701101000a0086a0bbcf3a22ed25')}
    * SMEMBERS intset
    RESTORE set 0 ${quoted('0202c00c01610a004db67fa3c6c917d4')}
    * SMEMBERS set
    RESTORE hash 0 ${quoted('04030168c3094064017878e057000178780167c00c016601760a00431ac60151c7baa5')}
    HMGET hash f g h
    HLEN hash
    RESTORE zset 0 ${quoted('111d1d0000000600816202842d696e660581610283312e35048163020301ff0a002970c58fcde6fc31')}
    ZRANGE zset 0 -1 WITHSCORES
    RESTORE zset 5000 ${quoted('0503016300000000000008400161000000000000f83f0162000000000000f0ff0a009aa25325610ceafb')} REPLACE
    ZRANGE zset 0 -1 WITHSCORES
    ~ PTTL zset
    `,
  ),
  scenario(
    'what RESTORE refuses',
    `
    DUMP none
    DUMP
    DUMP a b
    RESTORE a 0
    RESTORE a x ${text}
    RESTORE a -1 ${text}
    RESTORE a 0 ""
    RESTORE a 0 short
    RESTORE a 0 ${quoted(hello.replace(/.$/, 'b'))}
    RESTORE a 0 ${quoted(hello.replace('68', '69'))}
    RESTORE a 0 ${quoted(hello.replace('0a00', 'ff00'))}
    RESTORE a 0 ${text} NOSUCH
    RESTORE a 0 ${text} IDLETIME
    RESTORE a 0 ${text} IDLETIME x
    RESTORE a 0 ${text} IDLETIME -1
    RESTORE a 0 ${text} FREQ
    RESTORE a 0 ${text} FREQ 256
    RESTORE a 0 ${text} FREQ -1
    RESTORE a 0 ${text} FREQ x
    RESTORE a 0 ${text} IDLETIME 1 FREQ 1
    RESTORE a 0 ${text} FREQ 1 IDLETIME 1
    EXISTS a
    SET a here
    RESTORE a x nonsense
    RESTORE a x nonsense NOSUCH
    RESTORE a x nonsense REPLACE
    RESTORE a 0 nonsense REPLACE
    GET a
    WATCH a
    RESTORE a 0 ${text} REPLACE
    MULTI
    GET a
    EXEC
    `,
  ),
];
