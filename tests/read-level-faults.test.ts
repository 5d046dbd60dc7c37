import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { LevelWatch, type WatchedLevel, watchedLevels } from './support/level-watch.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

/** How many more reads must be answered, or refused, before it is believed that they are. */
const enough = 5;

let cluster: TestCluster;
let leader: TestNode;
let follower: TestNode;
let watch: LevelWatch;

// The rows of the table in docs/guarantees.md that processes can show: every level is read on every node all the time.
beforeEach(async () => {
  cluster = await TestCluster.start({
    proxies: true,
    flags: ['--read-wait', '50ms', '--park-timeout', '200ms'],
  });
  leader = await cluster.ready();
  [follower] = (await cluster.followers()) as [TestNode];
  watch = new LevelWatch(cluster);
  watch.start();
  await serves(follower, 'strict', 'bounded 1000', 'token', 'eventual');
  await serves(leader, ...watchedLevels);
});
afterEach(async () => {
  await watch.stop();
  await cluster.dispose();
});

function more(
  what: string,
  count: (level: WatchedLevel) => number,
  levels: readonly WatchedLevel[],
): Promise<unknown> {
  const targets = levels.map((level) => count(level) + enough);
  return until(cluster.described(`${what} ${levels.join(', ')}`), () =>
    levels.every((level, i) => count(level) >= (targets[i] as number)),
  );
}

/** Waits until the node has answered more reads of each level. */
function serves(node: TestNode, ...levels: WatchedLevel[]): Promise<unknown> {
  return more(`${node.id} answers`, (level) => watch.served(node, level), levels);
}

/** Waits until it has sent more of each away, and sees that it answers none of them meanwhile. */
async function refuses(node: TestNode, ...levels: WatchedLevel[]): Promise<void> {
  await more(`${node.id} refuses`, (level) => watch.refused(node, level), levels);
  const before = levels.map((level) => watch.served(node, level));
  await more(`${node.id} refuses`, (level) => watch.refused(node, level), levels);
  expect(levels.map((level) => watch.served(node, level))).toEqual(before);
}

async function nextLeader(): Promise<TestNode> {
  return until(cluster.described('another node leads'), async () => {
    for (const node of cluster.nodes) if (node !== leader && (await node.shard())?.serving) return node;
    return null;
  });
}

it('no fault: each level keeps its promise on every node, and only the leader answers linearizable reads', async () => {
  await refuses(follower, 'linearizable');
  expect(watch.violations).toEqual([]);
});

it('the leader is killed: each level keeps its promise while another one is elected, and after', async () => {
  await leader.kill();
  const next = await nextLeader();
  await serves(next, ...watchedLevels);
  const [other] = cluster.nodes.filter((node) => node !== leader && node !== next) as [TestNode];
  await serves(other, 'strict', 'bounded 1000', 'token', 'eventual');
  expect(watch.violations).toEqual([]);
});

it('the leader sleeps and wakes: what lay in its sockets is answered as each level promises, or not at all', async () => {
  leader.signal('SIGSTOP');
  const next = await nextLeader();
  const before = watch.acknowledged;
  await until(cluster.described('writes go on'), () => watch.acknowledged > before + enough);
  leader.signal('SIGCONT');
  await serves(next, ...watchedLevels);
  await serves(leader, 'strict', 'bounded 1000', 'token', 'eventual');
  expect(watch.violations).toEqual([]);
});

it('a slow link: what the level allows is served behind it, and nothing else', async () => {
  (follower.proxy as NonNullable<TestNode['proxy']>).delayMs = 300;
  await refuses(follower, 'linearizable', 'strict');
  // Its own write, unless nothing was written for as long as the delay.
  await more(`${follower.id} refuses`, (level) => watch.refused(follower, level), ['token']);
  await serves(follower, 'bounded 1000', 'eventual');
  // Who may wait longer gets what needs a round trip.
  const client = await RawClient.connect(follower.port);
  expect((await client.command('CONFIG', 'SET', 'read-wait', '5000')).value).toBe('OK');
  await client.close();
  await serves(follower, 'strict', 'token');
  await serves(leader, ...watchedLevels);
  expect(watch.violations).toEqual([]);
});

it('a follower that is cut off serves eventual reads only, once its bounds are over', async () => {
  (follower.proxy as NonNullable<TestNode['proxy']>).state = 'cut';
  await refuses(follower, 'linearizable', 'strict', 'bounded 1000', 'token');
  await serves(follower, 'eventual');
  await serves(leader, ...watchedLevels);
  expect(watch.violations).toEqual([]);
});
