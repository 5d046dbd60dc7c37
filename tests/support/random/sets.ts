import type { Draw } from './draw.ts';
import type { Family } from './family.ts';

function read(draw: Draw): string[] {
  return draw.pick([
    () => ['SISMEMBER', draw.key(), draw.member()],
    () => ['SMISMEMBER', draw.key(), ...draw.members()],
    () => [draw.pick(['SCARD', 'SMEMBERS']), draw.key()],
    () => ['SRANDMEMBER', draw.key(), ...draw.pick([[], [draw.index()]])],
    () => [draw.pick(['SINTER', 'SUNION', 'SDIFF']), ...draw.some(() => [draw.key()]).flat()],
    () => ['SINTERCARD', '2', draw.key(), draw.key(), ...draw.pick([[], ['LIMIT', draw.index()]])],
    () => ['SSCAN', draw.key(), '0', ...draw.pick([[], ['MATCH', draw.pattern()]]), 'COUNT', '1000'],
  ])();
}

function write(draw: Draw): string[] {
  return draw.pick([
    () => ['SADD', draw.key(), ...draw.members()],
    () => ['SADD', draw.key(), ...draw.members()],
    () => ['SREM', draw.key(), ...draw.members()],
    () => ['SMOVE', draw.key(), draw.key(), draw.member()],
    // Which members go must not be left to chance: all of them or none.
    () => ['SPOP', draw.key(), draw.pick(['1000000', '0', '-1', 'x'])],
    () => [
      draw.pick(['SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE']),
      draw.key(),
      ...draw.some(() => [draw.key()]).flat(),
    ],
  ])();
}

export const setFamily: Family = {
  weight: 4,
  keys: ['{r}set1', '{r}set2', '{r}set3'],
  command: (draw) => (draw.chance(3) ? read(draw) : write(draw)),
  agreements: {
    SMEMBERS: 'unordered',
    SINTER: 'unordered',
    SUNION: 'unordered',
    SDIFF: 'unordered',
    SPOP: 'unordered',
    SRANDMEMBER: 'kind',
    SSCAN: 'scan',
  },
  shown: (key) => [['SMEMBERS', key]],
};
