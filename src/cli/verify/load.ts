import { setTimeout as delay } from 'node:timers/promises';
import type { Reply } from '../../resp/reply-parser.ts';
import type { Operation, Request } from '../../sim/history.ts';
import type { SeededRandom } from '../../sim/seeded-random.ts';
import type { SettledKey } from './generation.ts';
import { explains, Generation } from './generation.ts';
import { VerifyClient } from './verify-client.ts';

/** A generation of keys ends after so many operations, and is read for the last time a while later. */
const generationOperations = 2000;
const restMs = 4000;
/** Stands for the client of last reads in a history. */
const auditorNumber = -1;

export interface LoadFigures {
  operations: number;
  acknowledgedWrites: number;
  reads: number;
  followerReads: number;
  refused: number;
  unknown: number;
  keysChecked: number;
  keysUndecided: number;
  /** Longest time without an acknowledged write, ms, and what had gone wrong last when it ended. */
  longestGapMs: number;
  longestGapAfter: string;
}

/** One kind of client. */
interface Kind {
  readonly hello: readonly string[] | null;
  /** False when replies of writes promise nothing. */
  readonly believed: boolean;
  /** Part of its requests that only read. */
  readonly reads: number;
}

/** The acknowledgement levels and who uses them. */
function kindsFor(nodes: number): Kind[] {
  const ack = (...words: string[]): string[] => ['REPL', 'ACK', ...words];
  const majority = String(Math.floor(nodes / 2) + 1);
  return [
    { hello: null, believed: true, reads: 0.5 },
    { hello: null, believed: true, reads: 0.2 },
    { hello: null, believed: true, reads: 1 },
    { hello: null, believed: true, reads: 1 },
    { hello: ack('all', 'FLUSHED'), believed: true, reads: 0.3 },
    { hello: ack('all', 'RECEIVED'), believed: true, reads: 0.3 },
    { hello: ack('all', 'APPLIED', 'TIMEOUT', '1000'), believed: true, reads: 0.3 },
    { hello: ack('majority', 'APPLIED'), believed: true, reads: 0.3 },
    { hello: ack(majority, 'FLUSHED', 'TIMEOUT', '500'), believed: true, reads: 0.3 },
    { hello: ack('leader', 'FLUSHED'), believed: false, reads: 0.5 },
    { hello: ack('none', 'RECEIVED'), believed: false, reads: 0.5 },
    { hello: ack(majority, 'RECEIVED'), believed: false, reads: 0.5 },
  ];
}

/** Clients that write unique values under every policy, read, and remember all of it until it is checked. */
export class Load {
  readonly figures: LoadFigures = {
    operations: 0,
    acknowledgedWrites: 0,
    reads: 0,
    followerReads: 0,
    refused: 0,
    unknown: 0,
    keysChecked: 0,
    keysUndecided: 0,
    longestGapMs: 0,
    longestGapAfter: 'nothing',
  };
  /** What went wrong last. */
  lastFault = 'nothing';
  readonly #ports: readonly number[];
  readonly #random: SeededRandom;
  readonly #violated: (what: string) => void;
  readonly #clients: VerifyClient[] = [];
  readonly #lanes: Promise<void>[] = [];
  readonly #settled: SettledKey[] = [];
  readonly #auditor: VerifyClient;
  #generation = new Generation(0);
  #generations = 1;
  #audits: Promise<void> = Promise.resolve();
  #value = 0;
  #lastWriteMs: number | null = null;
  #stopped = false;
  /** Set when last reads must not be waited for any longer. */
  #givenUp = false;

  constructor(ports: readonly number[], random: SeededRandom, violated: (what: string) => void) {
    this.#ports = ports;
    this.#random = random;
    this.#violated = violated;
    this.#auditor = new VerifyClient(ports, random.fork(), null);
  }

  start(): void {
    for (const [number, kind] of kindsFor(this.#ports.length).entries()) {
      const random = this.#random.fork();
      const client = new VerifyClient(this.#ports, random, kind.hello);
      this.#clients.push(client);
      this.#lanes.push(this.#runClient(number, client, kind, random));
    }
    for (const port of this.#ports) {
      const client = new VerifyClient([port], this.#random.fork(), ['READONLY']);
      this.#clients.push(client);
      this.#lanes.push(this.#readAtFollower(client));
    }
  }

  /** Some client goes away in the middle of whatever it does. */
  hangUpOne(): void {
    this.#random.pick(this.#clients).hangUp();
  }

  async #runClient(number: number, client: VerifyClient, kind: Kind, random: SeededRandom): Promise<void> {
    const thinkMs = random.between(2, 15);
    while (!this.#stopped) {
      const generation = this.#current();
      const request = this.#draw(generation, kind, random);
      const open = generation.invoke(number, request);
      const outcome = await client.request(commandOf(request), random.pick([300, 1000, 3000, 6000]));
      if (outcome.kind === 'answered') {
        this.figures.operations += 1;
        const isRead = request.kind === 'get';
        if (isRead) this.figures.reads += 1;
        if (kind.believed || isRead) generation.returned(open, plain(outcome.reply));
        else generation.weaklyAnswered(open);
        if (kind.believed && !isRead) this.#acknowledged();
      } else if (outcome.kind === 'refused') {
        this.figures.refused += 1;
        generation.failed(open);
        // Whoever comes back at once only finds the same node in the same state.
        await delay(10);
      } else {
        this.figures.unknown += 1;
        generation.unknown(open);
      }
      await delay(random.between(0, 2 * thinkMs));
    }
  }

  /** The keys in use; old ones are retired to be read for the last time. */
  #current(): Generation {
    const current = this.#generation;
    if (current.begun < generationOperations) return current;
    this.#generation = new Generation(this.#generations++);
    this.#audits = this.#audits.then(() => this.#retire(current));
    return this.#generation;
  }

  #draw(generation: Generation, { believed, reads }: Kind, random: SeededRandom): Request {
    const key = random.pick(believed ? generation.keys : generation.registers);
    if (random.chance(reads)) return { key, kind: 'get', value: '' };
    if (key.startsWith('counter')) return { key, kind: 'incr', value: '' };
    if (key.startsWith('erasable') && random.chance(0.4)) return { key, kind: 'del', value: '' };
    const padding = random.chance(0.05) ? 'x'.repeat(random.below(20_000)) : '';
    return { key, kind: 'set', value: `v${++this.#value}${padding}` };
  }

  #acknowledged(): void {
    this.figures.acknowledgedWrites += 1;
    const now = performance.now();
    const gap = this.#lastWriteMs === null ? 0 : now - this.#lastWriteMs;
    this.#lastWriteMs = now;
    if (gap <= this.figures.longestGapMs) return;
    this.figures.longestGapMs = gap;
    this.figures.longestGapAfter = this.lastFault;
  }

  /** Followers may answer with the past, but on one connection never go back, and never show what nobody wrote. */
  async #readAtFollower(client: VerifyClient): Promise<void> {
    const seen = new Map<string, { value: number; connection: number }>();
    while (!this.#stopped) {
      const generation = this.#generation;
      const key = this.#random.pick(generation.counters);
      const outcome = await client.request(['GET', key], 1000);
      if (outcome.kind === 'answered') {
        this.figures.followerReads += 1;
        const value = Number(plain(outcome.reply) ?? 0);
        const before = seen.get(key);
        if (before !== undefined && before.connection === client.connections && value < before.value)
          this.#violated(`${key} went back from ${before.value} to ${value} on a connection to a follower`);
        if (value > (generation.increments.get(key) ?? 0))
          this.#violated(`${key} is ${value} on a follower before so many increments were asked for`);
        seen.set(key, { value, connection: client.connections });
        if (seen.size > 50) seen.clear();
      }
      await delay(this.#random.between(5, 40));
    }
  }

  /** Reads each key for the last time, then checks its history. */
  async #retire(generation: Generation): Promise<void> {
    if (!this.#stopped) await delay(restMs);
    for (const key of generation.keys) {
      const value = await this.#readSurely(key, generation);
      if (value === undefined) return;
      generation.final(key, value);
    }
    const { settled, operations, violations, undecided } = generation.check();
    this.#settled.push(...settled);
    this.figures.keysChecked += operations === 0 ? 0 : settled.length;
    this.figures.keysUndecided += undecided;
    for (const what of violations) this.#violated(what);
  }

  /** Reads until there is an answer; undefined when that was given up. */
  async #readSurely(key: string, generation: Generation): Promise<string | null | undefined> {
    while (!this.#givenUp) {
      const open = generation.invoke(auditorNumber, { key, kind: 'get', value: '' });
      const outcome = await this.#auditor.request(['GET', key], 3000);
      if (outcome.kind === 'answered') {
        const value = plain(outcome.reply);
        generation.returned(open, value);
        return value === null ? null : String(value);
      }
      generation.failed(open);
      await delay(20);
    }
    return undefined;
  }

  /** Ends the load. Everything that was written is read once more, and all that is left is checked. */
  async finish(patienceMs: number): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
    const patience = setTimeout(() => {
      this.#givenUp = true;
      this.#auditor.hangUp();
    }, patienceMs);
    await this.#audits;
    await this.#retire(this.#generation);
    await this.#readAllAgain();
    clearTimeout(patience);
    if (this.#givenUp)
      this.#violated(`the last reads were not answered within ${patienceMs} ms without faults`);
    for (const client of [...this.#clients, this.#auditor]) client.hangUp();
  }

  async #readAllAgain(): Promise<void> {
    const last = new Generation(-1);
    for (const settled of this.#settled) {
      const value = await this.#readSurely(settled.key, last);
      if (value === undefined) return;
      if (!explains(settled, value))
        this.#violated(`${settled.key} was ${brief(settled.value)} and is ${brief(value)} at the end`);
    }
  }
}

function commandOf({ kind, key, value }: Request): string[] {
  return kind === 'set' ? ['SET', key, value] : [kind.toUpperCase(), key];
}

function plain(reply: Reply): Operation['result'] {
  if (reply === null || typeof reply === 'string' || typeof reply === 'number') return reply;
  throw new Error(`an unexpected reply: ${JSON.stringify(reply)}`);
}

function brief(value: string | null): string {
  return value === null ? 'absent' : `'${value.slice(0, 40)}'`;
}
