import type { Draw } from './draw.ts';
import type { Family } from './family.ts';

/**
 * Two places for each member, none twice, so that no two members are equally far from anywhere: then order would be
 * each server's own choice.
 */
const places: Readonly<Record<string, readonly (readonly [longitude: string, latitude: string])[]>> = {
  a: [
    ['13.361389', '38.115556'],
    ['13.4', '38.2'],
  ],
  b: [
    ['15.087269', '37.502669'],
    ['179.9', '-16.1'],
  ],
  c: [
    ['-78.4678', '-0.1807'],
    ['0', '0'],
  ],
  d: [
    ['178.4419', '-18.1416'],
    ['-171.7614', '-13.8333'],
  ],
  e: [
    ['18.9553', '69.6492'],
    ['15.6356', '78.2232'],
  ],
  f: [
    ['180', '85.05112878'],
    ['-68.303', '-54.8019'],
  ],
  g: [
    ['13.3613891', '38.1155561'],
    ['-0.000001', '51.4779'],
  ],
};
const members = Object.keys(places);
const centers: readonly (readonly [longitude: string, latitude: string])[] = [
  ['13.5', '38'],
  ['15', '37'],
  ['-179.3', '-17'],
  ['17', '75.1'],
  ['-60', '-20'],
  ['1', '50'],
];
const wrongCenters: typeof centers = [
  ['181', '0'],
  ['1', '-86'],
  ['x', '1'],
];
/** Never all of the earth: scores of other sorted sets are all in one place, far from these. */
const lengths = ['0', '1', '200', '500.5', '1500', '1500', '2500'];
const units = ['m', 'km', 'km', 'km', 'KM', 'mi', 'ft'];

function center(draw: Draw): readonly string[] {
  return draw.pick(draw.chance(20) ? wrongCenters : centers);
}

function length(draw: Draw): string {
  return draw.chance(20) ? draw.pick(['-1', 'x']) : draw.pick(lengths);
}

function unit(draw: Draw): string {
  return draw.chance(20) ? 'x' : draw.pick(units);
}

function member(draw: Draw): string {
  return draw.chance(15) ? draw.member() : draw.pick(members);
}

function place(draw: Draw): string[] {
  const name = draw.pick(members);
  return [...(draw.chance(40) ? ['1', '91'] : draw.pick(places[name] ?? [])), name];
}

/** Not the nearest few of a member: around one of another kind all are equally near. */
function options(draw: Draw, ofMember: boolean): string[] {
  const shown = draw.options('WITHCOORD', 'WITHDIST', 'WITHHASH', 'ASC', 'DESC');
  if (ofMember || draw.chance(2)) return shown;
  return [...shown, 'COUNT', draw.pick(['1', '2', '3', '10', draw.index()]), ...draw.options('ANY')];
}

function store(draw: Draw): string[] {
  return draw.chance(6) ? ['STORE', draw.key()] : [];
}

function search(draw: Draw): string[] {
  const ofMember = draw.chance(2);
  const from = ofMember ? ['FROMMEMBER', member(draw)] : ['FROMLONLAT', ...center(draw)];
  const shape = draw.pick([
    ['BYRADIUS', length(draw), unit(draw)],
    ['BYBOX', length(draw), length(draw), unit(draw)],
  ]);
  const more = options(draw, ofMember);
  const wanted = draw.chance(2) ? [...from, ...shape, ...more] : [...shape, ...more, ...from];
  return draw.chance(3)
    ? ['GEOSEARCHSTORE', draw.key(), draw.key(), ...wanted]
    : ['GEOSEARCH', draw.key(), ...wanted];
}

function around(draw: Draw): string[] {
  const reach = [length(draw), unit(draw)];
  return draw.pick([
    () => ['GEORADIUS', draw.key(), ...center(draw), ...reach, ...options(draw, false), ...store(draw)],
    () => ['GEORADIUSBYMEMBER', draw.key(), member(draw), ...reach, ...options(draw, true), ...store(draw)],
    () => ['GEORADIUS_RO', draw.key(), ...center(draw), ...reach, ...options(draw, false)],
    () => ['GEORADIUSBYMEMBER_RO', draw.key(), member(draw), ...reach, ...options(draw, true)],
  ])();
}

function add(draw: Draw, ...more: readonly string[]): string[] {
  return [
    'GEOADD',
    draw.key(),
    ...more,
    ...draw.some(() => place(draw)).flat(),
    ...place(draw),
    ...place(draw),
  ];
}

export const geoFamily: Family = {
  weight: 3,
  keys: ['{r}geo1', '{r}geo2'],
  command: (draw) =>
    draw.pick([
      () => add(draw),
      () => add(draw),
      () => add(draw, ...draw.options('NX', 'XX', 'CH')),
      () => [draw.pick(['GEOPOS', 'GEOHASH']), draw.key(), ...draw.some(() => member(draw))],
      () => ['GEODIST', draw.key(), member(draw), member(draw), ...draw.pick([[], [unit(draw)]])],
      () => search(draw),
      () => search(draw),
      () => around(draw),
    ])(),
  agreements: {},
  shown: () => [],
};
