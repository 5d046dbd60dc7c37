import { z } from 'zod';
import { type Move, movesOf } from '../cluster/balance.ts';
import type { SlotShift } from '../cluster/balance-slots.ts';
import type { Metadata } from '../cluster/metadata.ts';
import { metadataFrom } from '../cluster/metadata-file.ts';
import { BellwetherError } from '../errors.ts';
import { type Flags, flagHelp, integerFlag, parseArguments, usageError } from './arguments.ts';
import { ClusterAccess, controlFlags } from './cluster-access.ts';
import { type AskedNode, formatBytes, leaderOf } from './cluster-view.ts';
import type { Command } from './command.ts';
import { changeMetadata, shownMetadata } from './metadata-access.ts';
import { few } from './planned-work.ts';
import { moveSlots, shiftLine, slotShifts, slotsLeft } from './rebalance-slots.ts';

const pollMs = 250;
/** More than any plan has: a bound. */
const mostMoves = 100_000;
const leaderMissing = 'a shard has no leader among the nodes that answer';

const flags: Flags = {
  plan: { form: null, help: 'Only show what would be moved.' },
  auto: {
    form: 'on|off',
    help: 'Whether the cluster does this by itself from now on; nothing is moved now.',
  },
  timeout: { form: 'seconds', default: '3600', help: 'How long to wait until everything is moved.' },
  ...controlFlags,
};

export const rebalanceCommand: Command = {
  name: 'rebalance',
  summary: 'spread replicas, leaders and slots evenly',
  help: () => `Moves replicas, leadership and slots until they are spread evenly, while clients go on: first replicas that are lacking, then
those that share a zone without need, then from nodes with many to nodes with few, then which node leads which shard, and
last slots from shards with many bytes to those with few. Each node takes part in one move of replicas at a time, each
shard gives slots to one other at a time. What has begun is carried out by the cluster, also when this command ends early.

A cluster does the same by itself with replicas and leaders when nothing has changed for --rebalance-after, unless that is
switched off. Slots it leaves where they are.

Usage: bellwether rebalance [flags]

${flagHelp(flags)}
`,
  run,
};

const obstacles = z.object({
  obstacles: z.object({ away: z.array(z.string()), unsettled: z.array(z.number()) }),
});

/** What is left to do. */
interface Plan {
  /** Where the node that leads the metadata takes commands. */
  readonly client: string;
  readonly moves: readonly Move[];
  /** Shards that cannot be moved now, since members come or go or are not in sync. */
  readonly unsettled: readonly number[];
  readonly away: readonly string[];
  /** The cluster does it by itself. */
  readonly auto: boolean;
  readonly metadata: Metadata;
}

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'rebalance');
  if (rest.length > 0) throw usageError(`'${rest[0]}' is no flag`, 'rebalance');
  const patienceMs = 1000 * integerFlag(given['timeout'] ?? '3600', 'timeout', 1, 86_400, 'rebalance');
  const access = new ClusterAccess(given, 'rebalance');
  const { auto } = given;
  if (auto !== undefined) return await switchAuto(access, auto, patienceMs);
  if (given['plan'] === 'on') return await showPlan(access, patienceMs);
  return await rebalance(access, patienceMs);
}

async function switchAuto(access: ClusterAccess, auto: string, patienceMs: number): Promise<number> {
  if (auto !== 'on' && auto !== 'off')
    throw usageError(`--auto is '${auto}' and must be on or off`, 'rebalance');
  await changeMetadata(
    access,
    patienceMs,
    ['REBALANCE', 'AUTO', auto],
    ({ rebalance: is = true }) => is === (auto === 'on'),
  );
  process.stdout.write(
    auto === 'on'
      ? 'The cluster spreads replicas and leaders by itself.\n'
      : "The cluster moves nothing by itself; 'bellwether rebalance' does.\n",
  );
  return 0;
}

async function showPlan(access: ClusterAccess, patienceMs: number): Promise<number> {
  const plan = await planOf(access, performance.now() + patienceMs);
  const asked = await access.ask();
  for (const move of plan.moves) process.stdout.write(`${moveLine(move, asked)}\n`);
  let shifts = await slotShifts(access, plan.metadata, asked);
  const progress = new Progress(performance.now() + patienceMs);
  for (; shifts === null; shifts = await slotShifts(access, plan.metadata, await access.ask()))
    await progress.wait(leaderMissing);
  for (const shift of shifts) process.stdout.write(`${shiftLine(shift)}\n`);
  const count = plan.moves.length + shifts.length;
  const what = count === 0 ? 'Nothing is to be moved' : `${count} ${count === 1 ? 'move' : 'moves'}`;
  process.stdout.write(`${[what, ...hindrances(plan)].join('; ')}.\n`);
  const auto = plan.auto
    ? 'The cluster spreads replicas and leaders by itself (--auto off stops that).'
    : 'It moves nothing by itself.';
  process.stdout.write(`${auto}\n`);
  return 0;
}

function hindrances({ unsettled, away }: Plan): string[] {
  const shards = unsettled.map((shard) => `shard ${shard} changes members or is not in sync`);
  return [...away.map((node) => `${node} cannot be reached`), ...(shards.length === 0 ? [] : [few(shards)])];
}

function moveLine(move: Move, asked: readonly AskedNode[]): string {
  const { shard, to } = move;
  if (move.kind === 'leader') return `shard ${shard}: led by ${to} instead of ${move.from}`;
  const bytes = leaderOf(asked, shard)?.shard.memoryBytes;
  const size = bytes === undefined ? '' : ` (about ${formatBytes(bytes)})`;
  return move.kind === 'add'
    ? `shard ${shard}: one more replica, on ${to}${size}`
    : `shard ${shard}: replica on ${to} instead of ${move.from}${size}`;
}

async function rebalance(access: ClusterAccess, patienceMs: number): Promise<number> {
  const beganMs = performance.now();
  const endMs = beganMs + patienceMs;
  const done = (await spreadReplicas(access, endMs)) + (await spreadSlots(access, endMs));
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
  const what =
    done === 0 ? 'Nothing was to be moved' : `${done} ${done === 1 ? 'move' : 'moves'} in ${seconds} s`;
  process.stdout.write(`${what}: everything is spread evenly.\n`);
  return 0;
}

/** How many moves that took. */
async function spreadReplicas(access: ClusterAccess, endMs: number): Promise<number> {
  const progress = new Progress(endMs);
  for (let done = 0; ; ) {
    const plan = await planOf(access, endMs);
    if (plan.moves.length === 0 && plan.unsettled.length === 0) return done;
    const begun = plan.moves.length === 0 ? [] : await step(access, plan.client);
    const asked = await access.ask();
    for (const move of begun) process.stdout.write(`${moveLine(move, asked)}\n`);
    done += begun.length;
    const left = plan.moves.length - begun.length;
    await progress.wait([`${done} begun, ${left} left`, ...hindrances(plan)].join('; '));
  }
}

/** The same for slots. What is written meanwhile may make shards uneven again: they are looked at once. */
async function spreadSlots(access: ClusterAccess, endMs: number): Promise<number> {
  const progress = new Progress(endMs);
  let shifts: readonly SlotShift[] | null = null;
  for (;;) {
    const { metadata } = await planOf(access, endMs);
    const left = slotsLeft(metadata);
    if (left === 0 && shifts === null) {
      shifts = await slotShifts(access, metadata, await access.ask());
      for (const shift of shifts ?? []) {
        process.stdout.write(`${shiftLine(shift)}\n`);
        await moveSlots(access, shift, endMs - performance.now());
      }
      if (shifts === null) await progress.wait(leaderMissing);
      continue;
    }
    if (left === 0) return shifts?.length ?? 0;
    await progress.wait(`${left} ${left === 1 ? 'slot' : 'slots'} left`);
  }
}

/** Says how far it is when that has changed, and gives up when the time is over. */
class Progress {
  readonly #endMs: number;
  #shown = '';

  constructor(endMs: number) {
    this.#endMs = endMs;
  }

  /** Rejects with BW_NOT_DONE. */
  async wait(line: string): Promise<void> {
    if (line !== this.#shown) process.stdout.write(`${line}\n`);
    this.#shown = line;
    if (performance.now() > this.#endMs)
      throw new BellwetherError(
        'BW_NOT_DONE',
        `everything is not spread evenly within --timeout (${line})`,
        "See 'bellwether status'; run the command again when that is mended.",
      );
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Begins with what can be moved now. */
async function step(access: ClusterAccess, client: string): Promise<Move[]> {
  try {
    return JSON.parse(String(await access.tell(client, 'REPL', 'REBALANCE', 'STEP'))) as Move[];
  } catch (error) {
    if (mayPass(error)) return [];
    throw error;
  }
}

/** By the node that leads the metadata, which alone knows what can be moved: asked until it answers. */
async function planOf(access: ClusterAccess, endMs: number): Promise<Plan> {
  for (;;) {
    try {
      const client = (await shownMetadata(access)).leader?.client ?? null;
      const text = client === null ? 'null' : await access.tell(client, 'REPL', 'METADATA');
      const said: unknown = JSON.parse(String(text));
      const metadata = metadataFrom(said);
      const found = obstacles.safeParse(said);
      if (client !== null && metadata !== null && found.success) {
        const { away, unsettled } = found.data.obstacles;
        const moves = movesOf(
          {
            metadata,
            there: (node) => !away.includes(node),
            settled: (shard) => !unsettled.includes(shard),
          },
          mostMoves,
        );
        return { client, moves, away, unsettled, auto: metadata.rebalance !== false, metadata };
      }
    } catch (error) {
      if (!mayPass(error)) throw error;
    }
    if (performance.now() > endMs)
      throw new BellwetherError(
        'BW_NOT_DONE',
        'nobody leads the metadata among the nodes that answer, or its leader does not know this command',
        "See 'bellwether status'.",
      );
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Another node leads the metadata by now, or is about to. */
function mayPass(error: unknown): boolean {
  return (
    error instanceof BellwetherError &&
    (error.code === 'BW_NOT_A_CLUSTER' || error.message.includes('TRYAGAIN'))
  );
}
