import type { Bytes } from '../bytes/types.ts';
import type { ScoredMember, SortedSetValue } from '../state/collections.ts';
import { formatDistance } from './fixed-point.ts';
import { parsePosition, parseUnit } from './geo-arguments.ts';
import { distance } from './geo-distance.ts';
import { geoSearchCommands, replyPosition } from './geo-searches.ts';
import type { Position } from './geohash.ts';
import { geohashText, positionOf, scoreOf } from './geohash.ts';
import { syntaxError } from './parse.ts';
import { sortedAt } from './sorted-set-items.ts';
import { addItems } from './sorted-sets.ts';
import { commandGroup, firstKey } from './spec.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('geo');

const addOptions = ['NX', 'XX', 'CH'];

function add(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const options = new Set<string>();
  let at = 2;
  while (at < args.length && addOptions.includes((args[at] as Bytes).toUpperCase()))
    options.add((args[at++] as Bytes).toUpperCase());
  const count = (args.length - at) / 3;
  if (!Number.isInteger(count) || count === 0 || (options.has('NX') && options.has('XX'))) {
    reply.error(syntaxError);
    return;
  }
  const items: ScoredMember[] = [];
  for (; at < args.length; at += 3) {
    const position = parsePosition(args[at] as Bytes, args[at + 1] as Bytes);
    if (typeof position === 'string') {
      reply.error(position);
      return;
    }
    items.push({ member: args[at + 2] as Bytes, score: scoreOf(position) });
  }
  const sorted = sortedAt(context, args);
  if (sorted !== null) addItems(context, args[1] as Bytes, sorted, items, (option) => options.has(option));
}

/** Answers something for the place of each member. */
function forEach(
  answer: (context: CommandContext, position: Position) => void,
  answerMissing: (context: CommandContext) => void,
) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const sorted = sortedAt(context, args);
    if (sorted === null) return;
    context.reply.array(args.length - 2);
    for (const member of args.slice(2)) {
      const score = sorted?.scoreOf(member);
      if (score === undefined) answerMissing(context);
      else answer(context, positionOf(score));
    }
  };
}

function between(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const meters = args.length > 4 ? parseUnit(args[4] as Bytes) : 1;
  if (typeof meters === 'string' || args.length > 5) {
    reply.error(args.length > 5 ? syntaxError : (meters as string));
    return;
  }
  const sorted = sortedAt(context, args);
  if (sorted === null) return;
  const [from, to] = [placeOf(sorted, args[2] as Bytes), placeOf(sorted, args[3] as Bytes)];
  if (from === undefined || to === undefined) reply.nil();
  else reply.bulk(formatDistance(distance(from, to) / meters));
}

function placeOf(sorted: SortedSetValue | undefined, member: Bytes): Position | undefined {
  const score = sorted?.scoreOf(member);
  return score === undefined ? undefined : positionOf(score);
}

export const geoCommands: readonly CommandSpec[] = [
  onKeys(
    'geoadd',
    firstKey,
    [
      -5,
      ['write', 'denyoom'],
      '3.2.0',
      'O(log N) for each member',
      'key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]',
      'Adds members with their places on earth, or changes places.',
    ],
    add,
  ),
  onKeys(
    'geopos',
    firstKey,
    [-2, ['readonly'], '3.2.0', 'O(1) for each member', 'key [member [member ...]]', 'Places of members.'],
    forEach(replyPosition, ({ reply }) => reply.nilArray()),
  ),
  onKeys(
    'geohash',
    firstKey,
    [
      -2,
      ['readonly'],
      '3.2.0',
      'O(1) for each member',
      'key [member [member ...]]',
      'Places of members as geohashes, which other programs know.',
    ],
    forEach(
      ({ reply }, position) => reply.bulk(geohashText(position)),
      ({ reply }) => reply.nil(),
    ),
  ),
  onKeys(
    'geodist',
    firstKey,
    [
      -4,
      ['readonly'],
      '3.2.0',
      'O(1)',
      'key member1 member2 [M | KM | FT | MI]',
      'The distance between two members.',
    ],
    between,
  ),
  ...geoSearchCommands,
];
