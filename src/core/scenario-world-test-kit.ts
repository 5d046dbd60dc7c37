import { CommittedEntries } from '../sim/committed-entries.ts';
import { checkLeaderCompleteness } from '../sim/leader-completeness.ts';
import { checkLogMatching } from '../sim/log-matching.ts';
import { OneLeaderPerTerm } from '../sim/one-leader.ts';
import type { CoreOptions } from './options.ts';
import { defaultCoreOptions } from './options.ts';
import type { ScenarioCheckpoint, ScenarioWorld } from './scenario-node-test-kit.ts';
import { ScenarioNode } from './scenario-node-test-kit.ts';
import type { Lsn, Membership, Message, NodeId, Position } from './types.ts';

/** What each node draws instead of chance: node 1 has the shortest election timeout (330 ms), then 2 (420), 3 (510) … */
const draws = [0.1, 0.4, 0.7, 0.8, 0.9];
const tickMs = 10;
/** More deliveries than this in one command are a loop. */
const maxDeliveries = 10_000;

/** Nodes, the links between them, one clock, and the checks of safety that hold whatever a script does. */
export class ScenarioCluster implements ScenarioWorld {
  nowMs = 1000;
  readonly nodes = new Map<NodeId, ScenarioNode>();
  readonly #trace: string[] = [];
  readonly #answers = new Map<string, { readonly index: number; times: number }>();
  readonly #queues = new Map<string, Message[]>();
  /** Links (`1>2`) that lose what is sent. */
  readonly #cut = new Set<string>();
  /** Links that deliver only when told to. */
  readonly #held = new Set<string>();
  readonly #kept = new Map<string, { from: NodeId; to: NodeId; message: Message }>();
  /** Pairs whose connection broke and is to be made again; with the nodes that came back with another disk. */
  readonly #broken = new Set<string>();
  readonly #replaced = new Set<NodeId>();
  readonly #committed = new CommittedEntries();
  readonly #leaders = new OneLeaderPerTerm();
  readonly #membership: Membership;
  #waitingSinceMs: number | null = null;

  constructor(membership: Membership) {
    this.#membership = membership;
  }

  add(id: NodeId, options: Partial<CoreOptions>, doubtful: boolean): void {
    const draw = draws[Number(id) - 1] ?? 0.95;
    const doubt = doubtful ? { mayHaveAcknowledged: null } : null;
    const all = { ...defaultCoreOptions, ...options };
    const node = new ScenarioNode(id, this, all, draw, this.#membership, doubt);
    this.nodes.set(id, node);
    node.start();
  }

  node(id: string | undefined): ScenarioNode {
    const node = this.nodes.get(id ?? '');
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  // What nodes see.

  /** A line of the trace. Answers to pre-votes that are asked again and again get one line, with their number. */
  say(line: string): void {
    const known = this.#answers.get(line);
    if (known !== undefined) {
      known.times += 1;
      return;
    }
    if (/ would (not )?vote for /.test(line))
      this.#answers.set(line, { index: this.#trace.length, times: 1 });
    const since = this.#waitingSinceMs;
    this.#trace.push(since === null ? `  ${line}` : `  +${this.nowMs - since} ms: ${line}`);
  }

  /** What was said since this was called last. */
  takeTrace(): string[] {
    for (const { index, times } of this.#answers.values())
      if (times > 1) this.#trace[index] += ` (${times} times)`;
    this.#answers.clear();
    return this.#trace.splice(0);
  }

  send(from: NodeId, to: NodeId, message: Message): void {
    const link = `${from}>${to}`;
    if (from === to) throw new Error(`${from} sends ${message.kind} to itself`);
    if (this.#cut.has(link) || this.nodes.get(to)?.running !== true) return;
    this.queue(from, to).push(message);
  }

  checkpointOf(owner: NodeId, asker: NodeId, checkpoint: Position): ScenarioCheckpoint | null {
    const node = this.nodes.get(owner);
    if (node === undefined || !node.running || this.#cut.has(`${owner}>${asker}`)) return null;
    for (const found of [node.checkpoint, node.previousCheckpoint])
      if (found?.position.lsn === checkpoint.lsn && found.position.term === checkpoint.term) return found;
    return null;
  }

  committed(node: ScenarioNode, commit: Lsn): void {
    for (let lsn = node.core.log.base.lsn + 1; lsn <= commit; lsn++)
      this.#check(this.#committed.note(node.id, lsn, node.core.log.termAt(lsn), null));
  }

  elected(node: ScenarioNode): void {
    this.#check(this.#leaders.check({ node: node.id, term: node.core.term, leads: true }));
    this.#check(checkLeaderCompleteness(this.#view(node), this.#committed));
  }

  /** Logs that share an entry share everything before it. */
  checkLogs(): void {
    const running = [...this.nodes.values()].filter((node) => node.running);
    for (const a of running)
      for (const b of running) this.#check(checkLogMatching(this.#view(a), this.#view(b)));
  }

  #view({ id, core }: ScenarioNode): {
    node: string;
    baseLsn: number;
    lastLsn: number;
    termAt: (lsn: number) => number;
    runStart: (lsn: number) => number;
  } {
    const { log } = core;
    return {
      node: id,
      baseLsn: log.base.lsn,
      lastLsn: log.lastLsn,
      termAt: (lsn) => log.termAt(lsn),
      runStart: (lsn) => log.runStart(lsn),
    };
  }

  #check(wrong: string | null): void {
    if (wrong !== null) throw new Error(`safety is violated: ${wrong}`);
  }

  // Links.

  queue(from: NodeId, to: NodeId): Message[] {
    const link = `${from}>${to}`;
    let queue = this.#queues.get(link);
    if (queue === undefined) {
      queue = [];
      this.#queues.set(link, queue);
    }
    return queue;
  }

  hold(from: NodeId, to: NodeId, held: boolean): void {
    if (held) this.#held.add(`${from}>${to}`);
    else this.#held.delete(`${from}>${to}`);
  }

  /** What is sent from here on is lost, and what is under way too. */
  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(`${from}>${to}`);
    this.queue(from, to).length = 0;
  }

  heal(): void {
    this.#cut.clear();
    this.#connectAgain();
  }

  deliver(from: NodeId, to: NodeId): void {
    const message = this.queue(from, to).shift();
    const node = this.node(to);
    if (message === undefined) throw new Error(`nothing is under way from ${from} to ${to}`);
    if (node.paused) throw new Error(`${to} is paused`);
    if (node.running) node.receive(from, message);
  }

  /** Keeps a copy of the oldest message of a link under a name, to be delivered (again) later. */
  keep(from: NodeId, to: NodeId, name: string): void {
    const message = this.queue(from, to)[0];
    if (message === undefined) throw new Error(`nothing is under way from ${from} to ${to}`);
    this.#kept.set(name, { from, to, message });
  }

  replay(name: string): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) throw new Error(`no message was kept as ${name}`);
    this.node(kept.to).receive(kept.from, kept.message);
  }

  /** Delivers what is under way, and what that leads to, except on held links. */
  deliverAll(): void {
    for (let count = 0, delivered = true; delivered; ) {
      delivered = false;
      for (const [link, queue] of [...this.#queues].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const [from, to] = link.split('>') as [NodeId, NodeId];
        if (queue.length === 0 || this.#held.has(link) || this.node(to).paused) continue;
        this.deliver(from, to);
        delivered = true;
        count += 1;
        if (count > maxDeliveries) throw new Error('messages never end');
      }
    }
  }

  // Time.

  /** Lets time pass in steps of 10 ms until `done`, at most `maxMs`; false when that did not come. */
  pass(maxMs: number, done: (passedMs: number) => boolean): boolean {
    const since = this.nowMs;
    this.#waitingSinceMs = since;
    let met = false;
    while (!met && this.nowMs - since < maxMs) {
      this.nowMs += tickMs;
      for (const node of this.nodes.values()) if (node.running && !node.paused) node.tick();
      this.deliverAll();
      met = done(this.nowMs - since);
    }
    this.#waitingSinceMs = null;
    return met;
  }

  /** Until nothing worth a line happened for 150 ms, three heartbeats. */
  settle(): void {
    let lines = this.#trace.length;
    let quietMs = 0;
    this.pass(20_000, () => {
      quietMs = this.#trace.length === lines ? quietMs + tickMs : 0;
      lines = this.#trace.length;
      return quietMs >= 150;
    });
  }

  // Processes.

  crash(id: NodeId): void {
    this.node(id).crash();
    this.#replaced.delete(id);
    for (const other of this.nodes.keys()) {
      this.queue(id, other).length = 0;
      this.queue(other, id).length = 0;
      if (other !== id) this.#broken.add([id, other].sort().join(' '));
    }
  }

  start(id: NodeId): void {
    if (this.node(id).running) throw new Error(`${id} runs`);
    this.node(id).start();
    this.#connectAgain();
  }

  loseDisk(id: NodeId): void {
    if (this.node(id).running) throw new Error(`${id} runs`);
    this.node(id).loseDisk();
    this.#replaced.add(id);
  }

  /** Breaks the connection of two nodes and makes it again. */
  reconnect(a: NodeId, b: NodeId): void {
    this.queue(a, b).length = 0;
    this.queue(b, a).length = 0;
    this.#broken.add([a, b].sort().join(' '));
    this.#connectAgain();
  }

  #connectAgain(): void {
    for (const pair of [...this.#broken]) {
      const [a, b] = pair.split(' ').map((id) => this.node(id)) as [ScenarioNode, ScenarioNode];
      if (!a.running || !b.running || this.#cut.has(`${a.id}>${b.id}`) || this.#cut.has(`${b.id}>${a.id}`))
        continue;
      this.#broken.delete(pair);
      this.#connected(a, b.id);
      this.#connected(b, a.id);
    }
  }

  #connected(node: ScenarioNode, peer: NodeId): void {
    const replaced = this.#replaced.has(peer);
    node.input((core) => {
      if (replaced) core.peerReplaced(peer);
      core.linkUp(peer);
    });
  }
}
