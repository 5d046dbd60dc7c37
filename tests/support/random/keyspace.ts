import type { Draw } from './draw.ts';
import type { Family } from './family.ts';

function expire(draw: Draw): string[] {
  const [command, unit] = draw.pick([
    ['EXPIRE', 'EX'],
    ['PEXPIRE', 'PX'],
    ['EXPIREAT', 'EXAT'],
    ['PEXPIREAT', 'PXAT'],
  ] as const);
  const time = draw.chance(5) ? draw.badTime() : draw.time(unit);
  return [command, draw.key(), time, ...draw.options('NX', 'XX', 'GT', 'LT')];
}

/** What goes for keys of all types. */
export const keyspaceFamily: Family = {
  weight: 4,
  keys: [],
  command: (draw) =>
    draw.pick([
      () => ['TYPE', draw.key()],
      () => [draw.pick(['EXISTS', 'TOUCH']), ...draw.keys()],
      () => [draw.pick(['TTL', 'PTTL', 'EXPIRETIME', 'PEXPIRETIME']), draw.key()],
      () => ['KEYS', draw.pattern()],
      () => ['OBJECT', draw.pick(['FREQ', 'x']), draw.key()],
      () => [draw.pick(['DEL', 'UNLINK']), ...draw.keys()],
      () => [draw.pick(['RENAME', 'RENAMENX']), draw.key(), draw.key()],
      () => ['COPY', draw.key(), draw.key(), ...draw.options('REPLACE', 'x')],
      () => expire(draw),
      () => expire(draw),
      () => ['PERSIST', draw.key()],
    ])(),
  agreements: {
    TTL: 'about',
    PTTL: 'about',
    EXPIRETIME: 'about',
    PEXPIRETIME: 'about',
    KEYS: 'unordered',
  },
  shown: (key) => [
    ['TYPE', key],
    ['PEXPIRETIME', key],
  ],
};
