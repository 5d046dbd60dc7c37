import type { Bytes } from '../bytes/types.ts';
import { slotCount } from '../state/slot.ts';
import { notAnInteger, parseSafeInteger, shownInError, syntaxError } from './parse.ts';
import { commandGroup } from './spec.ts';
import type { CommandContext, CommandSpec, MetadataRequest } from './types.ts';

const { onSession } = commandGroup('replication');
const anywhere = ['loading', 'stale'] as const;

/** What the words of REPL REPLICA ask for, or the error line. */
function replicaRequest(words: readonly Bytes[]): MetadataRequest | string {
  const [what = '', shardText = '', node = '', to] = words;
  const shard = parseSafeInteger(shardText);
  if (shard === null) return notAnInteger;
  switch (what.toLowerCase()) {
    case 'add':
      return words.length === 3 ? { kind: 'addReplica', shard, node } : syntaxError;
    case 'remove':
      return words.length === 3 ? { kind: 'removeReplica', shard, node } : syntaxError;
    case 'move':
      return to !== undefined && words.length === 4
        ? { kind: 'moveReplica', shard, from: node, to }
        : syntaxError;
    default:
      return `ERR ADD, REMOVE or MOVE is expected, not '${shownInError(what)}'`;
  }
}

function nodeRequest(words: readonly Bytes[]): MetadataRequest | string {
  const [what = '', node = '', peer, client, instance, zone = ''] = words;
  switch (what.toLowerCase()) {
    case 'add':
      return peer !== undefined && client !== undefined && instance !== undefined && words.length <= 6
        ? { kind: 'addNode', node, peer, client, instance, zone }
        : syntaxError;
    case 'remove':
      return words.length === 2 ? { kind: 'removeNode', node } : syntaxError;
    default:
      return `ERR ADD or REMOVE is expected, not '${shownInError(what)}'`;
  }
}

function rebalance(context: CommandContext, args: readonly Bytes[]): void {
  const { node, reply } = context;
  const [what = '', word = ''] = args.slice(2).map((text) => text.toLowerCase());
  if (what === 'step' && args.length === 3) {
    const begun = node.rebalance();
    if (typeof begun === 'string') reply.error(begun);
    else reply.bulk(JSON.stringify(begun));
  } else if (what === 'auto' && args.length === 4 && (word === 'on' || word === 'off'))
    ask(context, { kind: 'rebalance', on: word === 'on' });
  else reply.error(syntaxError);
}

/** How many slots, or which: `100`, or ranges like `0-99,200-200`. Null when it is neither. */
function slotsNamed(text: Bytes): number | { from: number; to: number }[] | null {
  const count = parseSafeInteger(text);
  if (count !== null) return count > 0 && count <= slotCount ? count : null;
  const ranges = text.split(',').map((part) => /^(\d{1,5})-(\d{1,5})$/.exec(part));
  const slots = ranges.map((match) => ({ from: Number(match?.[1]), to: Number(match?.[2]) }));
  return slots.every(({ from, to }) => from <= to && to < slotCount) ? slots : null;
}

/** What the words of REPL SLOTS ask for, or the error line. */
function slotsRequest(words: readonly Bytes[]): MetadataRequest | string {
  const [what = '', which = '', fromWord = '', fromText = '', toWord = '', toText = ''] = words;
  if (what.toLowerCase() === 'cancel') {
    const from = words.length === 1 ? null : parseSafeInteger(which);
    if (words.length > 2) return syntaxError;
    return words.length === 2 && from === null ? notAnInteger : { kind: 'cancelSlots', from };
  }
  if (what.toLowerCase() !== 'move') return `ERR MOVE or CANCEL is expected, not '${shownInError(what)}'`;
  if (words.length !== 6 || fromWord.toLowerCase() !== 'from' || toWord.toLowerCase() !== 'to')
    return syntaxError;
  const [from, to] = [parseSafeInteger(fromText), parseSafeInteger(toText)];
  if (from === null || to === null) return notAnInteger;
  const slots = slotsNamed(which);
  if (slots === null) return 'ERR slots are a count, or ranges like 0-99,200-299';
  return { kind: 'moveSlots', which: slots, from, to };
}

/** Answers the epoch that the change makes when it is committed: until then it may yet be lost. */
function ask({ node, reply }: CommandContext, request: MetadataRequest | string): void {
  const outcome = typeof request === 'string' ? request : node.changeMetadata(request);
  if (typeof outcome === 'string') reply.error(outcome);
  else reply.integer(outcome);
}

/** What REPL has about nodes and where replicas are. */
export const metadataSubcommands: readonly CommandSpec[] = [
  onSession(
    'repl|metadata',
    [
      2,
      anywhere,
      '7.2.0',
      'O(N) with N nodes and shards',
      '',
      'Nodes, shards and slots, as this node knows them to be decided: JSON.',
    ],
    ({ node, reply }) => reply.bulk(node.metadataText()),
  ),
  onSession(
    'repl|replica',
    [
      -5,
      ['admin', ...anywhere],
      '7.2.0',
      'O(1)',
      '<ADD shard node | REMOVE shard node | MOVE shard from to>',
      'Decides where a shard has replicas, and answers the epoch of that. To the node that leads the metadata.',
    ],
    (context, args) => ask(context, replicaRequest(args.slice(2))),
  ),
  onSession(
    'repl|node',
    [
      -4,
      ['admin', ...anywhere],
      '7.2.0',
      'O(N) with N shards',
      '<ADD node peer client instance [zone] | REMOVE node>',
      'Lets a node join, or leave when its replicas are elsewhere, and answers the epoch of that. To the node that leads the metadata.',
    ],
    (context, args) => ask(context, nodeRequest(args.slice(2))),
  ),
  onSession(
    'repl|rebalance',
    [
      -3,
      ['admin', ...anywhere],
      '7.2.0',
      'O(N) with N shards',
      '<STEP | AUTO <ON | OFF>>',
      'STEP begins the next moves of replicas and leaders towards an even spread and answers which, as JSON; AUTO says whether the cluster does so by itself. To the node that leads the metadata.',
    ],
    rebalance,
  ),
  onSession(
    'repl|slots',
    [
      -3,
      ['admin', ...anywhere],
      '7.2.0',
      'O(1)',
      '<MOVE <count | first-last[,first-last ...]> FROM shard TO shard | CANCEL [shard]>',
      'Decides that slots are to be in another shard, where they are moved while clients go on, or that none are to go any more; answers the epoch of that. To the node that leads the metadata.',
    ],
    (context, args) => ask(context, slotsRequest(args.slice(2))),
  ),
];
