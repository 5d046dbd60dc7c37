import type { Draw } from './draw.ts';
import type { Family } from './family.ts';

function end(draw: Draw): string {
  return draw.pick(['LEFT', 'RIGHT', 'LEFT', 'RIGHT', 'left', 'UP']);
}

/** Number of keys, mostly true, and the keys. */
function countedKeys(draw: Draw): string[] {
  const keys = draw.keys();
  return [draw.chance(15) ? draw.integer() : String(keys.length), ...keys];
}

function positionOptions(draw: Draw): string[] {
  return draw
    .options('RANK', 'COUNT', 'MAXLEN')
    .flatMap((word) => [word, draw.pick(['0', '1', '2', '-1', '-2', '10', 'x'])]);
}

function read(draw: Draw): string[] {
  return draw.pick([
    () => ['LLEN', draw.key()],
    () => ['LINDEX', draw.key(), draw.index()],
    () => ['LRANGE', draw.key(), draw.index(), draw.index()],
    () => ['LPOS', draw.key(), draw.member(), ...positionOptions(draw)],
  ])();
}

function push(draw: Draw): string[] {
  return [
    draw.pick(['LPUSH', 'RPUSH', 'RPUSH', 'LPUSHX', 'RPUSHX']),
    draw.key(),
    ...draw.members(),
    ...draw.members(),
  ];
}

function write(draw: Draw): string[] {
  return draw.pick([
    () => push(draw),
    () => push(draw),
    () => ['LINSERT', draw.key(), draw.pick(['BEFORE', 'AFTER', 'x']), draw.member(), draw.member()],
    () => ['LSET', draw.key(), draw.index(), draw.member()],
    () => ['LREM', draw.key(), draw.index(), draw.member()],
    () => ['LTRIM', draw.key(), draw.pick(['0', '0', '1', '-5']), draw.index()],
    () => [draw.pick(['LPOP', 'RPOP']), draw.key(), ...draw.pick([[], [draw.index()]])],
    () => ['RPOPLPUSH', draw.key(), draw.key()],
    () => ['LMOVE', draw.key(), draw.key(), end(draw), end(draw)],
    () => ['LMPOP', ...countedKeys(draw), end(draw), ...draw.pick([[], ['COUNT', draw.index()]])],
  ])();
}

export const listFamily: Family = {
  weight: 5,
  keys: ['{r}list1', '{r}list2'],
  command: (draw) => (draw.chance(3) ? read(draw) : write(draw)),
  agreements: {},
  shown: (key) => [['LRANGE', key, '0', '-1']],
};
