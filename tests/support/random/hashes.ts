import type { Draw } from './draw.ts';
import type { Family } from './family.ts';

function fieldsAndValues(draw: Draw): string[] {
  return draw.some(() => [draw.member(), draw.value()]).flat();
}

function read(draw: Draw): string[] {
  return draw.pick([
    () => ['HGET', draw.key(), draw.member()],
    () => ['HMGET', draw.key(), ...draw.members()],
    () => [draw.pick(['HLEN', 'HKEYS', 'HVALS', 'HGETALL']), draw.key()],
    () => [draw.pick(['HEXISTS', 'HSTRLEN']), draw.key(), draw.member()],
    () => ['HRANDFIELD', draw.key(), ...draw.pick([[], [draw.index()], [draw.index(), 'WITHVALUES']])],
    // Where a scan stops is each server's own choice, unless it goes through all at once.
    () => ['HSCAN', draw.key(), '0', ...draw.pick([[], ['MATCH', draw.pattern()]]), 'COUNT', '1000'],
  ])();
}

function write(draw: Draw): string[] {
  return draw.pick([
    () => [draw.pick(['HSET', 'HSET', 'HSET', 'HMSET']), draw.key(), ...fieldsAndValues(draw)],
    () => ['HSETNX', draw.key(), draw.member(), draw.value()],
    () => ['HDEL', draw.key(), ...draw.members()],
    () => ['HINCRBY', draw.key(), draw.member(), draw.integer()],
    () => ['HINCRBYFLOAT', draw.key(), draw.member(), draw.float()],
  ])();
}

export const hashFamily: Family = {
  weight: 5,
  keys: ['{r}hash1', '{r}hash2'],
  command: (draw) => (draw.chance(3) ? read(draw) : write(draw)),
  agreements: {
    HKEYS: 'unordered',
    HVALS: 'unordered',
    HGETALL: 'pairs',
    HRANDFIELD: 'kind',
    HSCAN: 'scan',
  },
  shown: (key) => [['HGETALL', key]],
};
