import { describe, expect, it } from 'vitest';
import type { Message, NodeId, SlotStep } from '../core/types.ts';
import { TestCluster } from '../shard/cluster-test-kit.ts';
import type { Replica } from '../shard/replica.ts';
import { Keyspace } from '../state/keyspace.ts';
import { rangesOf, slotCount, slotOf } from '../state/slot.ts';
import { type Metadata, readMetadata } from './metadata.ts';
import { changeMetadata } from './metadata-change.ts';
import type { Decision } from './placement.ts';
import { SlotMovers } from './slot-movers.ts';
import { cancelMoves, slotStepDecided, wantElsewhere } from './slot-moves.ts';

const nodes = ['a', 'b', 'c'] as const;
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const shards = [1, 2] as const;
/** Keys of both shards, some to a slot. */
const keys = Array.from({ length: 24 }, (_, i) => `{${i % 8}}${i}`);
const slots = [...new Set(keys.map(slotOf))].sort((one, other) => one - other);

/** Random numbers that are the same in every run. */
function dice(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % bound;
  };
}

/** Two shards on three nodes, whose metadata is decided at once and known to each node when it is told. */
class World {
  readonly cluster = new TestCluster(3);
  readonly movers = new Map<NodeId, SlotMovers>();
  readonly #decided = new Keyspace();
  readonly #history: Metadata[] = [];
  readonly #known = new Map<NodeId, Metadata>();
  /** Nodes that hear nothing of the metadata for now. */
  readonly deaf = new Set<NodeId>();
  /** Items by key, in their order, as they were acknowledged. */
  readonly acknowledged = new Map<string, string[]>(keys.map((key) => [key, []]));
  /** Written, and nobody knows. */
  readonly unknown = new Set<string>();
  #next = 0;

  constructor() {
    const owners = Uint16Array.from({ length: slotCount }, (_, slot) => (slot < slotCount / 2 ? 1 : 2));
    const records = shards.map((shard) => [shard, { members: nodes, preferred: null }] as const);
    this.#write({ change: { shards: new Map(records), owners } });
    for (const node of nodes) {
      this.#known.set(node, this.newest);
      const host = this.cluster.host(node);
      const movers = new SlotMovers({
        ...{ self: node, logger: quiet, host, log: this.cluster.logOf(node) },
        peers: { send: (to, shard, message) => this.cluster.sendFrom(node, to, shard, message) },
        metadata: () => this.#known.get(node) ?? null,
        metadataLeader: () => 'a',
        metadataAsked: (step) => void this.#asked.push(step),
        bytesPerSecond: () => 1 << 20,
      });
      host.slotPeer = movers;
      this.movers.set(node, movers);
    }
    this.cluster.ownersOn = (node) => ({
      ownerOf: (slot) => this.#known.get(node)?.owners[slot] as number,
      sinceOf: (slot) => this.#known.get(node)?.since[slot] as number,
    });
  }

  get newest(): Metadata {
    return this.#history.at(-1) as Metadata;
  }

  #write(decision: Decision): void {
    if ('refused' in decision) return;
    const state = this.#decided;
    const epoch = this.#history.at(-1)?.epoch ?? 0;
    changeMetadata({ hidden: (key) => state.peek(key), effects: state }, epoch, decision.change);
    this.#history.push(readMetadata(state) as Metadata);
  }

  /** Until then, what leaders ask of the metadata waits. */
  deciding = true;
  #asked: SlotStep[] = [];

  decide(how: (metadata: Metadata) => Decision): void {
    this.#write(how(this.newest));
  }

  /** Time passes. */
  run(ms: number): void {
    for (let left = ms; left > 0; left -= 10) {
      this.cluster.run(10);
      if (this.deciding)
        for (const step of this.#asked.splice(0)) this.#write(slotStepDecided(this.newest, step));
      for (const node of nodes) {
        if (!this.deaf.has(node)) this.#known.set(node, this.newest);
        this.movers.get(node)?.tick(this.cluster.now);
      }
      this.cluster.settle();
    }
  }

  until(what: string, holds: () => boolean): void {
    for (let left = 2000; !holds(); left--) {
      if (left === 0) throw new Error(`it did not come so far: ${what}`);
      this.run(10);
    }
  }

  leader(shard: number): Replica | null {
    const led = nodes
      .map((node) => this.cluster.host(node).replicas.get(shard) as Replica)
      .filter(({ serving }) => serving);
    return led.sort((one, other) => other.core.term - one.core.term)[0] ?? null;
  }

  leadingNode(shard: number): NodeId | null {
    const leader = this.leader(shard);
    return nodes.find((node) => this.cluster.host(node).replicas.get(shard) === leader) ?? null;
  }

  /** Appends an item through some node, which may send the client elsewhere; it waits for the answer if it must. */
  append(key: string, through: NodeId): void {
    const item = `${this.#next++}`;
    const items = this.acknowledged.get(key) as string[];
    let node = through;
    let client = this.cluster.client(node);
    client.send('RPUSH', key, item);
    this.cluster.settle();
    let text = '';
    const look = (): boolean => {
      text += client.received();
      const moved = /^-MOVED \d+ (\w):1\r\n$/.exec(text);
      if (moved !== null) {
        node = moved[1] as NodeId;
        client = this.cluster.client(node);
        text = '';
        client.send('RPUSH', key, item);
        this.cluster.settle();
        return false;
      }
      return text !== '' || client.closed() !== null;
    };
    this.#pending.push({
      look,
      done: () => (text.startsWith(':') ? items.push(item) : this.unknown.add(item)),
    });
  }

  #pending: { readonly look: () => boolean; readonly done: () => void }[] = [];

  /** Clients look for their answers. */
  look(): void {
    this.#pending = this.#pending.filter(({ look, done }) => {
      if (!look()) return true;
      done();
      return false;
    });
  }

  get waiting(): number {
    return this.#pending.length;
  }

  moveAll(from: number, to: number): void {
    this.decide((metadata) => {
      const some = rangesOf(slots.filter((slot) => metadata.owners[slot] === from));
      return some.length === 0 ? { refused: '' } : wantElsewhere(metadata, some, from, to);
    });
  }

  get resting(): boolean {
    const { owners, wanted, moves } = this.newest;
    return moves.size === 0 && owners.every((owner, slot) => owner === wanted[slot]);
  }

  /** Everything that was acknowledged is there, once and in order, in the one shard that owns it; replicas are equal. */
  judge(): void {
    const clients = keys.map((key) => {
      const owner = this.newest.owners[slotOf(key)] as number;
      const client = this.cluster.client(this.leadingNode(owner) as NodeId);
      client.send('LRANGE', key, '0', '-1');
      return client;
    });
    this.run(30);
    for (const [i, key] of keys.entries()) {
      const owner = this.newest.owners[slotOf(key)];
      const lines = clients[i]?.received().matchAll(/^(\d+)\r\n/gm) ?? [];
      const found = [...lines].map((match) => match[1] as string);
      const items = this.acknowledged.get(key) as string[];
      const known = found.filter((item) => !this.unknown.has(item));
      expect(known.sort(), `${key} of shard ${owner}`).toEqual([...items].sort());
      expect(new Set(found).size).toBe(found.length);
      for (const shard of shards) {
        const keyspace = this.leader(shard)?.keyspace;
        const has = shard === owner && found.length > 0;
        expect(keyspace?.keysInSlot(slotOf(key), 100).includes(key)).toBe(has);
        if (shard !== owner) expect(keyspace?.heldInSlot(slotOf(key))).toBe(0);
      }
    }
    for (const shard of shards) {
      const digests = nodes.map((node) => this.cluster.host(node).replicas.get(shard)?.keyspace.digest());
      expect(new Set(digests).size, `replicas of shard ${shard}`).toBe(1);
      expect(this.leader(shard)?.keyspace.fences.marks.size).toBe(0);
    }
  }

  settleAll(): void {
    this.deaf.clear();
    this.deciding = true;
    this.cluster.cutOff.clear();
    this.cluster.holds = () => false;
    this.until('shards are led', () => shards.every((shard) => this.leader(shard) !== null));
    this.until('moves are over', () => this.resting);
    this.run(1000);
    this.look();
    this.until('clients are answered', () => {
      this.look();
      return this.waiting === 0;
    });
    this.run(500);
  }
}

function withItems(): World {
  const world = new World();
  for (let round = 0; round < 3; round++) for (const key of keys) world.append(key, 'a');
  world.run(50);
  world.look();
  return world;
}

describe('slots of a shard', () => {
  it('move away and back while clients write', () => {
    const world = withItems();
    for (const [from, to] of [
      [1, 2],
      [2, 1],
    ] as const) {
      world.moveAll(from, to);
      for (let round = 0; !world.resting; round++) {
        for (const key of keys.slice(0, 10)) world.append(key, nodes[round % 3] as NodeId);
        world.run(10);
        world.look();
      }
      world.settleAll();
      world.judge();
    }
    expect(world.unknown.size).toBe(0);
  });

  it('stay when that is cancelled, whatever was copied, and go with another attempt', () => {
    const world = withItems();
    world.cluster.handOver(2, 'a', 'b');
    world.cluster.holds = (_, message) => message.kind === 'slotCopy' && message.content === 'end';
    world.moveAll(1, 2);
    world.until('slots are frozen', () => world.leader(1)?.keyspace.fences.freezing === true);
    world.append(keys[0] as string, 'a');
    world.decide((metadata) => cancelMoves(metadata, null));
    world.settleAll();
    world.judge();
    expect(world.newest.owners.indexOf(2)).toBe(slotCount / 2);
    world.moveAll(1, 2);
    world.run(100);
    world.settleAll();
    world.judge();
    expect(slots.map((slot) => world.newest.owners[slot])).toEqual(slots.map(() => 2));
  });

  it('are given up when the other side is gone while they are frozen, so that clients go on', () => {
    const world = withItems();
    // All leaders are on a: that of shard 2 goes to b, which nobody can reach once everything is frozen.
    world.cluster.handOver(2, 'a', 'b');
    world.moveAll(1, 2);
    world.until('slots are frozen', () => world.leader(1)?.keyspace.fences.freezing === true);
    const isCopy = ({ kind }: Message): boolean => kind === 'slotCopy' || kind === 'slotCopied';
    world.cluster.holds = (_, message) => isCopy(message);
    world.append(keys[0] as string, 'a');
    world.until('they thaw', () => world.leader(1)?.keyspace.fences.freezing === false);
    expect(world.newest.moves.size).toBe(0);
    world.settleAll();
    world.judge();
  });
});

describe('clients of slots that go', () => {
  const key = keys.find((one) => slotOf(one) < slotCount / 2) as string;
  const slot = slotOf(key);

  /** The leaders of the two shards are on different nodes. */
  function apart(): World {
    const world = new World();
    world.cluster.handOver(2, 'a', 'b');
    return world;
  }

  function goes(world: World, from: number, to: number): void {
    world.moveAll(from, to);
    world.run(100);
    world.settleAll();
    expect(world.newest.owners[slot]).toBe(to);
  }

  it('are sent on when they wait for keys', () => {
    const world = apart();
    const client = world.cluster.client('a');
    client.send('BLPOP', key, '0');
    goes(world, 1, 2);
    expect(client.received()).toBe(`-MOVED ${slot} b:1\r\n`);
  });

  it.each([true, false])(
    'find what they watched changed when it has been elsewhere; there was something: %s',
    (there) => {
      const world = apart();
      const client = world.cluster.client('a');
      if (there) client.send('SET', key, 'value');
      client.send('WATCH', key);
      goes(world, 1, 2);
      goes(world, 2, 1);
      client.received();
      client.send('MULTI');
      client.send('SET', key, 'other');
      client.send('EXEC');
      world.run(30);
      expect(client.received()).toBe('+OK\r\n+QUEUED\r\n*-1\r\n');
    },
  );

  it('find nothing there any more when all was deleted while it was copied', () => {
    const world = apart();
    const client = world.cluster.client('a');
    client.send('SET', key, 'value');
    world.cluster.holds = (_, { kind }) => kind === 'slotCopied';
    world.moveAll(1, 2);
    world.until('keys are there', () => (world.leader(2)?.keyspace.heldInSlot(slot) ?? 0) > 0);
    client.send('FLUSHALL');
    world.run(30);
    expect(client.received()).toBe('+OK\r\n+OK\r\n');
    world.settleAll();
    expect(world.newest.owners[slot]).toBe(2);
    expect(world.leader(2)?.keyspace.heldInSlot(slot)).toBe(0);
  });

  it('wait with what concerns all keys as long as some are frozen', () => {
    const world = apart();
    const client = world.cluster.client('a');
    client.send('SET', key, 'value');
    world.cluster.holds = (_, message) => message.kind === 'slotCopy' && message.content === 'end';
    world.moveAll(1, 2);
    world.until('slots are frozen', () => world.leader(1)?.keyspace.fences.freezing === true);
    client.received();
    client.send('FLUSHALL');
    world.run(50);
    expect(client.received()).toBe('');
    world.settleAll();
    expect(client.received()).toBe('+OK\r\n');
    expect(world.leader(2)?.keyspace.peek(key)?.value).toBe('value');
  });

  it('are told by nobody what a replica has that is behind the move', () => {
    const world = apart();
    const writer = world.cluster.client('a');
    writer.send('SET', key, 'value');
    const reader = world.cluster.client('c');
    reader.send('READONLY');
    // c hears of the move, and does not get the log of the shard that takes the slots.
    world.cluster.holds = (from, { kind }, shard) => from === 'b' && shard === 2 && kind === 'append';
    world.run(30);
    reader.received();
    reader.send('GET', key);
    world.run(30);
    expect(reader.received()).toBe('$5\r\nvalue\r\n');
    world.cluster.holds = () => false;
    world.moveAll(1, 2);
    world.deaf.add('c');
    world.until('it has moved', () => world.newest.owners[slot] === 2);
    world.run(200);
    world.cluster.client('b').send('SET', key, 'later');
    world.run(200);
    // By its metadata the slot is where it was; by that shard's history it is gone.
    reader.send('GET', key);
    world.run(30);
    expect(reader.received()).toBe(`-ASK ${slot} a:1\r\n`);
    world.deaf.clear();
    world.run(200);
    reader.send('GET', key);
    world.run(30);
    expect(reader.received()).toBe('$5\r\nlater\r\n');
  });
});

/** One thing that goes wrong, or right again. */
function mishap(world: World, below: (bound: number) => number): void {
  const node = nodes[below(3)] as NodeId;
  const shard = shards[below(2)] as number;
  switch (below(7)) {
    case 0:
      world.deaf.add(node);
      return;
    case 1:
      world.deaf.clear();
      return;
    case 2:
      world.cluster.cutOff.add(node);
      return;
    case 3:
      world.cluster.cutOff.clear();
      return;
    case 4: {
      const from = world.leadingNode(shard);
      if (from !== null) world.cluster.host(from).replicas.get(shard)?.handOver(node, world.cluster.now);
      return;
    }
    case 5:
      world.decide((metadata) => cancelMoves(metadata, null));
      return;
    default:
      world.moveAll(shard, 3 - shard);
  }
}

const seeds = Number(process.env['BELLWETHER_SEEDS'] ?? 2);

it.each(Array.from({ length: seeds }, (_, i) => i + 1))(
  'slots have one owner and nothing is lost, whatever leaders, links and the metadata do: seed %i',
  (seed) => {
    const below = dice(seed);
    const world = withItems();
    world.cluster.handOver(2, 'a', 'b');
    for (let tick = 0; tick < 250; tick++) {
      if (below(12) === 0) mishap(world, below);
      if (tick % 40 === 0) world.moveAll(1 + below(2), 1 + below(2));
      if (world.cluster.cutOff.size > 0 && below(30) === 0) world.cluster.cutOff.clear();
      // What is copied comes late, as on a slow link.
      const late = below(3) > 0;
      world.cluster.holds = (_, { kind }) => late && (kind === 'slotCopy' || kind === 'slotCopied');
      if (below(8) === 0) world.deciding = below(3) === 0;
      if (below(2) === 0) world.append(keys[below(keys.length)] as string, nodes[below(3)] as NodeId);
      world.run(10);
      world.look();
    }
    world.settleAll();
    world.judge();
  },
);
