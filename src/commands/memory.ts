import type { Bytes } from '../bytes/types.ts';
import { memoryOf } from '../state/entry.ts';
import { notAnInteger, parsePosition, syntaxError } from './parse.ts';
import { commandGroup } from './spec.ts';
import type { CommandContext, CommandSpec, NodeServices } from './types.ts';

const { onKeys, onSession, container } = commandGroup('server');

/** The estimate that `maxmemory` goes by. All elements are in it already, so there is nothing to sample. */
function usage(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  for (let i = 3; i < args.length; i += 2) {
    const samples = args[i + 1];
    if ((args[i] as Bytes).toUpperCase() !== 'SAMPLES' || samples === undefined) {
      reply.error(syntaxError);
      return;
    }
    const count = parsePosition(samples);
    if (count === null || count < 0) {
      reply.error(count === null ? notAnInteger : syntaxError);
      return;
    }
  }
  const key = args[2] as Bytes;
  const entry = context.look(key);
  if (entry === undefined) reply.nil();
  else reply.integer(Math.ceil(memoryOf(key, entry.value)));
}

/** Figures of INFO. */
function figuresOf(node: NodeServices) {
  const fields = new Map(node.info().flatMap((section) => section.fields));
  const figure = (name: string): number => Number(fields.get(name) ?? 0);
  return {
    used: figure('used_memory'),
    dataset: figure('used_memory_dataset'),
    peak: figure('used_memory_peak'),
    rss: figure('used_memory_rss'),
    limit: figure('maxmemory'),
    keys: Number(/keys=(\d+)/.exec(String(fields.get('db0')))?.[1] ?? 0),
  };
}

/** What is known here of what Redis tells, under its names. */
function stats({ node, reply }: CommandContext): void {
  const { used, dataset, peak, rss, keys } = figuresOf(node);
  const whole: readonly (readonly [string, number])[] = [
    ['peak.allocated', peak],
    ['total.allocated', used],
    ['keys.count', keys],
    ['keys.bytes-per-key', keys === 0 ? 0 : Math.floor(dataset / keys)],
    ['dataset.bytes', dataset],
  ];
  const parts: readonly (readonly [string, number])[] = [
    ['dataset.percentage', (dataset / used) * 100],
    ['peak.percentage', (used / peak) * 100],
    ['fragmentation', rss / used],
  ];
  reply.map(whole.length + parts.length + 1);
  for (const [name, value] of whole) {
    reply.bulk(name);
    reply.integer(Math.floor(value));
  }
  for (const [name, value] of parts) {
    reply.bulk(name);
    reply.double(String(value));
  }
  reply.bulk('fragmentation.bytes');
  reply.integer(Math.floor(rss - used));
}

/** From this part of the limit on, DOCTOR warns. */
const nearlyFull = 0.9;

function doctor({ node, reply }: CommandContext): void {
  const { used, dataset, rss, limit } = figuresOf(node);
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const lines = [
    `Keys and values take about ${megabytes(dataset)}, the heap holds ${megabytes(used)}, the process ${megabytes(rss)}.`,
  ];
  if (limit === 0)
    lines.push('There is no limit: set maxmemory, so that the process is not ended when memory runs out.');
  else if (dataset > limit * nearlyFull)
    lines.push(
      `The limit of ${megabytes(limit)} is nearly reached: writes will be refused, or keys evicted.`,
    );
  else lines.push(`The limit is ${megabytes(limit)}: nothing has to be done.`);
  reply.verbatim(`${lines.join('\n')}\n`);
}

export const memoryCommands: readonly CommandSpec[] = [
  container('memory', '4.0.0', 'About the memory of keys and of this node.', [
    onKeys(
      'memory|usage',
      { first: 2, last: 2, step: 1 },
      [
        -3,
        ['readonly'],
        '4.0.0',
        'O(1)',
        'key [SAMPLES count]',
        'About how many bytes a key and its value take.',
      ],
      usage,
    ),
    onSession(
      'memory|stats',
      [2, [], '4.0.0', 'O(1)', '', 'What is known of the memory of this node.'],
      stats,
    ),
    onSession(
      'memory|doctor',
      [2, [], '4.0.0', 'O(1)', '', 'Whether something should be done about the memory of this node.'],
      doctor,
    ),
    onSession(
      'memory|malloc-stats',
      [2, [], '4.0.0', 'O(1)', '', 'Nothing: V8 has no such statistics.'],
      ({ reply }) => reply.bulk('Stats not supported for the current allocator'),
    ),
    onSession(
      'memory|purge',
      [2, [], '4.0.0', 'O(1)', '', 'Does nothing: V8 gives memory back by itself.'],
      ({ reply }) => reply.ok(),
    ),
  ]),
];
