const minusZero = ['a score of minus zero is kept as 0; Redis does so in small sorted sets only'];
const storedDistances = [
  'a distance that is stored is computed with functions that give the nearest double; a C library misses the last of 17 digits now and then',
];

/**
 * Where commands that exist answer otherwise than Redis 7.2 on purpose, and why, by command. docs/compatibility.md lists
 * them, and tests that compare with a running Redis accept no other reason.
 */
export const differences: Readonly<Record<string, readonly string[]>> = {
  'client|tracking': ['not offered'],
  'client|getredir': ['not offered'],
  move: ['there is one database'],
  migrate: [
    'a node sends keys to no other server; `DUMP` there and `RESTORE` here, or the other way round, do',
  ],
  pexpiretime: ['expiries end in the year 287396 at the latest'],
  sort: [
    'patterns of BY and GET are taken when a hash tag keeps their keys in the slot of the sorted key, as in Redis 7.4; Redis 7.2 refuses them all in a cluster',
    'texts are compared byte by byte, in no locale',
    'strings above 64 KiB that patterns lead to are taken up to 64 MiB in all; expired keys there are hidden, and deleted when their turn comes',
  ],
  sort_ro: ['as SORT'],
  lcs: [
    'strings whose lengths multiply to more than 8 million are refused: they would stop the node for longer than 10 ms',
  ],
  zadd: minusZero,
  zincrby: minusZero,
  zunionstore: minusZero,
  zinterstore: minusZero,
  georadius: storedDistances,
  georadiusbymember: storedDistances,
  geosearchstore: storedDistances,
  pfselftest: ['a shorter test than that of Redis, which takes seconds'],
  pfcount: ['the count is not written back into the string: a read writes nothing'],
  'object|refcount': ['small integers are not shared between keys here'],
  'object|encoding': [
    'the encoding is derived from the value: how it came to be is not kept',
    'the parameters `*-max-listpack-*`, `*-max-ziplist-*` and `set-max-intset-entries` change this answer and nothing else: no value is stored in these encodings',
  ],
  'object|help': ['help has the same form and says what these subcommands do here'],
  'function|flush': ['there are no functions: it does nothing'],
  'function|list': ['there are no functions: the list is empty'],
  'function|stats': ['no engine is there to run functions'],
  dump: [
    'elements are written one by one and nothing is compressed: every Redis from 4.0 on restores it, in the encoding of its choice',
  ],
  restore: [
    'streams and values of modules do not exist here: bad data',
    'FREQ is checked and forgotten, IDLETIME is known to the leader only',
  ],
  'memory|usage': ['the estimate that the limit `maxmemory` goes by; SAMPLES is checked and changes nothing'],
  'memory|stats': ['figures of this node as far as V8 knows them'],
  'memory|doctor': ['its own advice'],
  'memory|purge': ['does nothing: V8 gives memory back by itself'],
  shutdown: ['answers OK before the connection is closed', 'a shutdown that has begun is not called off'],
  info: ['without `commandstats`, `errorstats`, `latencystats` and `modules`'],
  waitaof: ['WAITAOF came with 7.2; all that is written is on disk here'],
  'config|set': [
    'the message says what is expected instead',
    'durability is a promise that no parameter takes back',
    '`list-compress-depth` is taken and has no effect: lists are not compressed',
    '`busy-reply-threshold` (`lua-time-limit`) is taken and has no effect: there are no scripts',
  ],
};

/** The same for what no single command is about. */
export const generalDifferences: readonly string[] = [
  'a carriage return must be followed by a line feed; Redis takes any byte',
  'a reply leaves when what it depends on is safe: a write on a majority of nodes, a read when what it saw is',
  'a write, or a transaction, is one entry of the log: where a result would not fit, it is refused and nothing changes',
  'there is one database; SELECT takes 0 only, as in a Redis Cluster',
  'the limit `maxmemory` is compared with an estimate of keys and values of one shard, not with the memory of the process',
  'a count below -10,000,000 for random elements is refused: Redis would answer until its memory is gone',
];

/** Why COMMAND INFO differs, by command. */
export const commandInfoDifferences: Readonly<Record<string, string>> = {
  debug: 'only what tests need',
  'debug|sleep': 'Redis describes no subcommands of DEBUG',
  'debug|digest': 'Redis describes no subcommands of DEBUG',
  'debug|help': 'Redis describes no subcommands of DEBUG',
  repl: 'an extension',
  'function|flush': 'nothing is written',
  'cluster|countkeysinslot': 'a read like others, which can be redirected',
  'cluster|getkeysinslot': 'a read like others, which can be redirected',
};

/** Why commands do not exist, by group of Redis. */
export const absentBecause: Readonly<Record<string, string>> = {
  bitmap: 'not written yet',
  cluster: 'Bellwether decides itself which node has which slots and who leads',
  connection: 'caching in clients is not offered',
  generic: 'not written yet',
  geo: 'not written yet',
  hyperloglog: 'not written yet',
  list: 'not written yet',
  pubsub: 'messages that nobody keeps are not what a log is for; not offered',
  scripting: 'no scripts or functions; transactions with WATCH serve',
  sentinel: 'nobody has to watch: a majority elects the leader',
  server: 'about parts of a Redis server that Bellwether has not, or not in that form',
  set: 'not written yet',
  'sorted-set': 'not written yet',
  stream: 'not offered',
  string: 'not written yet',
};
