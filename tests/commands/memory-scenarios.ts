import { scenario } from '../support/redis-script.ts';

export const memoryScenarios = [
  scenario(
    'MEMORY',
    `
    SET k v
    ? MEMORY USAGE k
    ? MEMORY USAGE k SAMPLES 0
    ? MEMORY USAGE k samples 5 SAMPLES 1
    MEMORY USAGE none
    MEMORY USAGE k SAMPLES
    MEMORY USAGE k SAMPLES x
    MEMORY USAGE k SAMPLES -1
    MEMORY USAGE k NOSUCH 1
    MEMORY USAGE
    ? MEMORY DOCTOR
    MEMORY PURGE
    MEMORY STATS x
    MEMORY NOSUCH
    COMMAND GETKEYS MEMORY USAGE k
    `,
  ),
  scenario(
    'without memory left, what may take some is refused',
    `
    SET k v
    CONFIG SET maxmemory 1 maxmemory-policy noeviction
    * CONFIG GET maxmemory maxmemory-policy
    SET k w
    GET k
    APPEND k w
    MSET k 1 l 2
    EXPIRE k 1000
    PERSIST k
    RENAME k l
    DEL l
    SET k
    PING
    `,
    `
    CONFIG SET maxmemory 0
    SET k v
    SET k w
    `,
  ),
  scenario(
    'without memory left, a transaction is refused as soon as it would grow',
    `
    SET k v
    CONFIG SET maxmemory 1
    MULTI
    SET k w
    EXEC
    MULTI
    GET k
    EXEC
    MULTI
    PING
    DISCARD
    CONFIG SET maxmemory 0
    MULTI
    SET k w
    b> CONFIG SET maxmemory 1
    EXEC
    GET k
    b> CONFIG SET maxmemory 0
    MULTI
    GET k
    DEL k
    b> CONFIG SET maxmemory 1
    EXEC
    b> CONFIG SET maxmemory 0
    SET k v
    WATCH k
    MULTI
    INCR k
    RESET
    GET k
    `,
  ),
  scenario(
    'the limit of memory is set and asked for',
    `
    CONFIG SET maxmemory 100mb
    CONFIG GET maxmemory
    CONFIG SET maxmemory 1gb
    CONFIG GET maxmemory
    CONFIG SET maxmemory 5k
    CONFIG GET maxmemory
    CONFIG SET maxmemory 0
    CONFIG GET maxmemory-policy
    CONFIG SET maxmemory-policy allkeys-lru
    CONFIG GET maxmemory-policy
    CONFIG SET maxmemory-policy noeviction
    CONFIG GET maxmemory-samples
    CONFIG SET maxmemory-samples 10
    CONFIG GET maxmemory-samples
    CONFIG SET maxmemory-samples 5
    `,
  ),
  scenario(
    'keys that were just used have not been idle',
    `
    OBJECT IDLETIME k
    SET k v
    OBJECT IDLETIME k
    OBJECT FREQ k
    GET k
    OBJECT IDLETIME k
    TOUCH k
    `,
  ),
];
