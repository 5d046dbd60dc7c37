import type { Leadership } from '../core/leadership.ts';
import { ReplyError, ReplyParser } from '../resp/reply-parser.ts';
import type { ReadLevel } from '../shard/read-level.ts';
import type { Replica } from '../shard/replica.ts';
import { ReplicaGates } from '../shard/replica-gates.ts';
import type { Gate } from '../shard/reply-queue.ts';
import type { Session } from '../shard/session.ts';
import type { GateView } from './gates.ts';
import { checkGate } from './gates.ts';
import type { SentReply } from './reply-policy.ts';

/** Commands that change something whatever was there before. */
const alwaysWrite: ReadonlySet<string> = new Set(['set', 'incr', 'append', 'rpush', 'getset']);

/** What level clients read with. */
const harmless: ReadonlySet<string> = new Set([
  'get',
  'lrange',
  'smembers',
  'hgetall',
  'zrange',
  'multi',
  'exec',
]);

const relaxedLevels: ReadonlySet<ReadLevel['kind']> = new Set([
  'local',
  'bounded',
  'bounded lsn',
  'session',
  'eventual',
]);

export interface ReplyWatchEvents {
  sent(reply: SentReply): void;
  violated(what: string): void;
}

/** Watches one session: what its replies are made to wait for, and when they leave. */
export class ReplyWatch {
  /** Where each key was last written under a leadership, as far as watched sessions did it. */
  static readonly #written = new WeakMap<Leadership, Map<string, number>>();
  readonly #node: string;
  readonly #events: ReplyWatchEvents;
  readonly #parser = new ReplyParser();
  /** Commands that have no reply yet. */
  readonly #commands: string[][] = [];
  /** Replies that have not left; null for one that waits for nothing. */
  readonly #waiting: (SentReply | null)[] = [];
  readonly #session: Session;
  /** The first words behind the names of the command, or of the transaction's, that is answered: its keys. */
  #keys: string[] = [];
  #queueing = false;
  /** Such reads need no proof that their node led. */
  #relaxed = false;

  constructor(node: string, session: Session, events: ReplyWatchEvents) {
    this.#node = node;
    this.#session = session;
    this.#events = events;
    const { replies } = session;
    const add = replies.add.bind(replies);
    replies.add = (out, gate, now) => {
      this.#waiting.push(this.#added(gate));
      add(out, gate, now);
    };
  }

  executes(args: string[]): void {
    this.#commands.push(args);
  }

  #added(gate: Gate | null): SentReply | null {
    const [name = '', key] = this.#commands.shift() ?? [];
    const command = name.toLowerCase();
    if (!this.#queueing) {
      this.#keys = [];
      this.#relaxed = relaxedLevels.has(this.#session.reads.level.kind);
    }
    if (!harmless.has(command)) this.#relaxed = false;
    if (key !== undefined) this.#keys.push(key);
    if (command === 'multi') this.#queueing = true;
    if (command === 'exec' || command === 'discard') this.#queueing = false;
    const replica = gate?.keeper instanceof ReplicaGates ? gate.keeper.replica : null;
    const leadership = replica?.core.leadership ?? null;
    if (gate === null || replica === null || leadership === null) return null;
    const keys = this.#keys;
    this.#checkGate(command, keys, gate, replica, leadership);
    const { core } = replica;
    const known = gate.lsn >= core.log.base.lsn;
    const term = gate.lsn > core.lastLsn ? core.term : known ? core.log.termAt(gate.lsn) : 0;
    // What was compacted was committed.
    return {
      node: this.#node,
      shard: replica.shard,
      what: name,
      policy: gate.policy,
      lsn: known && gate.lsn > core.log.base.lsn ? gate.lsn : 0,
      term,
    };
  }

  #checkGate(command: string, keys: string[], gate: Gate, replica: Replica, leadership: Leadership): void {
    let written = ReplyWatch.#written.get(leadership);
    if (written === undefined) {
      written = new Map();
      ReplyWatch.#written.set(leadership, written);
    }
    const provesLeadership = gate.readMs >= 0 || this.#relaxed;
    const view: GateView = {
      node: this.#node,
      what: `${command} ${keys[0] ?? ''}`,
      writes: alwaysWrite.has(command),
      provesLeadership,
      gateLsn: gate.lsn,
      lastLsn: replica.lastLsn,
      writtenAt: keys.map((key) => written.get(key) ?? 0).filter((lsn) => lsn > replica.core.commit),
    };
    const problem = checkGate(view);
    if (problem !== null) this.#events.violated(problem);
    if (!provesLeadership) for (const key of keys) written.set(key, replica.lastLsn);
  }

  /** Bytes of replies leave. */
  leaves(bytes: Buffer): void {
    this.#parser.push(Buffer.from(bytes));
    for (let reply = this.#parser.next(); reply !== undefined; reply = this.#parser.next()) {
      const sent = this.#waiting.shift();
      // One that waited too long was replaced by an error.
      if (sent != null && !(reply instanceof ReplyError)) this.#events.sent(sent);
    }
  }
}
