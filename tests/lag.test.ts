import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FollowerStatus, ShardStatus } from '../src/server/status-types.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

const stages = ['received', 'flushed', 'applied'] as const;

let cluster: TestCluster;
let leader: TestNode;
let followers: TestNode[];
let writer: RawClient;

beforeEach(async () => {
  cluster = await TestCluster.start({ proxies: true });
  leader = await cluster.ready();
  followers = await cluster.followers();
  writer = await RawClient.connect(leader.port);
});
afterEach(async () => {
  await writer.close().catch(() => undefined);
  await cluster.dispose();
});

async function write(count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    expect((await writer.command('SET', `key ${i}`, 'x'.repeat(100))).value).toBe('OK');
}

function shardOf(node: TestNode): Promise<ShardStatus> {
  return until(cluster.described(`${node.id} answers`), node.shard);
}

async function leadersViewOf(node: TestNode): Promise<FollowerStatus> {
  const { followers: views } = await shardOf(leader);
  return views.find((view) => view.node === node.id) as FollowerStatus;
}

/** Asks until the value has grown by `byMs`, never falling on the way: it follows the clock. */
async function growsBy(byMs: number, value: () => Promise<number>): Promise<void> {
  const first = await value();
  let last = first;
  const startedMs = performance.now();
  while (last < first + byMs) {
    const next = await value();
    // Whole milliseconds: rounding may take one back.
    expect(next).toBeGreaterThanOrEqual(last - 1);
    last = next;
  }
  expect(performance.now() - startedMs).toBeGreaterThan(byMs / 2);
}

/** Fields that `REPL STATUS` or the first line of `REPL FOLLOWERS` has. */
async function fieldsOf(node: TestNode, what: 'STATUS' | 'FOLLOWERS'): Promise<Map<string, unknown>> {
  const client = await RawClient.connect(node.port);
  const [flat] = (await client.command('REPL', what)).value as [unknown[]];
  await client.close();
  const fields = new Map<string, unknown>();
  for (let i = 0; i < flat.length; i += 2) fields.set(String(flat[i]), flat[i + 1]);
  return fields;
}

it('an idle cluster lags by nothing, seen from either side, and stays so', async () => {
  await write(50);
  await until(cluster.described('every lag is 0'), async () => {
    const views = (await shardOf(leader)).followers;
    const own = await Promise.all(followers.map(shardOf));
    return [...views, ...own].every(({ lag }) =>
      stages.every((stage) => lag[stage].entries === 0 && lag[stage].bytes === 0 && lag[stage].ms === 0),
    );
  });
  const asked = await Promise.all([
    fieldsOf(leader, 'FOLLOWERS'),
    ...followers.map((node) => fieldsOf(node, 'STATUS')),
  ]);
  for (const fields of asked)
    for (const stage of stages)
      for (const unit of ['entries', 'bytes', 'ms'])
        expect(fields.get(`${stage}-lag-${unit}`)).toBeTypeOf('number');
  expect(asked[0]?.get('votes')).toBe(1);
  const info = await RawClient.connect((followers[0] as TestNode).port);
  expect(String((await info.command('INFO', 'replication')).value)).toMatch(
    /applied_lag_entries:0\r\napplied_lag_bytes:0\r\n/,
  );
  await info.close();
  expect(String((await writer.command('INFO', 'replication')).value)).toMatch(
    /slave0:.*,applied_lag_ms=\d+\r\n/,
  );
  const metrics = await (await fetch(`http://127.0.0.1:${leader.adminPort}/metrics`)).text();
  expect(metrics).toMatch(/^bellwether_follower_lag_bytes\{shard="1",follower="n\d",stage="received"\} 0$/m);
  expect(metrics).toMatch(/^bellwether_lag_entries\{shard="1",stage="applied"\} 0$/m);
  // Nothing was written meanwhile, so nothing may be lacking however long it lasts.
  for (let i = 0; i < 20; i++) {
    for (const node of followers) expect((await shardOf(node)).lag.applied.entries).toBe(0);
    for (const { lag } of (await shardOf(leader)).followers) expect(lag.applied.bytes).toBe(0);
  }
});

it('a follower behind a slow link lags by the delay, as both sides see it', async () => {
  const [slow, fast] = followers as [TestNode, TestNode];
  (slow.proxy as NonNullable<TestNode['proxy']>).delayMs = 300;
  let stop = false;
  const writing = (async () => {
    while (!stop) await write(1);
  })();
  await until(cluster.described('the delay shows'), async () => {
    const seen = await leadersViewOf(slow);
    const own = await shardOf(slow);
    return (
      stages.every((stage) => seen.lag[stage].ms >= 250 && own.lag[stage].ms >= 250) &&
      seen.lag.flushed.entries > 0
    );
  });
  const seen = await leadersViewOf(slow);
  for (const stage of stages) expect(seen.lag[stage].bytes).toBeGreaterThan(100 * seen.lag[stage].entries);
  expect(seen.lag.received.entries).toBeLessThanOrEqual(seen.lag.flushed.entries);
  expect(seen.lag.flushed.entries).toBeLessThanOrEqual(seen.lag.applied.entries);
  // The other one is not counted with it.
  await until(
    cluster.described('the other is near'),
    async () => (await leadersViewOf(fast)).lag.applied.ms < 100,
  );
  stop = true;
  await writing;
  (slow.proxy as NonNullable<TestNode['proxy']>).delayMs = 0;
  await until(cluster.described('it has caught up'), async () => {
    const { lag } = await shardOf(slow);
    return (
      lag.applied.entries === 0 && lag.applied.ms === 0 && (await leadersViewOf(slow)).lag.applied.ms === 0
    );
  });
});

it('a follower that stops lags more and more, also when nothing is written', async () => {
  const [stopped] = followers as [TestNode];
  await write(5);
  await until(
    cluster.described('it has everything'),
    async () => (await leadersViewOf(stopped)).lag.applied.ms === 0,
  );
  stopped.signal('SIGSTOP');
  await until(
    cluster.described('silence shows'),
    async () => (await leadersViewOf(stopped)).lag.applied.ms > 0,
  );
  expect((await leadersViewOf(stopped)).lag.applied.entries).toBe(0);
  await growsBy(500, async () => (await leadersViewOf(stopped)).lag.applied.ms);
  await write(20);
  const { lag } = await leadersViewOf(stopped);
  expect(lag.received.entries).toBeGreaterThanOrEqual(20);
  expect(lag.received.bytes).toBeGreaterThan(20 * 100);
  stopped.signal('SIGCONT');
  await until(
    cluster.described('it has caught up'),
    async () => (await leadersViewOf(stopped)).lag.applied.ms === 0,
  );
});

it('followers that hear no leader any more know less and less, also when nothing is written', async () => {
  await write(5);
  const [left, other] = followers as [TestNode, TestNode];
  await until(cluster.described('it is fresh'), async () => (await shardOf(left)).lag.applied.ms === 0);
  leader.signal('SIGSTOP');
  other.signal('SIGSTOP');
  await until(cluster.described('silence shows'), async () => (await shardOf(left)).lag.received.ms > 0);
  for (const stage of stages) await growsBy(300, async () => (await shardOf(left)).lag[stage].ms);
  await growsBy(300, async () => (await shardOf(left)).provenAgeMs);
  leader.signal('SIGCONT');
  other.signal('SIGCONT');
  await until(cluster.described('somebody leads again, and nobody lags'), async () => {
    const shards = await Promise.all(cluster.nodes.map(shardOf));
    return shards.some(({ serving }) => serving) && shards.every(({ lag }) => lag.applied.ms === 0);
  });
});

it('a follower that is cut off knows that it does not know', async () => {
  const [cut] = followers as [TestNode];
  await write(5);
  await until(cluster.described('it is fresh'), async () => (await shardOf(cut)).lag.applied.ms === 0);
  (cut.proxy as NonNullable<TestNode['proxy']>).state = 'cut';
  await until(cluster.described('silence shows'), async () => (await shardOf(cut)).lag.applied.ms > 0);
  expect((await shardOf(cut)).lag.applied.entries).toBe(0);
  await growsBy(500, async () => (await shardOf(cut)).lag.applied.ms);
  (cut.proxy as NonNullable<TestNode['proxy']>).state = 'open';
  await until(cluster.described('it has caught up'), async () => (await shardOf(cut)).lag.applied.ms === 0);
});
