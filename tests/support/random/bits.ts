import type { Draw } from './draw.ts';
import type { Family } from './family.ts';

function range(draw: Draw): string[] {
  return draw.pick([
    () => [],
    () => [draw.index(), draw.index()],
    () => [draw.index(), draw.index(), draw.pick(['BIT', 'BYTE', 'bit', 'x'])],
  ])();
}

function place(draw: Draw): string {
  return draw.pick([
    draw.integer(),
    '0',
    '5',
    '7',
    '8',
    '#0',
    '#1',
    '#3',
    '100',
    '1000',
    '#-1',
    '4294967296',
  ]);
}

function kind(draw: Draw): string {
  return draw.pick(['u8', 'i8', 'u1', 'i1', 'u7', 'i5', 'u16', 'i32', 'u63', 'i64', 'u64', 'i65', 'x']);
}

function get(draw: Draw): string[] {
  return ['GET', kind(draw), place(draw)];
}

function change(draw: Draw): string[] {
  return draw.pick([
    () => ['SET', kind(draw), place(draw), draw.integer()],
    () => ['INCRBY', kind(draw), place(draw), draw.integer()],
    () => ['OVERFLOW', draw.pick(['WRAP', 'SAT', 'FAIL', 'x'])],
    () => get(draw),
  ])();
}

function read(draw: Draw): string[] {
  return draw.pick([
    () => ['GETBIT', draw.key(), draw.integer()],
    () => ['BITCOUNT', draw.key(), ...range(draw)],
    () => ['BITPOS', draw.key(), draw.pick(['0', '1', '1', '2']), ...range(draw)],
    () => [
      'BITFIELD_RO',
      draw.key(),
      ...draw.some(() => (draw.chance(10) ? change(draw) : get(draw))).flat(),
    ],
  ])();
}

function write(draw: Draw): string[] {
  return draw.pick([
    () => ['SETBIT', draw.key(), draw.integer(), draw.pick(['0', '1', '1', '2'])],
    () => ['BITOP', draw.pick(['AND', 'OR', 'XOR', 'NOT', 'x']), draw.key(), ...draw.keys()],
    () => ['BITFIELD', draw.key(), ...draw.some(() => change(draw)).flat()],
  ])();
}

export const bitFamily: Family = {
  weight: 4,
  keys: ['{r}bits1', '{r}bits2', '{r}bits3'],
  command: (draw) => (draw.chance(3) ? read(draw) : write(draw)),
  agreements: {},
  shown: (key) => [['GET', key]],
};
