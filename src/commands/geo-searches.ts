import type { Bytes } from '../bytes/types.ts';
import type { SortedSetValue } from '../state/collections.ts';
import { compareScored } from '../state/collections.ts';
import { formatCoordinate, formatDistance } from './fixed-point.ts';
import type { Lengths } from './geo-arguments.ts';
import { parseBox, parsePosition, parseRadius } from './geo-arguments.ts';
import type { Shape } from './geo-distance.ts';
import type { FoundPlace } from './geo-search.ts';
import { measured, search, sorted } from './geo-search.ts';
import type { Position } from './geohash.ts';
import { positionOf } from './geohash.ts';
import { notAnInteger, parseInteger, syntaxError } from './parse.ts';
import { sortedAt, storeItems } from './sorted-set-items.ts';
import { commandGroup, firstKey, twoKeys } from './spec.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys, onMovableKeys } = commandGroup('geo');

type Run = NonNullable<CommandSpec['run']>;

/** Kinds of searches, which take different arguments. */
interface Kind {
  /** Where the sorted set's key is. */
  readonly source: number;
  /** GEORADIUS says where in fixed places; GEOSEARCH by options. */
  readonly center: 'position' | 'member' | 'options';
  /** STORE and STOREDIST name a key; for GEOSEARCHSTORE, STOREDIST is a mere word. */
  readonly stores: 'options' | 'always' | 'never';
}

/** What was asked for. A missing sorted set leaves parts of it out. */
interface Query {
  center: Position | null;
  centerFrom: 'FROMMEMBER' | 'FROMLONLAT' | null;
  lengths: Lengths | null;
  shapeFrom: 'BYRADIUS' | 'BYBOX' | null;
  withDistance: boolean;
  withScore: boolean;
  withPosition: boolean;
  sort: 'ASC' | 'DESC' | null;
  /** 0 for all. */
  count: number;
  any: boolean;
  target: Bytes | null;
  storesDistance: boolean;
}

class QueryParser {
  readonly query: Query;
  readonly #kind: Kind;
  readonly #args: readonly Bytes[];
  readonly #sorted: SortedSetValue | undefined;
  #at = 0;

  constructor(kind: Kind, args: readonly Bytes[], sorted: SortedSetValue | undefined) {
    this.#kind = kind;
    this.#args = args;
    this.#sorted = sorted;
    this.query = {
      center: null,
      centerFrom: null,
      lengths: null,
      shapeFrom: null,
      withDistance: false,
      withScore: false,
      withPosition: false,
      sort: null,
      count: 0,
      any: false,
      target: kind.stores === 'always' ? (args[1] as Bytes) : null,
      storesDistance: false,
    };
  }

  /** The error line, or null. */
  parse(): string | null {
    const { source } = this.#kind;
    this.#at = source + 1;
    let wrong = this.#fixedPlaces();
    while (wrong === null && this.#at < this.#args.length) wrong = this.#option();
    return wrong ?? this.#conflict();
  }

  #next(): Bytes {
    return this.#args[this.#at++] as Bytes;
  }

  #left(): number {
    return this.#args.length - this.#at;
  }

  #fixedPlaces(): string | null {
    const { center } = this.#kind;
    if (center === 'options') return null;
    if (center === 'member' && this.#sorted === undefined) {
      // What follows is read all the same: it says which reply to give.
      this.#at += 3;
      return null;
    }
    return (center === 'member' ? this.#member() : this.#position()) ?? this.#radius();
  }

  #member(): string | null {
    const member = this.#next();
    if (this.#sorted === undefined) return null;
    const score = this.#sorted.scoreOf(member);
    if (score === undefined) return 'ERR could not decode requested zset member';
    this.query.center = positionOf(score);
    return null;
  }

  #position(): string | null {
    const position = parsePosition(this.#next(), this.#next());
    if (typeof position === 'string') return position;
    this.query.center = position;
    return null;
  }

  #radius(): string | null {
    return this.#lengths(parseRadius(this.#next(), this.#next()));
  }

  #lengths(lengths: Lengths | string): string | null {
    if (typeof lengths === 'string') return lengths;
    this.query.lengths = lengths;
    return null;
  }

  #option(): string | null {
    const { query } = this;
    const word = this.#next().toUpperCase();
    switch (word) {
      case 'WITHDIST':
        query.withDistance = true;
        return null;
      case 'WITHHASH':
        query.withScore = true;
        return null;
      case 'WITHCOORD':
        query.withPosition = true;
        return null;
      case 'ANY':
        query.any = true;
        return null;
      case 'ASC':
      case 'DESC':
        query.sort = word;
        return null;
      case 'COUNT':
        return this.#left() < 1 ? syntaxError : this.#count();
      case 'STORE':
      case 'STOREDIST':
        return this.#store(word === 'STOREDIST');
      default:
        return this.#kind.center === 'options' ? this.#where(word) : syntaxError;
    }
  }

  #count(): string | null {
    const count = parseInteger(this.#next());
    if (count === null) return notAnInteger;
    this.query.count = Number(count);
    return count > 0n ? null : 'ERR COUNT must be > 0';
  }

  #store(distance: boolean): string | null {
    const { stores } = this.#kind;
    if (stores === 'never' || (stores === 'always' && !distance)) return syntaxError;
    if (stores === 'options') {
      if (this.#left() < 1) return syntaxError;
      this.query.target = this.#next();
    }
    this.query.storesDistance = distance;
    return null;
  }

  /** Options of GEOSEARCH: each may come again, but not with its alternative. */
  #where(word: string): string | null {
    const { query } = this;
    const left = this.#left();
    if (word === 'FROMMEMBER' && left >= 1 && query.centerFrom !== 'FROMLONLAT') {
      query.centerFrom = word;
      return this.#member();
    }
    if (word === 'FROMLONLAT' && left >= 2 && query.centerFrom !== 'FROMMEMBER') {
      query.centerFrom = word;
      return this.#position();
    }
    if (word === 'BYRADIUS' && left >= 2 && query.shapeFrom !== 'BYBOX') {
      query.shapeFrom = word;
      return this.#radius();
    }
    if (word === 'BYBOX' && left >= 3 && query.shapeFrom !== 'BYRADIUS') {
      query.shapeFrom = word;
      return this.#lengths(parseBox(this.#next(), this.#next(), this.#next()));
    }
    return syntaxError;
  }

  #conflict(): string | null {
    const { target, withDistance, withScore, withPosition, centerFrom, shapeFrom, any, count } = this.query;
    const { center, stores } = this.#kind;
    const name = this.#args[0] as Bytes;
    if (target !== null && (withDistance || withScore || withPosition)) {
      const who = stores === 'always' ? 'GEOSEARCHSTORE' : 'STORE option in GEORADIUS';
      return `ERR ${who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`;
    }
    if (center === 'options' && centerFrom === null)
      return `ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${name}`;
    if (center === 'options' && shapeFrom === null)
      return `ERR exactly one of BYRADIUS and BYBOX can be specified for ${name}`;
    return any && count === 0 ? 'ERR the ANY argument requires COUNT argument' : null;
  }
}

function shapeOf({ center, lengths }: Query): Shape {
  const [first, second] = (lengths as Lengths).meters as [number, number?];
  const at = { center: center as Position };
  return second === undefined ? { ...at, radius: first } : { ...at, width: first, height: second };
}

/** What was asked for, in the order and number that was asked for. */
function foundPlaces(places: SortedSetValue, query: Query): FoundPlace[] {
  const { count, any, sort } = query;
  const limit = count === 0 ? Number.POSITIVE_INFINITY : count;
  const shape = shapeOf(query);
  const found = search(places, shape, any ? limit : Number.POSITIVE_INFINITY);
  // Some of many makes sense by distance only, unless any will do.
  if (sort !== null || (count > 0 && !any)) return sorted(shape, found, sort !== 'DESC', limit);
  return query.withDistance || query.storesDistance ? measured(shape, found) : found;
}

function replyFound(context: CommandContext, found: readonly FoundPlace[], query: Query): void {
  const { reply } = context;
  const { withDistance, withScore, withPosition } = query;
  const parts = 1 + Number(withDistance) + Number(withScore) + Number(withPosition);
  reply.array(found.length);
  for (const { member, score, position, distance } of found) {
    if (parts > 1) reply.array(parts);
    reply.bulk(member);
    if (withDistance) reply.bulk(formatDistance(distance / (query.lengths as Lengths).unit));
    if (withScore) reply.integer(Math.trunc(score));
    if (withPosition) replyPosition(context, position);
  }
}

export function replyPosition({ reply }: CommandContext, { longitude, latitude }: Position): void {
  reply.array(2);
  reply.double(formatCoordinate(longitude));
  reply.double(formatCoordinate(latitude));
}

function searching(kind: Kind): Run {
  return (context, args) => {
    const places = sortedAt(context, args, kind.source);
    if (places === null) return;
    const parser = new QueryParser(kind, args, places);
    const wrong = parser.parse();
    if (wrong !== null) return context.reply.error(wrong);
    const { query } = parser;
    const found = places === undefined ? [] : foundPlaces(places, query);
    if (query.target === null) return replyFound(context, found, query);
    const items = found.map(({ member, score, distance }) => ({
      member,
      score: query.storesDistance ? distance / (query.lengths as Lengths).unit : score,
    }));
    storeItems(context, query.target, items.sort(compareScored));
  };
}

/** The key of the sorted set, and keys behind STORE and STOREDIST from argument `from` on. */
function keysToStore(from: number): NonNullable<CommandSpec['findKeys']> {
  return (args, indices) => {
    indices.push(1);
    for (let i = from; i + 1 < args.length; i++)
      if (/^store(dist)?$/i.test(args[i] as Bytes)) indices.push(++i);
    return true;
  };
}

const complexity = 'O(N+log M) with N places in cells that are near, M members';
const sorting = '[COUNT count [ANY]] [ASC | DESC]';
const showing = '[WITHCOORD] [WITHDIST] [WITHHASH]';
const units = '<M | KM | FT | MI>';
const where = `<FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius ${units} | BYBOX width height ${units}> [ASC | DESC] [COUNT count [ANY]]`;

const positioned = `key longitude latitude radius ${units} ${showing} ${sorting}`;
const ofMember = `key member radius ${units} ${showing} ${sorting}`;
const storing = ' [STORE key | STOREDIST key]';
const nearPosition = 'Members around a place; GEOSEARCH does the same and more.';
const nearMember = 'Members around the place of one; GEOSEARCH does the same and more.';

export const geoSearchCommands: readonly CommandSpec[] = [
  onKeys(
    'geosearch',
    firstKey,
    [-7, ['readonly'], '6.2.0', complexity, `key ${where} ${showing}`, 'Members in a circle or box.'],
    searching({ source: 1, center: 'options', stores: 'never' }),
  ),
  onKeys(
    'geosearchstore',
    twoKeys,
    [
      -8,
      ['write', 'denyoom'],
      '6.2.0',
      complexity,
      `destination source ${where} [STOREDIST]`,
      'Stores members in a circle or box, with their places or distances.',
    ],
    searching({ source: 2, center: 'options', stores: 'always' }),
  ),
  onMovableKeys(
    'georadius',
    firstKey,
    keysToStore(6),
    [-6, ['write', 'denyoom'], '3.2.0', complexity, positioned + storing, nearPosition],
    searching({ source: 1, center: 'position', stores: 'options' }),
  ),
  onKeys(
    'georadius_ro',
    firstKey,
    [-6, ['readonly'], '3.2.10', complexity, positioned, nearPosition],
    searching({ source: 1, center: 'position', stores: 'never' }),
  ),
  onMovableKeys(
    'georadiusbymember',
    firstKey,
    keysToStore(5),
    [-5, ['write', 'denyoom'], '3.2.0', complexity, ofMember + storing, nearMember],
    searching({ source: 1, center: 'member', stores: 'options' }),
  ),
  onKeys(
    'georadiusbymember_ro',
    firstKey,
    [-5, ['readonly'], '3.2.10', complexity, ofMember, nearMember],
    searching({ source: 1, center: 'member', stores: 'never' }),
  ),
];
