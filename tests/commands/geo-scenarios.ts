import { blocked, hears, scenario, since72 } from '../support/redis-script.ts';

/** Places all over the earth, the corners of the map and both sides of the date line included. */
const places = [
  ['Palermo', '13.361389', '38.115556'],
  ['Catania', '15.087269', '37.502669'],
  ['edge', '17.241510', '38.788135'],
  ['Berlin', '13.4050', '52.5200'],
  ['Null', '0', '0'],
  ['Quito', '-78.4678', '-0.1807'],
  ['Suva', '178.4419', '-18.1416'],
  ['Apia', '-171.7614', '-13.8333'],
  ['Tromso', '18.9553', '69.6492'],
  ['Longyearbyen', '15.6356', '78.2232'],
  ['Ushuaia', '-68.3030', '-54.8019'],
  ['north-east', '180', '85.05112878'],
  ['south-west', '-180', '-85.05112878'],
  ['north-west', '-180', '85.05112878'],
  ['south-east', '180', '-85.05112878'],
] as const;
const all = `GEOADD {k}g ${places.map(([name, longitude, latitude]) => `${longitude} ${latitude} ${name}`).join(' ')}`;
const names = places.map(([name]) => name);

export const geoScenarios = [
  scenario(
    'places and what they are stored as',
    `
    ${all}
    ${all}
    ZRANGE {k}g 0 -1 WITHSCORES
    TYPE {k}g
    GEOPOS {k}g ${names.join(' ')} none
    GEOHASH {k}g ${names.join(' ')} none
    GEOPOS {k}none a b
    GEOHASH {k}none a b
    GEOPOS {k}g
    GEOHASH {k}g
    GEOADD {k}g NX 1 1 Palermo 2 2 new
    GEOADD {k}g XX 3 3 Palermo 4 4 other
    GEOADD {k}g CH 3 3 Palermo 5 5 new 6 6 newer
    GEOADD {k}g CH XX 7 7 Palermo
    GEOADD {k}g nx ch 7 7 a 8 8 b
    GEOPOS {k}g Palermo new newer other
    ZREM {k}g Palermo
    GEOPOS {k}g Palermo
    ZADD {k}z -1 a -2.5 b inf c -inf d 1e17 e 4503599627370496 f 9007199254740993 g 0.5 h 18446744073709551615 i 1e19 j
    GEOPOS {k}z a b c d e f g h i j
    GEOHASH {k}z a b c d e f g h i j
    `,
  ),
  scenario(
    'distances between members',
    `
    ${all}
    ${names.map((name, i) => `GEODIST {k}g Palermo ${name}\nGEODIST {k}g ${name} ${names[(i + 5) % names.length]} km`).join('\n')}
    GEODIST {k}g Palermo Catania m
    GEODIST {k}g Palermo Catania FT
    GEODIST {k}g Palermo Catania mi
    GEODIST {k}g Palermo none
    GEODIST {k}none a b
    GEODIST {k}g Palermo Catania x
    GEODIST {k}g Palermo Catania km km
    GEODIST {k}none a b x
    `,
  ),
  scenario(
    'searches in circles and boxes',
    `
    ${all}
    GEOSEARCH {k}g FROMLONLAT 15 37 BYRADIUS 200 km ASC
    GEOSEARCH {k}g FROMLONLAT 15 37 BYRADIUS 200 km DESC WITHCOORD WITHDIST WITHHASH
    GEOSEARCH {k}g FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHDIST
    GEOSEARCH {k}g FROMMEMBER Catania BYRADIUS 200000 m WITHHASH ASC
    GEOSEARCH {k}g FROMMEMBER Catania BYBOX 300 30 mi WITHCOORD DESC
    GEOSEARCH {k}g FROMLONLAT 0 0 BYRADIUS 5000 km
    GEOSEARCH {k}g FROMLONLAT 0 0 BYRADIUS 10000 km WITHDIST
    GEOSEARCH {k}g FROMLONLAT 0 0 BYRADIUS 30000 km ASC WITHDIST
    GEOSEARCH {k}g FROMLONLAT 10 50 BYBOX 3000 4000 km WITHDIST
    GEOSEARCH {k}g FROMLONLAT 179.9 -16 BYRADIUS 1300 km ASC WITHDIST
    GEOSEARCH {k}g FROMLONLAT -179 -16 BYBOX 1500 1500 km ASC WITHDIST
    GEOSEARCH {k}g FROMMEMBER north-east BYRADIUS 100 km WITHHASH WITHDIST
    GEOSEARCH {k}g FROMMEMBER north-east BYRADIUS 0 m WITHDIST
    GEOSEARCH {k}g FROMMEMBER south-west BYBOX 1 1 m WITHDIST
    GEOSEARCH {k}g FROMLONLAT 16 75 BYRADIUS 700 km ASC WITHDIST
    GEOSEARCH {k}g FROMLONLAT 16 82 BYBOX 2000 1000 km ASC WITHDIST
    GEOSEARCH {k}g FROMMEMBER Ushuaia BYRADIUS inf km COUNT 3 WITHDIST
    GEOSEARCH {k}g FROMLONLAT 15 37 BYRADIUS 5000 km COUNT 2
    GEOSEARCH {k}g FROMLONLAT 15 37 BYRADIUS 5000 km COUNT 2 DESC
    GEOSEARCH {k}g FROMLONLAT 15 37 BYRADIUS 5000 km COUNT 2 ANY
    GEOSEARCH {k}g FROMLONLAT 15 37 BYRADIUS 5000 km COUNT 2 ANY DESC WITHDIST
    GEOSEARCH {k}g ANY COUNT 100 FROMLONLAT 15 37 BYRADIUS 5000 km ASC
    GEOSEARCH {k}g FROMLONLAT 100 0 BYRADIUS 1 km
    GEOSEARCH {k}none FROMLONLAT 15 37 BYRADIUS 200 km
    GEOSEARCH {k}none FROMMEMBER x BYBOX 200 1 km
    GEORADIUS {k}g 15 37 200 km WITHDIST WITHCOORD ASC
    GEORADIUS_RO {k}g 15 37 200 km WITHDIST WITHHASH DESC
    GEORADIUSBYMEMBER {k}g Catania 600 km COUNT 2
    GEORADIUSBYMEMBER_RO {k}g Catania 600 km COUNT 1 ANY WITHDIST
    GEORADIUS {k}none 15 37 200 km
    GEORADIUSBYMEMBER {k}none x 200 km
    GEORADIUSBYMEMBER {k}none x y z
    `,
  ),
  scenario(
    'searches that are stored',
    `
    ${all}
    SET {k}d v
    GEOSEARCHSTORE {k}d {k}g FROMLONLAT 15 37 BYRADIUS 200 km
    ZRANGE {k}d 0 -1 WITHSCORES
    GEOSEARCHSTORE {k}d {k}g FROMLONLAT 15 37 BYRADIUS 5000 km COUNT 3 DESC
    ZRANGE {k}d 0 -1
    GEORADIUS {k}g 15 37 200 km STORE {k}d
    ZRANGE {k}d 0 -1 WITHSCORES
    GEORADIUSBYMEMBER {k}g Catania 500 km STORE {k}d COUNT 1
    ZRANGE {k}d 0 -1 WITHSCORES
    GEORADIUS {k}g 15 37 200 km STOREDIST {k}e STORE {k}d
    ZRANGE {k}d 0 -1 WITHSCORES
    GEORADIUS {k}g 100 0 1 km STORE {k}d
    EXISTS {k}d {k}e
    SET {k}d v
    GEOSEARCHSTORE {k}d {k}none FROMLONLAT 15 37 BYRADIUS 200 km
    GEORADIUS {k}none 15 37 200 km STORE {k}d
    GEORADIUSBYMEMBER {k}none x y z STORE {k}d
    EXISTS {k}d
    GEOSEARCHSTORE {k}g {k}g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST
    ZCARD {k}g
    GEORADIUS {k}g 15 37 200 km STORE {k}d WITHDIST
    GEORADIUS {k}g 15 37 200 km STORE
    GEORADIUS_RO {k}g 15 37 200 km STORE {k}d
    GEORADIUSBYMEMBER_RO {k}g Catania 200 km STOREDIST {k}d
    GEOSEARCHSTORE {k}d {k}g FROMLONLAT 15 37 BYRADIUS 200 km WITHCOORD
    GEOSEARCHSTORE {k}d {k}g FROMLONLAT 15 37 BYRADIUS 200 km STORE {k}e
    GEORADIUS {k}g 15 37 200 km STORE elsewhere
    COMMAND GETKEYS GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km
    COMMAND GETKEYS GEORADIUS g 15 37 200 km STORE d
    COMMAND GETKEYS GEORADIUSBYMEMBER g m 200 km STOREDIST d
    COMMAND GETKEYS GEORADIUS g 15 37 200 km
    `,
    since72('ZRANGE {k}g 0 -1 WITHSCORES', '', 'the shortest digits of a score came with 7.2'),
  ),
  scenario(
    'arguments about places',
    `
    GEOADD {k}g 1 1
    GEOADD {k}g 1 1 a 2
    GEOADD {k}g 1 1 a 2 2
    GEOADD {k}g NX XX 1 1 a
    GEOADD {k}g NX CH NX
    GEOADD {k}g x 1 a
    GEOADD {k}g 1 x a
    GEOADD {k}g nan 1 a
    GEOADD {k}g 181 1 a
    GEOADD {k}g 1 86 a
    GEOADD {k}g 1 1 a 200.0078125 -86.5 b
    GEOADD {k}g inf -inf a
    GEOADD {k}g 1e300 1 a
    GEOADD {k}g -1e22 0.0000005 a
    EXISTS {k}g
    SET {k}s v
    GEOADD {k}s 1 1 a
    GEOADD {k}s 1 x a
    GEOPOS {k}s a
    GEOHASH {k}s a
    GEODIST {k}s a b
    GEOSEARCH {k}s FROMLONLAT 1 1 BYRADIUS x km
    GEORADIUS {k}s x 1 1 km
    GEORADIUSBYMEMBER {k}s a 1 km
    GEOADD {k}g 1 1 a
    GEORADIUS {k}g x 1 1 km
    GEORADIUS {k}g 1 1 x km
    GEORADIUS {k}g 1 1 -1 km
    GEORADIUS {k}g 1 1 1 x
    GEORADIUS {k}g 200 1 1 km
    GEORADIUS {k}g 1 1 1 km x
    GEORADIUS {k}g 1 1 1 km COUNT
    GEORADIUS {k}g 1 1 1 km COUNT x
    GEORADIUS {k}g 1 1 1 km COUNT 0
    GEORADIUS {k}g 1 1 1 km COUNT -1
    GEORADIUS {k}g 1 1 1 km ANY
    GEORADIUS {k}g 1 1 1 km FROMMEMBER a
    GEORADIUSBYMEMBER {k}g none 1 km
    GEORADIUSBYMEMBER {k}g a -1 km
    GEOSEARCH {k}g FROMMEMBER a BYRADIUS 1 km FROMLONLAT 1 1
    GEOSEARCH {k}g FROMMEMBER a BYRADIUS 1 km BYBOX 1 1 km
    GEOSEARCH {k}g FROMMEMBER a FROMMEMBER none BYRADIUS 1 km
    GEOSEARCH {k}g FROMLONLAT 1 1 FROMLONLAT 1 1 BYRADIUS 1 km BYRADIUS 2 km
    geosearch {k}g BYRADIUS 1 km ASC COUNT 1
    GeoSearch {k}g FROMMEMBER a ASC COUNT 1 WITHDIST
    GEOSEARCH {k}g FROMMEMBER a BYBOX x 1 km
    GEOSEARCH {k}g FROMMEMBER a BYBOX 1 x km
    GEOSEARCH {k}g FROMMEMBER a BYBOX 1 -1 km
    GEOSEARCH {k}g FROMMEMBER a BYBOX 1 1 x
    GEOSEARCH {k}g FROMMEMBER a BYBOX 1 1
    GEOSEARCH {k}g FROMMEMBER a BYRADIUS 1 km ANY
    GEOSEARCH {k}g FROMMEMBER a BYRADIUS 1 km STOREDIST
    GEOSEARCHSTORE {k}d {k}g BYRADIUS 1 km ASC COUNT 1
    GEOSEARCHSTORE {k}d {k}g FROMLONLAT 1 1 ASC COUNT 1
    GEOSEARCHSTORE {k}d {k}g FROMMEMBER none BYRADIUS 1 km
    GEOSEARCH {k}g
    GEORADIUS {k}g 1 1 1
    GEODIST {k}g a
    `,
  ),
  scenario(
    'places that are added are handed out',
    'a> _ BZPOPMIN {k}g 0',
    blocked(1),
    'x> GEOADD {k}g 1 1 a 2 2 b',
    hears('a'),
    'a> _ BZPOPMAX {k}d 0',
    blocked(1),
    'x> GEOSEARCHSTORE {k}d {k}g FROMLONLAT 2 2 BYRADIUS 1 km',
    hears('a'),
    'x> EXISTS {k}d',
  ),
];
