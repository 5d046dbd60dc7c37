import { afterAll, beforeAll, expect, it } from 'vitest';
import { clusterLines } from '../src/cli/cluster-view.ts';
import type { LinkProxy } from '../src/cli/verify/link-proxy.ts';
import type { FollowerStatus, NodeStatus } from '../src/server/status-types.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

const megabyte = 1 << 20;
const valueBytes = 64 << 10;

let cluster: TestCluster;
let leader: TestNode;
let away: TestNode;
let proxy: LinkProxy;
let writer: RawClient;
let written = 0;

beforeAll(async () => {
  const flags = ['--segment-bytes', '4mb', '--retention-bytes', '8mb', '--checkpoint-bytes', '4mb'];
  cluster = await TestCluster.start({ flags: [...flags, '--log-cache-bytes', '1mb'], proxies: true });
  leader = await cluster.ready();
  [away] = (await cluster.followers()) as [TestNode];
  proxy = away.proxy as LinkProxy;
  writer = await RawClient.connect(leader.port);
  expect((await writer.command('SET', 'kept', 'as it was')).value).toBe('OK');
  await until(
    cluster.described('it has everything'),
    async () => (await viewOf()).applied === (await viewOf()).received,
  );
});
afterAll(async () => {
  await writer.close();
  await cluster.dispose();
});

function statusOf(node: TestNode): Promise<NodeStatus> {
  return until(cluster.described(`${node.id} answers`), () => node.status());
}

async function viewOf(): Promise<FollowerStatus> {
  const shard = (await statusOf(leader)).shards[0];
  return shard?.followers.find(({ node }) => node === away.id) as FollowerStatus;
}

/** Writes 3 MB/s or so until told to stop. */
async function writeUntil(stop: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await stop())) {
    const reply = await writer.command('SET', `bulk ${written++ % 400}`, 'v'.repeat(valueBytes));
    expect(reply.value).toBe('OK');
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (written > 100 * 16) throw new Error(await cluster.described('100 MiB did not do it')());
  }
}

/** Lines that the leader wrote about followers and its log. */
function warnings(): {
  readonly msg: string;
  readonly bytesLeft?: number;
  readonly msLeft?: number | null;
}[] {
  return leader.said
    .split('\n')
    .filter((line) => line.includes('a follower') && line.includes('"follower"'))
    .map((line) => JSON.parse(line) as { msg: string });
}

it('a follower that falls behind is warned of before the log that it needs is dropped', async () => {
  proxy.state = 'cut';
  await writeUntil(() => warnings().length > 0);
  const [warning] = warnings();
  expect(warning?.msg).toBe(
    'a follower is falling off the log: more than half of what is kept for it is used',
  );
  expect(warning?.bytesLeft).toBeGreaterThan(0);
  expect(warning?.bytesLeft).toBeLessThanOrEqual(4 * megabyte);
  expect(warning?.msLeft).toBeGreaterThan(0);
  const status = await statusOf(leader);
  const view = status.shards[0]?.followers.find(({ node }) => node === away.id) as FollowerStatus;
  expect(status.shards[0]?.firstLsn).toBeLessThanOrEqual(view.flushed + 1);
  expect(view.fallOffBytes).toBeGreaterThan(0);
  expect(view.fallOffMs).toBeGreaterThan(0);
  expect(clusterLines([{ name: leader.id, status }]).join('\n')).toMatch(/falls off the log in \d+ m?s/);
  const metrics = await (await fetch(`http://127.0.0.1:${leader.adminPort}/metrics`)).text();
  expect(metrics).toMatch(
    new RegExp(`^bellwether_follower_fall_off_bytes{shard="1",follower="${away.id}"} \\d+$`, 'm'),
  );
  const rows = String((await writer.command('REPL', 'FOLLOWERS')).wire);
  expect(rows).toContain('fall-off-bytes');
});

it('when it is dropped, that is said too', async () => {
  await writeUntil(async () => warnings().length > 1 && (await viewOf()).fallOffBytes === 0);
  expect(warnings().map(({ msg }) => msg)).toEqual([
    'a follower is falling off the log: more than half of what is kept for it is used',
    'the log no longer gives what a follower needs: it needs a snapshot',
  ]);
});

it('while it gets a snapshot, it goes on serving what its bounds allow, and then follows again', async () => {
  await writeUntil(() => written >= 400);
  // Each piece of the snapshot takes a fifth of a second.
  proxy.delayMs = 100;
  proxy.state = 'open';
  await until(cluster.described('the snapshot is on its way'), () =>
    away.said.includes('fetching a snapshot'),
  );
  const reader = await RawClient.connect(away.port);
  const readAt = async (...level: string[]) => {
    await reader.command('REPL', 'READ', ...level);
    return (await reader.command('GET', 'kept')).wire;
  };
  expect(await readAt('eventual')).toContain('as it was');
  expect(await readAt('bounded', '3600000')).toContain('as it was');
  expect(await readAt('bounded', '100')).toMatch(/^-ASK \d+ 127\.0\.0\.1:/);
  expect(await readAt('strict')).toMatch(/^-ASK \d+ 127\.0\.0\.1:/);
  expect(await readAt('linearizable')).toMatch(/^-MOVED \d+ 127\.0\.0\.1:/);
  const token = String((await writer.command('REPL', 'TOKEN')).value);
  expect((await reader.command('REPL', 'AFTER', token)).value).toBe('OK');
  expect(await readAt('eventual')).toMatch(/^-ASK \d+ 127\.0\.0\.1:/);
  // It was on its way all the time.
  expect(away.said).not.toContain('snapshot installed');
  await reader.close();
  proxy.delayMs = 0;
  await until(cluster.described('it follows again'), async () => {
    const view = await viewOf();
    return view.inSync && view.fallOffBytes === -1 && view.lag.applied.ms === 0;
  });
  expect(away.said).toContain('snapshot installed');
  await until('the leader says so', () =>
    warnings().some(({ msg }) => msg === 'a follower is near the end of the log again'),
  );
});
