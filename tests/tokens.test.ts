import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ReplyError } from '../src/resp/reply-parser.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

/** Tokens of two terms, in the order in which they were given out. */
const tokens: string[] = [];
/** What a leader that nobody followed any more would have given out in the second term. */
let lost: string;
let cluster: TestCluster;

// Two terms, and then so much that no log holds anything of either.
beforeAll(async () => {
  const flags = ['--segment-bytes', '4mb', '--retention-bytes', '4mb', '--checkpoint-bytes', '2mb'];
  cluster = await TestCluster.start({ flags });
  for (const round of [1, 2]) {
    const leader = await cluster.ready();
    const client = await RawClient.connect(leader.port);
    await client.command('SET', `term ${round}`, 'here');
    tokens.push(String((await client.command('REPL', 'TOKEN')).value));
    await client.close();
    const [next] = (await cluster.followers()) as [TestNode];
    const asking = await RawClient.connect(next.port);
    await asking.command('CLUSTER', 'FAILOVER');
    await until(cluster.described('another node leads'), async () => (await next.shard())?.serving ?? false);
    await asking.close();
  }
  const [first, second] = tokens.map((token) => token.split(':')) as [string[], string[]];
  expect(first[1]).not.toBe(second[1]);
  lost = `${first[0]}:${first[1]}:${second[2]}`;
  const gone = async (node: TestNode) => ((await node.shard())?.firstLsn ?? 0) > Number(second[2]);
  let client = await RawClient.connect((await cluster.ready()).port);
  for (let i = 0; !(await Promise.all(cluster.nodes.map(gone))).every((is) => is); i++) {
    const written = client.command('SET', `bulk ${i % 100}`, 'v'.repeat(256 << 10)).catch(() => null);
    // On a machine that stands still for a moment another one leads: it takes the rest.
    if ((await written)?.value !== 'OK') {
      await client.close();
      client = await RawClient.connect((await cluster.ready()).port);
    }
    if (i > 1000) throw new Error(await cluster.described('the log was not dropped')());
  }
  await client.close();
});
afterAll(async () => {
  await cluster.dispose();
});

async function expectToKnow(node: TestNode): Promise<void> {
  const client = await RawClient.connect(node.port);
  await client.command('REPL', 'READ', 'eventual');
  for (const [i, token] of tokens.entries()) {
    expect((await client.command('REPL', 'AFTER', token, 'TIMEOUT', '5000')).value).toBe('OK');
    expect((await client.command('GET', `term ${i + 1}`)).value).toBe('here');
  }
  await client.command('REPL', 'AFTER', lost);
  const { value } = await client.command('GET', 'term 1');
  expect(value).toBeInstanceOf(ReplyError);
  expect((value as ReplyError).message).toMatch(/^LOSTWRITE LSN \d+ of term \d+ was lost/);
  expect((await client.command('GET', 'term 1')).value).toBe('here');
  await client.close();
}

it('tokens of terms that no log holds any more are known on every node', async () => {
  for (const node of cluster.nodes) await expectToKnow(node);
});

it('they are after a restart of every node, and so after an election', async () => {
  for (const node of cluster.nodes) await node.kill();
  for (const node of cluster.nodes) node.start();
  await cluster.ready();
  for (const node of cluster.nodes) await expectToKnow(node);
});

it('they are on a node that got its state by snapshot', async () => {
  const [wiped] = (await cluster.followers()) as [TestNode];
  await wiped.kill();
  fs.rmSync(wiped.dir, { recursive: true, force: true });
  wiped.start();
  await until(cluster.described('it has its state'), () => wiped.said.includes('snapshot installed'));
  await cluster.ready();
  await expectToKnow(wiped);
});

it('a checkpoint of another format is refused by name', async () => {
  const [node] = (await cluster.followers()) as [TestNode];
  await until(cluster.described('it has a checkpoint'), async () => (await node.shard())?.checkpoint != null);
  await node.kill();
  const directory = path.join(node.dir, 'checkpoints');
  const files = fs.readdirSync(directory).filter((name) => name.endsWith('.checkpoint'));
  expect(files.length).toBeGreaterThan(0);
  for (const name of files) {
    const file = fs.openSync(path.join(directory, name), 'r+');
    fs.writeSync(file, '01', 6);
    fs.closeSync(file);
  }
  node.start();
  await node.exit();
  expect(node.output).toMatch(
    /BW_DATA_VERSION: checkpoints\/shard-1-\d+-\d+\.checkpoint has checkpoint format 01/,
  );
});
