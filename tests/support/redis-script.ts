import { splitWords } from '../../src/resp/parser.ts';
import type { Reply } from '../../src/resp/reply-parser.ts';
import { encodeRequest, ReplyError } from '../../src/resp/reply-parser.ts';
import { RawClient } from './raw-client.ts';

/** Two times that were asked for one after the other differ by no more than this. */
const toleranceMs = 2000;
/** Times below this are seconds, in what is tested here, and differ by a few at most. */
const leastMs = 1000;
const toleranceSeconds = 3;
/** What `until` waits for must come about within this time, in ms. */
const conditionMs = 10_000;

/**
 * How two replies must agree:
 * - `exact`: byte for byte.
 * - `unordered`: an array of the same elements in any order.
 * - `pairs`: an array in which the same pairs follow each other in any order.
 * - `scan`: a cursor and the same elements in any order.
 * - `about`: times that differ by the moment when they were asked for.
 * - `kind`: replies of the same type, arrays element by element; for what each server knows of itself.
 * - `silent`: none comes. The reply of the next command shows it.
 * - `closed`: the same reply, if any, and then the end of the connection.
 */
export type Agreement = 'exact' | 'unordered' | 'pairs' | 'scan' | 'about' | 'kind' | 'silent' | 'closed';

export interface Step {
  /** Which of the scenario's connections sends it. */
  readonly connection: string;
  /** What is sent, one character per byte. */
  readonly bytes: string;
  /** The same, for people. */
  readonly text: string;
  readonly agreement: Agreement;
  /** The command is repeated until this is its reply, or found in it. */
  readonly until: string | RegExp | null;
  /** Set for a deliberate difference: what Bellwether answers instead, and why. */
  readonly difference: Difference | null;
}

export interface Difference {
  /** Begins Bellwether's reply, bytes as they are. */
  readonly answer: string;
  readonly because: string;
  /** The first Redis, as [major, minor], that answers like Bellwether; null when none does. */
  readonly until: readonly [number, number] | null;
}

const marks: Readonly<Record<string, Agreement>> = {
  '*': 'unordered',
  '~': 'about',
  '?': 'kind',
  _: 'silent',
  '!': 'closed',
};

/**
 * A command as a line: `GET k`, with quotes as redis-cli knows them. In front may stand the connection (`b>`, else `a`)
 * and a mark for how replies must agree: `*` unordered, `~` about, `?` kind, `_` silent, `!` closed.
 */
export function parseLine(line: string): Step {
  const [, connection = 'a', mark, command] = /^(?:(\w)>\s*)?([*~?_!](?=\s))?\s*(.*)$/.exec(
    line.trim(),
  ) as unknown as [string, string | undefined, string | undefined, string];
  const args = splitWords(command);
  if (args === null || args.length === 0 || /^\w>$/.test(args[0] as string))
    throw new Error(`no command: ${line}`);
  return {
    connection,
    bytes: encodeRequest(args).latin1Slice(),
    text: line.trim(),
    agreement: mark === undefined ? 'exact' : (marks[mark] as Agreement),
    until: null,
    difference: null,
  };
}

/** Bytes that are sent as they are. */
export function raw(bytes: string, agreement: Agreement = 'exact'): Step {
  const text = JSON.stringify(bytes.slice(0, 80));
  return { connection: 'a', bytes, text, agreement, until: null, difference: null };
}

/** What a connection hears next, without sending anything. */
export function hears(connection: string): Step {
  return { ...raw(''), connection, text: `${connection}> (next reply)` };
}

/** A command that is repeated until its reply is this, bytes as they are. */
export function until(line: string, reply: string): Step {
  return { ...parseLine(line), until: reply };
}

/** Goes on when so many clients wait in a command that blocks. */
export function blocked(clients: number): Step {
  return { ...parseLine('z> ? INFO clients'), until: new RegExp(`^blocked_clients:${clients}\\r$`, 'm') };
}

/** A command that Bellwether answers otherwise on purpose. `answer` begins its reply. */
export function differs(line: string | Step, answer: string, because: string): Step {
  const step = typeof line === 'string' ? parseLine(line) : line;
  return { ...step, difference: { answer, because, until: null } };
}

/** Why a stored result may be refused. */
export const oneEntry =
  'a write, or a transaction, is one entry of the log: where a result would not fit, it is refused and nothing changes';

/** A command that Redis answers like this only from 7.2 on, which Bellwether follows. */
export function since72(line: string, answer: string, because: string): Step {
  return { ...parseLine(line), difference: { answer, because, until: [7, 2] } };
}

export interface Scenario {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Steps of one test, which begin with an empty keyspace: a text holds one command per line; empty lines and lines that begin with # do not count. */
export function scenario(title: string, ...parts: readonly (string | Step)[]): Scenario {
  const steps = parts.flatMap((part) =>
    typeof part === 'string'
      ? part
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== '' && !line.startsWith('#'))
          .map(parseLine)
      : [part],
  );
  return { title, steps: [parseLine('z> FLUSHALL'), ...steps] };
}

/** Who answers to the steps of a scenario. */
export interface Answers {
  perform(step: Step): Promise<Heard>;
  close(): Promise<void>;
}

/** A running server that answers. */
export class Side implements Answers {
  readonly #port: number;
  readonly #protocol: 2 | 3;
  readonly #connections = new Map<string, RawClient>();

  /** @param protocol what connections begin with */
  constructor(port: number, protocol: 2 | 3 = 2) {
    this.#port = port;
    this.#protocol = protocol;
  }

  async #client(connection: string): Promise<RawClient> {
    const open = this.#connections.get(connection);
    if (open !== undefined) return open;
    const client = await RawClient.connect(this.#port);
    this.#connections.set(connection, client);
    if (this.#protocol === 3) await client.command('HELLO', 3);
    return client;
  }

  /** Sends steps of one connection together, each of which is answered by one reply. */
  async performAll(steps: readonly Step[]): Promise<Heard[]> {
    const client = await this.#client((steps[0] as Step).connection);
    client.send(steps.map(({ bytes }) => bytes).join(''));
    const heard: Heard[] = [];
    for (const _ of steps) heard.push(await hear(client));
    return heard;
  }

  async perform(step: Step): Promise<Heard> {
    const client = await this.#client(step.connection);
    if (step.until !== null) await this.#await(client, step, step.until);
    client.send(step.bytes);
    if (step.agreement === 'silent') return { wire: '', value: null };
    if (step.agreement !== 'closed') return hear(client);
    let wire = '';
    let value: Reply = null;
    for (;;) {
      const heard = await hear(client);
      if (heard.lost === 'the server closed the connection') return { wire, value };
      if (heard.lost !== undefined) return { wire: `${wire}(${heard.lost})`, value };
      wire += heard.wire;
      value = heard.value;
    }
  }

  async #await(client: RawClient, { bytes, text }: Step, reply: string | RegExp): Promise<void> {
    const deadline = Date.now() + conditionMs;
    for (;;) {
      client.send(bytes);
      const { wire } = await hear(client);
      if (typeof reply === 'string' ? wire === reply : reply.test(wire)) return;
      if (Date.now() > deadline) throw new Error(`${text} did not become ${show(String(reply))}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async close(): Promise<void> {
    for (const client of this.#connections.values()) await client.close();
  }
}

/** What came back for a step. */
export interface Heard {
  readonly wire: string;
  readonly value: Reply;
  /** Why there was no reply. */
  readonly lost?: string;
  /** What came is not known. */
  readonly unknown?: true;
}

async function hear(client: RawClient): Promise<Heard> {
  try {
    return await client.next();
  } catch (error) {
    const lost = (error as Error).message;
    return { wire: `(${lost})`, value: null, lost };
  }
}

/** What came of a scenario. */
export interface Outcome {
  /** What does not agree: a text per step. */
  readonly complaints: readonly string[];
  /** What Redis answered, bytes as they came, one per step. */
  readonly wires: readonly string[];
}

/**
 * Runs a scenario on both sides, each of which begins with an empty keyspace.
 * @param version of Redis, as [major, minor, patch]
 */
export async function compare(
  steps: readonly Step[],
  redisSide: Answers,
  bellwetherSide: Answers,
  version: readonly number[],
): Promise<Outcome> {
  const complaints: string[] = [];
  const wires: string[] = [];
  try {
    for (const [i, step] of steps.entries()) {
      const [redis, bellwether] = await Promise.all([redisSide.perform(step), bellwetherSide.perform(step)]);
      wires.push(redis.wire);
      const complaint = judge(step, redis, bellwether, version);
      if (complaint !== null) {
        const shown = [show(redis.wire), show(bellwether.wire)];
        complaints.push(
          `${i}: ${step.text}\n    ${complaint}\n    Redis:      ${shown[0]}\n    Bellwether: ${shown[1]}`,
        );
      }
    }
  } finally {
    await Promise.all([redisSide.close(), bellwetherSide.close()]);
  }
  return { complaints, wires };
}

export function show(wire: string): string {
  return JSON.stringify(wire.length > 600 ? `${wire.slice(0, 600)}…` : wire);
}

function judge(step: Step, redis: Heard, bellwether: Heard, version: readonly number[]): string | null {
  const lost = step.agreement === 'closed' ? undefined : (redis.lost ?? bellwether.lost);
  if (lost !== undefined) return lost;
  if (redis.unknown === true) return null;
  const agreed = agrees(step.agreement, redis, bellwether);
  const { difference } = step;
  if (difference === null || (difference.until !== null && !isBefore(version, difference.until)))
    return agreed ? null : `must be ${step.agreement === 'exact' ? 'the same' : step.agreement}`;
  if (agreed) return `no longer differs, although it should: ${difference.because}`;
  return bellwether.wire.startsWith(difference.answer)
    ? null
    : `must begin with ${show(difference.answer)}: ${difference.because}`;
}

function isBefore(version: readonly number[], [major, minor]: readonly [number, number]): boolean {
  return (version[0] as number) < major || (version[0] === major && (version[1] as number) < minor);
}

/** `wire` may be left out where a reply is part of another. */
export function agrees(agreement: Agreement, redis: Heard, bellwether: Heard): boolean {
  if (redis.wire === bellwether.wire) return true;
  if (agreement === 'about')
    return (
      typeof redis.value === 'number' &&
      typeof bellwether.value === 'number' &&
      Math.sign(redis.value) === Math.sign(bellwether.value) &&
      Math.abs(redis.value - bellwether.value) <=
        (Math.abs(redis.value) < leastMs ? toleranceSeconds : toleranceMs)
    );
  if (agreement === 'unordered') return inOrder(redis.value) === inOrder(bellwether.value);
  if (agreement === 'pairs') return inOrder(inPairs(redis.value)) === inOrder(inPairs(bellwether.value));
  if (agreement === 'scan') return scanned(redis.value) === scanned(bellwether.value);
  return (
    agreement === 'kind' && redis.wire[0] === bellwether.wire[0] && sameKind(redis.value, bellwether.value)
  );
}

function inOrder(value: Reply): string {
  return JSON.stringify(Array.isArray(value) ? value.map((item) => JSON.stringify(item)).sort() : value);
}

/** Pairs that follow each other in one array, each as an array of its own. */
function inPairs(value: Reply): Reply {
  if (!Array.isArray(value)) return value;
  return value.flatMap((item, i) => (i % 2 === 0 ? [[item, value[i + 1] ?? null]] : []));
}

function scanned(value: Reply): string {
  return JSON.stringify(Array.isArray(value) ? [value[0], inOrder(value[1] ?? null)] : value);
}

function sameKind(one: Reply, other: Reply): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, i) => sameKind(item, other[i] as Reply));
  if (one instanceof ReplyError) return other instanceof ReplyError;
  return typeof one === typeof other && (one === null) === (other === null);
}
