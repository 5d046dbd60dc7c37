import { Cluster } from 'ioredis';
import { createCluster } from 'redis';
import type { TestCluster } from './cluster.ts';

/** Writes unique values through one client library and remembers what was acknowledged. */
export interface Writer {
  readonly library: string;
  /** Acknowledged: key → value. */
  readonly acknowledged: Map<string, string>;
  /** Errors that the application saw. */
  readonly errors: string[];
  write(key: string, value: string): Promise<void>;
  read(keys: readonly string[]): Promise<(string | null)[]>;
  close(): Promise<void>;
}

/** Sends keys of this writer until told to stop, `width` at once; resolves when all are answered. */
export async function writeUntil(
  writer: Writer,
  name: string,
  width: number,
  stopped: () => boolean,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (!stopped()) {
      const key = `${name}:${next++}`;
      const value = `${key}=${Math.random().toString(36).slice(2)}`;
      try {
        await writer.write(key, value);
        writer.acknowledged.set(key, value);
      } catch (error) {
        writer.errors.push((error as Error).message);
        // A client that refuses at once would keep the timers of its own reconnection from running.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** Keys whose acknowledged value is not what is read now, among those acknowledged from the `first` one on. */
export async function lostWrites(writer: Writer, first = 0): Promise<string[]> {
  const keys = [...writer.acknowledged.keys()].slice(first);
  const lost: string[] = [];
  for (let i = 0; i < keys.length; i += 500) {
    const part = keys.slice(i, i + 500);
    const values = await writer.read(part);
    part.forEach((key, j) => {
      if (values[j] !== writer.acknowledged.get(key)) lost.push(`${key}: ${values[j]}`);
    });
  }
  return lost;
}

/** @param once a command is never sent again when its connection broke, so that none is executed twice */
async function ioredisClient(cluster: TestCluster, once = false): Promise<Cluster> {
  const client = new Cluster(
    [...cluster.addresses],
    once
      ? {
          retryDelayOnFailover: 0,
          redisOptions: { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 },
        }
      : {},
  );
  client.on('error', () => undefined);
  await new Promise<void>((resolve) => client.once('ready', resolve));
  return client;
}

/** @param useReplicas it keeps connections to nodes that lead nothing; its reads may be behind */
async function nodeRedisClient(cluster: TestCluster, useReplicas: boolean) {
  const client = createCluster({
    useReplicas,
    rootNodes: cluster.addresses.map(({ host, port }) => ({ url: `redis://${host}:${port}` })),
    // Otherwise it tries the address of a dead node for five seconds before it asks the others who leads.
    topologyRefreshOnReconnectionAttemptStrategy: 100,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function ioredisWriter(cluster: TestCluster): Promise<Writer> {
  const client = await ioredisClient(cluster);
  return {
    library: 'ioredis',
    acknowledged: new Map(),
    errors: [],
    write: async (key, value) => {
      await client.set(key, value);
    },
    read: (keys) => Promise.all(keys.map((key) => client.get(key))),
    close: async () => {
      client.disconnect();
    },
  };
}

/** @param useReplicas see `nodeRedisClient` */
export async function nodeRedisWriter(cluster: TestCluster, useReplicas = false): Promise<Writer> {
  const client = await nodeRedisClient(cluster, useReplicas);
  return {
    library: 'node-redis',
    acknowledged: new Map(),
    errors: [],
    write: async (key, value) => {
      await client.set(key, value);
    },
    read: (keys) => Promise.all(keys.map((key) => client.get(key))),
    close: async () => {
      client.destroy();
    },
  };
}

/** Appends unique items to lists, so that also what was done twice is found. */
export interface Appender {
  readonly library: string;
  /** Acknowledged: list → items in their order. */
  readonly acknowledged: Map<string, string[]>;
  readonly errors: string[];
  append(list: string, item: string): Promise<void>;
  close(): Promise<void>;
}

/** Appends to so many lists, one item at a time each, until told to stop. */
export async function appendUntil(appender: Appender, lists: number, stopped: () => boolean): Promise<void> {
  const fill = async (list: string): Promise<void> => {
    const items: string[] = [];
    appender.acknowledged.set(list, items);
    for (let next = 0; !stopped(); next++) {
      try {
        await appender.append(list, `${list}:${next}`);
        items.push(`${list}:${next}`);
      } catch (error) {
        appender.errors.push((error as Error).message);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  };
  await Promise.all(Array.from({ length: lists }, (_, i) => fill(`${appender.library}:${i}`)));
}

/** Lists that do not hold exactly what was acknowledged, with what is wrong with them. */
export async function wrongLists(cluster: TestCluster, appenders: readonly Appender[]): Promise<string[]> {
  const client = await ioredisClient(cluster);
  const wrong: string[] = [];
  for (const { acknowledged } of appenders)
    for (const [list, items] of acknowledged) {
      const found = await client.lrange(list, 0, -1);
      if (found.join() === items.join()) continue;
      const lost = items.filter((item) => !found.includes(item));
      const twice = found.filter((item, at) => found.indexOf(item) !== at);
      wrong.push(`${list}: lost ${lost}, twice ${twice}, ${found.length} of ${items.length}`);
    }
  client.disconnect();
  return wrong;
}

/**
 * Lists that lack what was acknowledged, hold anything twice, or hold it in another order. What was not answered may
 * stand there or not.
 */
export async function doubtfulLists(cluster: TestCluster, appenders: readonly Appender[]): Promise<string[]> {
  const client = await ioredisClient(cluster);
  const wrong: string[] = [];
  for (const { acknowledged } of appenders)
    for (const [list, items] of acknowledged) {
      const found = await client.lrange(list, 0, -1);
      const at = new Map(found.map((item, index) => [item, index]));
      const lost = items.filter((item) => !at.has(item));
      const twice = found.filter((item, index) => at.get(item) !== index);
      const places = items.map((item) => at.get(item) ?? 0);
      const turned = items.filter((_, i) => i > 0 && (places[i] as number) < (places[i - 1] as number));
      if (lost.length + twice.length + turned.length === 0) continue;
      wrong.push(
        `${list}: lost ${lost.slice(0, 9)}, twice ${twice.slice(0, 9)}, turned ${turned.slice(0, 9)}`,
      );
    }
  client.disconnect();
  return wrong;
}

/** @param once see `ioredisClient` */
export async function ioredisAppender(cluster: TestCluster, once = false): Promise<Appender> {
  const client = await ioredisClient(cluster, once);
  return {
    library: 'ioredis',
    acknowledged: new Map(),
    errors: [],
    append: async (list, item) => {
      await client.rpush(list, item);
    },
    close: async () => client.disconnect(),
  };
}

export async function nodeRedisAppender(cluster: TestCluster): Promise<Appender> {
  const client = await nodeRedisClient(cluster, true);
  return {
    library: 'node-redis',
    acknowledged: new Map(),
    errors: [],
    append: async (list, item) => {
      await client.rPush(list, item);
    },
    close: async () => client.destroy(),
  };
}
