import type { Draw } from './draw.ts';
import type { Family } from './family.ts';

function set(draw: Draw): string[] {
  const args = ['SET', draw.key(), draw.value(), ...draw.options('NX', 'XX', 'GET', 'KEEPTTL')];
  if (draw.chance(3)) args.push(...draw.expiry());
  return args;
}

function setFor(draw: Draw, command: string, unit: string): string[] {
  return [command, draw.key(), draw.chance(4) ? draw.badTime() : draw.time(unit), 'v'];
}

function pairs(draw: Draw): string[] {
  return draw.keys().flatMap((key) => [key, draw.value()]);
}

function read(draw: Draw): string[] {
  return draw.pick([
    () => ['GET', draw.key()],
    () => ['STRLEN', draw.key()],
    () => ['MGET', ...draw.keys()],
    () => [draw.pick(['GETRANGE', 'SUBSTR']), draw.key(), draw.integer(), draw.integer()],
  ])();
}

function write(draw: Draw): string[] {
  return draw.pick([
    () => set(draw),
    () => set(draw),
    () => ['SETNX', draw.key(), draw.value()],
    () => setFor(draw, 'SETEX', 'EX'),
    () => setFor(draw, 'PSETEX', 'PX'),
    () => ['GETSET', draw.key(), draw.value()],
    () => ['GETDEL', draw.key()],
    () => ['GETEX', draw.key(), ...draw.pick([[], ['PERSIST'], draw.expiry(), ['NX']])],
    () => ['MSET', ...pairs(draw)],
    () => ['MSETNX', ...pairs(draw)],
    () => ['APPEND', draw.key(), draw.value()],
    () => ['SETRANGE', draw.key(), draw.integer(), draw.value()],
    () => [draw.pick(['INCR', 'DECR']), draw.key()],
    () => [draw.pick(['INCRBY', 'DECRBY']), draw.key(), draw.integer()],
    () => ['INCRBYFLOAT', draw.key(), draw.float()],
  ])();
}

export const stringFamily: Family = {
  weight: 8,
  keys: ['{r}a', '{r}b', '{r}c', '{r}d', '{r}\x00\xff\r\n', 'r'],
  command: (draw) => (draw.chance(3) ? read(draw) : write(draw)),
  agreements: {},
  shown: (key) => [['GET', key]],
};
