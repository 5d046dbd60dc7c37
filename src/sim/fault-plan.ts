import type { Message, NodeId } from '../core/types.ts';
import type { Place } from './member-goal.ts';
import type { PlacementChange } from './placement-wish.ts';
import { placementChanges, withSlots } from './placement-wish.ts';
import type { SeededRandom } from './seeded-random.ts';

/** In place of a node's name: whoever leads when the fault comes. */
export const theLeader: NodeId = 'the leader';

/** One thing that goes wrong, from `atMs` on for `forMs`, in virtual ms; `salt` seeds what is left to chance in it. */
export type Fault = { readonly atMs: number; readonly forMs: number; readonly salt: number } & (
  | { readonly kind: 'kill' | 'power loss' | 'pause'; readonly node: NodeId }
  /** Whoever sends such a message next loses power soon after it. */
  | { readonly kind: 'dies of'; readonly message: Message['kind'] }
  /**
   * The leader is cut off from one follower until that looks for votes; then another one restarts, just after it
   * confirmed the leader's lease, and the leader is cut off from all.
   */
  | { readonly kind: 'forgotten lease' }
  /** Whoever does such a thing with its disk next loses power soon after it began. */
  | { readonly kind: 'dies at'; readonly operation: FatalOperation }
  /** Bytes of its files change while it is down, or while it runs. */
  | { readonly kind: 'rot' | 'bit rot'; readonly node: NodeId }
  | { readonly kind: 'wipe'; readonly node: NodeId }
  | { readonly kind: 'disk hangs'; readonly node: NodeId }
  | { readonly kind: 'disk fails' | 'reads fail'; readonly node: NodeId }
  /** Files may grow by so many bytes, all together. */
  | { readonly kind: 'disk full'; readonly node: NodeId; readonly bytes: number }
  | { readonly kind: 'disk slow'; readonly node: NodeId; readonly ms: number }
  | { readonly kind: 'wall clock'; readonly node: NodeId; readonly ms: number }
  /** All clocks of a node run so many times as fast: within the margin of the leases, or as no clock may. */
  | { readonly kind: 'drift' | 'wild clock'; readonly node: NodeId; readonly rate: number }
  | { readonly kind: 'power loss everywhere' | 'hand over' | 'checkpoint' }
  /** A node is led to a place among the members, while so many voters are left; its data goes where it is to be absent. */
  | {
      readonly kind: 'members';
      readonly node: NodeId;
      readonly place: Place;
      readonly emptied: boolean;
      readonly fatal: boolean;
      readonly least: number;
    }
  /** Where replicas are to be is changed in the metadata, while each shard keeps so many at least. */
  | {
      readonly kind: 'placement';
      readonly change: PlacementChange;
      readonly fatal: boolean;
      readonly least: number;
    }
  | { readonly kind: 'partition'; readonly side: readonly NodeId[] }
  | { readonly kind: 'break'; readonly from: NodeId; readonly to: NodeId }
  | { readonly kind: 'one way' | 'cut off'; readonly from: NodeId; readonly to: NodeId }
  | { readonly kind: 'deaf' | 'mute'; readonly node: NodeId }
  | { readonly kind: 'clog'; readonly from: NodeId; readonly to: NodeId; readonly ms: number }
);

export type FaultKind = Fault['kind'];

/** Not among what any run may have: wild clocks and other members come on top in some runs. */
const undrawn: readonly FaultKind[] = ['wild clock', 'members', 'placement'];

/** Faults that take data away which was durable. */
const losing: readonly FaultKind[] = ['wipe', 'rot', 'bit rot'];

/**
 * Two clocks may differ by the refusal window over the lease, 200 ms / 150 ms, and all promises hold. No two that drift
 * at these rates differ by more, and what clocks are off anyway.
 */
export const driftRates = { least: 0.87, most: 1.14 } as const;

/** How many runs may meet clocks that nothing which rests on leases survives: the others are judged by more. */
const wildRuns = 0.1;

/** What every run meets. */
const usual: readonly FaultKind[] = ['partition', 'pause', 'kill'];

/** Messages that are a promise, or follow one. */
const fatalMessages: readonly Message['kind'][] = [
  'voteResponse',
  'voteRequest',
  'appendAck',
  'appendAck',
  'append',
  'campaignNow',
  'snapshotOffer',
  'snapshotChunk',
];

/** The same, where slots move as well. */
const fatalWithSlots: readonly Message['kind'][] = [
  ...fatalMessages,
  'slotCopy',
  'slotCopy',
  'slotCopied',
  'slotCopied',
  'slotStep',
];

/** What is done when segments, checkpoints and the loss ledger come and go. */
export const fatalOperations = [
  'create',
  'rename',
  'remove',
  'syncDirectory',
  'checkpoint write',
  'checkpoint sync',
] as const;
export type FatalOperation = (typeof fatalOperations)[number];

const kinds: readonly FaultKind[] = [
  'kill',
  'power loss',
  'power loss everywhere',
  'dies of',
  'dies at',
  'forgotten lease',
  'wipe',
  'rot',
  'bit rot',
  'pause',
  'disk hangs',
  'disk fails',
  'reads fail',
  'disk full',
  'disk slow',
  'wall clock',
  'drift',
  'wild clock',
  'hand over',
  'checkpoint',
  'members',
  'placement',
  'partition',
  'one way',
  'break',
  'cut off',
  'deaf',
  'mute',
  'clog',
];

/** What changes in a run besides: the members of the one shard, or the metadata, with slots that move or without. */
type Changes = 'members' | 'placement' | 'slots' | null;

/**
 * Draws what goes wrong. Each run has some kinds of faults only, and its own pace: rare combinations become likely in
 * some run that way.
 */
export class FaultPlanner {
  readonly #random: SeededRandom;
  /** So many voters there are at the beginning, and whatever changes, at least. */
  readonly leastVoters: number;
  readonly #nodes: readonly NodeId[];
  readonly #changes: Changes;
  readonly #everyMs: number;
  #inUse: readonly FaultKind[];
  #nextMs: number;

  /** @param changes what changes members in this run */
  constructor(random: SeededRandom, nodes: readonly NodeId[], changes: Changes) {
    this.#random = random;
    this.#nodes = nodes;
    // Fewer than three nodes are no cluster without the data of one of them.
    const loses = nodes.length > 3 || (nodes.length === 3 && !(changes !== null && random.chance(0.7)));
    const possible = kinds.filter((kind) => !undrawn.includes(kind) && (!losing.includes(kind) || loses));
    const inUse = random.shuffled(possible).slice(0, 2 + random.below(possible.length - 1));
    this.#inUse = random.chance(wildRuns) ? [...inUse, 'wild clock', 'wild clock'] : inUse;
    this.#changes = changes;
    // What a majority holds survives the loss of one disk only if that is no majority by itself, nor one of two.
    if (changes === null) this.leastVoters = nodes.length;
    else this.leastVoters = inUse.some((kind) => losing.includes(kind)) ? 3 : 1;
    this.#everyMs = random.pick([150, 400, 800, 1500]);
    this.#nextMs = random.chance(0.3) ? 0 : random.between(0, 1500);
  }

  /** No fault begins before this. */
  begin(atMs: number): void {
    this.#nextMs += atMs;
  }

  #drawKind(): FaultKind {
    const random = this.#random;
    if (this.#changes !== null && random.chance(0.4))
      return this.#changes === 'members' ? 'members' : 'placement';
    return random.chance(0.3) ? random.pick(usual) : random.pick(this.#inUse);
  }

  /** The faults that begin before `untilMs` and were not drawn yet. */
  draw(untilMs: number): Fault[] {
    const random = this.#random;
    const faults: Fault[] = [];
    while (this.#nextMs < untilMs) {
      const kind = this.#drawKind();
      faults.push(drawFault(random, this.#nodes, kind, this.#nextMs, this.leastVoters, this.#changes));
      // A write that two of three nodes hold survives the loss of one disk, not of two.
      if (losing.includes(kind)) {
        const left = this.#inUse.filter((other) => !losing.includes(other));
        this.#inUse = left.length > 0 ? left : usual;
      }
      this.#nextMs += random.between(0, 2 * this.#everyMs);
    }
    return faults;
  }
}

function drawFault(
  random: SeededRandom,
  nodes: readonly NodeId[],
  kind: FaultKind,
  atMs: number,
  least: number,
  changes: Changes,
): Fault {
  const forMs = random.pick([15, 100, 600, 1200, 3000]) * random.between(0.5, 1.5);
  const [first, other = first] = random.shuffled(nodes) as [NodeId, NodeId | undefined];
  const node = random.chance(0.5) ? theLeader : first;
  const at = { atMs, forMs, salt: random.next() };
  switch (kind) {
    case 'forgotten lease':
    case 'power loss everywhere':
    case 'hand over':
    case 'checkpoint':
      return { ...at, kind };
    case 'members': {
      const place = random.pick<Place>(['voter', 'voter', 'voter', 'learner', 'absent', 'absent']);
      // A learner takes more than a second to become a voter.
      const goal = { node: first, place, emptied: random.chance(0.5), fatal: random.chance(0.2), least };
      return { ...at, forMs: random.between(300, 6000), kind, ...goal };
    }
    case 'placement': {
      const wish = {
        change: random.pick(changes === 'slots' ? withSlots : placementChanges),
        fatal: random.chance(0.2),
        least,
      };
      return { ...at, forMs: random.between(300, 6000), kind, ...wish };
    }
    case 'partition':
      return random.chance(0.6)
        ? { ...at, kind, side: [theLeader] }
        : { ...at, kind, side: random.shuffled(nodes).slice(0, 1 + random.below(nodes.length)) };
    case 'one way':
    case 'break':
    case 'cut off':
      return { ...at, kind, from: node, to: other };
    case 'clog':
      return { ...at, kind, from: node, to: other, ms: random.pick([20, 100, 400]) };
    case 'dies of':
      return { ...at, kind, message: random.pick(changes === 'slots' ? fatalWithSlots : fatalMessages) };
    case 'dies at':
      return { ...at, kind, operation: random.pick(fatalOperations) };
    case 'disk full':
      return { ...at, kind, node, bytes: random.pick([0, 2000, 70_000]) };
    case 'disk slow':
      return { ...at, kind, node, ms: random.pick([2, 20, 100]) };
    case 'drift':
      return { ...at, kind, node: first, rate: random.between(driftRates.least, driftRates.most) };
    case 'wild clock':
      return { ...at, kind, node, rate: random.pick([0.3, 0.5, 2, 3]) };
    case 'wall clock':
      return { ...at, kind, node, ms: random.between(-20_000, 20_000) };
    default:
      return { ...at, kind, node };
  }
}

/** A fault in a line of the timeline. */
export function describeFault(fault: Fault): string {
  const { kind, atMs: _at, forMs, salt: _salt, ...rest } = fault;
  const details = Object.entries(rest).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return value ? name : [];
    if (typeof value !== 'number') return String(value);
    if (name === 'least') return `of ${value} voters at least`;
    if (name === 'rate') return `at ${value.toFixed(3)}`;
    return name === 'bytes' ? `${value} bytes` : `${Math.round(value)} ms`;
  });
  return [`${kind}:`, ...details, `for ${Math.round(forMs)} ms`].join(' ');
}
