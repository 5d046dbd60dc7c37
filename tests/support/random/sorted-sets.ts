import type { Draw } from './draw.ts';
import type { Family } from './family.ts';

/**
 * Such that Redis 7.0 prints them and their sums like 7.2: no fractions that need rounding, nothing above 10^17. And no
 * minus zero, which Redis keeps in large sorted sets only.
 */
const scores: readonly string[] = [
  ...['0', '1', '1', '2', '2', '3', '-1', '0.5', '1.5', '-2.25', '10', '100', '1e3', '0x10'],
  ...['inf', '-inf', '+inf'],
];
const noScores: readonly string[] = ['nan', 'x', '', ' 1', '1e400'];
const bounds: readonly string[] = [
  ...['-inf', '+inf', '0', '1', '(1', '2', '(2', '3', '(0', '-1', '0.1', '(1.5', '100', '(inf', '(-inf', '('],
];
const noBounds: readonly string[] = ['x', '', 'nan'];
/** Ranges by name mean something where all scores are equal: here, where nothing else is kept. */
const equalKey = '{r}equal';
const names: readonly string[] = ['-', '+', '[a', '(a', '[c', '(c', '[', '(', '[e', '[m', '(10', 'a', ''];

function score(draw: Draw): string {
  return draw.pick(draw.chance(40) ? noScores : scores);
}

function bound(draw: Draw): string {
  return draw.pick(draw.chance(20) ? noBounds : bounds);
}

function scoresAndMembers(draw: Draw): string[] {
  return draw.some(() => [score(draw), draw.member()]).flat();
}

function add(draw: Draw): string[] {
  return ['ZADD', draw.key(), ...scoresAndMembers(draw), ...scoresAndMembers(draw)];
}

/** Number of keys, mostly true, and the keys. */
function counted(draw: Draw): { number: string; keys: string[] } {
  const keys = draw.keys();
  return { number: draw.chance(15) ? draw.integer() : String(keys.length), keys };
}

function weighing(draw: Draw, keys: readonly string[], stored: boolean): string[] {
  // Times -1 or 0, a score may be minus zero.
  const more = stored ? [] : ['-1', '0', '-1', '0'];
  const weights = keys.map(() => draw.pick(['1', '1', '2', '2', 'inf', '-inf', ...more]));
  return [
    ...(draw.chance(3) ? ['WEIGHTS', ...weights] : []),
    ...(draw.chance(2)
      ? ['AGGREGATE', draw.pick(['SUM', 'MIN', 'MAX', 'min', 'max', draw.chance(5) ? 'x' : 'sum'])]
      : []),
  ];
}

function combine(draw: Draw, stored: boolean): string[] {
  const command = draw.pick(['ZUNION', 'ZINTER', 'ZDIFF']);
  const { number, keys } = counted(draw);
  const options = command === 'ZDIFF' && !draw.chance(20) ? [] : weighing(draw, keys, stored);
  return stored
    ? [`${command}STORE`, draw.key(), number, ...keys, ...options]
    : [command, number, ...keys, ...options, ...draw.options('WITHSCORES')];
}

function limit(draw: Draw): string[] {
  return draw.chance(2) ? [] : ['LIMIT', draw.index(), draw.index()];
}

/** Bounds and options of ZRANGE and ZRANGESTORE. */
function range(draw: Draw): string[] {
  if (draw.chance(2)) return [draw.index(), draw.index(), ...draw.options('REV', 'x')];
  return [bound(draw), bound(draw), 'BYSCORE', ...draw.options('REV'), ...limit(draw)];
}

function byScore(draw: Draw): string[] {
  return [bound(draw), bound(draw)];
}

function byName(draw: Draw): string[] {
  const ends = [draw.pick(names), draw.pick(names)];
  return draw.pick([
    () => ['ZADD', equalKey, '0', draw.member(), '0', draw.member()],
    () => ['ZREM', equalKey, ...draw.members()],
    () => ['ZLEXCOUNT', equalKey, ...ends],
    () => [draw.pick(['ZRANGEBYLEX', 'ZREVRANGEBYLEX']), equalKey, ...ends, ...limit(draw)],
    () => ['ZRANGE', equalKey, ...ends, 'BYLEX', ...draw.options('REV'), ...limit(draw)],
    () => ['ZRANGESTORE', draw.key(), equalKey, ...ends, 'BYLEX', ...draw.options('REV'), ...limit(draw)],
    () => ['ZREMRANGEBYLEX', equalKey, ...ends],
  ])();
}

function read(draw: Draw): string[] {
  return draw.pick([
    () => ['ZCARD', draw.key()],
    () => ['ZSCORE', draw.key(), draw.member()],
    () => ['ZMSCORE', draw.key(), ...draw.members()],
    () => [draw.pick(['ZRANK', 'ZREVRANK']), draw.key(), draw.member()],
    () => ['ZCOUNT', draw.key(), ...byScore(draw)],
    () => ['ZRANGE', draw.key(), ...range(draw), ...draw.options('WITHSCORES')],
    () => ['ZREVRANGE', draw.key(), draw.index(), draw.index(), ...draw.options('WITHSCORES')],
    () => [
      draw.pick(['ZRANGEBYSCORE', 'ZREVRANGEBYSCORE']),
      ...[draw.key(), ...byScore(draw), ...draw.options('WITHSCORES'), ...limit(draw)],
    ],
    () => combine(draw, false),
    () => combine(draw, false),
    () => {
      const { number, keys } = counted(draw);
      return ['ZINTERCARD', number, ...keys, ...draw.pick([[], ['LIMIT', draw.index()]])];
    },
    () => ['ZRANDMEMBER', draw.key(), ...draw.pick([[], [draw.index()], [draw.index(), 'WITHSCORES']])],
    () => ['ZSCAN', draw.key(), '0', ...draw.pick([[], ['MATCH', draw.pattern()]]), 'COUNT', '1000'],
  ])();
}

function pop(draw: Draw): string[] {
  const { number, keys } = counted(draw);
  const end = draw.pick(['MIN', 'MAX', 'MIN', 'MAX', 'max', 'LEFT']);
  const count = draw.pick([[], ['COUNT', draw.index()]]);
  return draw.pick([
    () => [draw.pick(['ZPOPMIN', 'ZPOPMAX']), draw.key(), ...draw.pick([[], [draw.index()]])],
    () => ['ZMPOP', number, ...keys, end, ...count],
    // Nobody adds anything meanwhile: what finds nothing waits for its time, which is short.
    () => [draw.pick(['BZPOPMIN', 'BZPOPMAX']), ...keys, '0.001'],
    () => ['BZMPOP', '0.001', number, ...keys, end, ...count],
  ])();
}

function write(draw: Draw): string[] {
  return draw.pick([
    () => add(draw),
    () => add(draw),
    () => add(draw),
    () => [
      ...['ZADD', draw.key(), ...draw.options('NX', 'XX', 'GT', 'LT', 'CH', 'INCR')],
      ...scoresAndMembers(draw),
    ],
    () => ['ZINCRBY', draw.key(), score(draw), draw.member()],
    () => ['ZREM', draw.key(), ...draw.members()],
    () => ['ZREMRANGEBYRANK', draw.key(), draw.index(), draw.index()],
    () => ['ZREMRANGEBYSCORE', draw.key(), ...byScore(draw)],
    () => ['ZRANGESTORE', draw.key(), draw.key(), ...range(draw)],
    () => combine(draw, true),
    () => pop(draw),
  ])();
}

export const sortedSetFamily: Family = {
  weight: 5,
  keys: ['{r}zset1', '{r}zset2', '{r}zset3'],
  command: (draw) => (draw.chance(6) ? byName(draw) : draw.chance(3) ? read(draw) : write(draw)),
  agreements: { ZRANDMEMBER: 'kind', ZSCAN: 'scan' },
  shown: (key) => [['ZRANGE', key, '0', '-1', 'WITHSCORES']],
};
