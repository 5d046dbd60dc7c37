import type { Agreement, Heard, Step } from '../redis-script.ts';
import { agrees, Side } from '../redis-script.ts';
import { stepOf } from './command-source.ts';

/** So many commands of one connection are on their way at most. */
const batchLimit = 64;

/** Where two servers said different things. */
export interface Disagreement {
  /** Index of the step. */
  readonly at: number;
  readonly redis: Heard;
  readonly bellwether: Heard;
}

/**
 * Runs steps on two servers, each with an empty keyspace and new connections: the first step where they disagree, or
 * null. What one connection sends in a row leaves together; who comes before whom is kept between connections.
 */
export async function compareRun(
  ports: readonly [redis: number, bellwether: number],
  steps: readonly Step[],
): Promise<Disagreement | null> {
  const [redis, bellwether] = ports.map((port) => new Side(port)) as [Side, Side];
  const both = (batch: readonly Step[]): Promise<[Heard[], Heard[]]> =>
    Promise.all([redis.performAll(batch), bellwether.performAll(batch)]);
  const queues = new Queues();
  try {
    await both([stepOf('z', ['FLUSHALL'])]);
    for (let from = 0, to = 0; from < steps.length; from = to) {
      const { connection } = steps[from] as Step;
      while (to < steps.length && to - from < batchLimit && steps[to]?.connection === connection) to += 1;
      const [theirs, ours] = await both(steps.slice(from, to));
      for (let at = from; at < to; at++) {
        const [one, other] = [theirs[at - from] as Heard, ours[at - from] as Heard];
        if (!queues.agree(steps[at] as Step, one, other)) return { at, redis: one, bellwether: other };
      }
    }
    return null;
  } finally {
    await Promise.all([redis.close(), bellwether.close()]);
  }
}

/** How the replies of commands that a connection queued must agree when EXEC brings them. */
class Queues {
  readonly #queued = new Map<string, Agreement[]>();

  agree(step: Step, redis: Heard, bellwether: Heard): boolean {
    if (/^\w> multi$/i.test(step.text) && redis.wire === '+OK\r\n') this.#queued.delete(step.connection);
    const agreed = this.#agree(step, redis, bellwether);
    if (redis.wire === '+QUEUED\r\n') {
      const queue = this.#queued.get(step.connection) ?? [];
      this.#queued.set(step.connection, queue);
      queue.push(step.agreement);
    }
    return agreed;
  }

  #agree(step: Step, redis: Heard, bellwether: Heard): boolean {
    if (redis.wire.startsWith('-')) return redis.wire === bellwether.wire;
    if (agrees(step.agreement, redis, bellwether)) return true;
    const queue = this.#queued.get(step.connection) ?? [];
    if (!Array.isArray(redis.value) || !Array.isArray(bellwether.value) || queue.length === 0) return false;
    const others = bellwether.value;
    return (
      /^\w> exec\b/i.test(step.text) &&
      redis.value.length === others.length &&
      redis.value.every((value, i) =>
        agrees(
          queue[i] ?? 'exact',
          { wire: JSON.stringify(value), value },
          { wire: JSON.stringify(others[i]), value: others[i] ?? null },
        ),
      )
    );
  }
}
