import { afterEach, beforeEach, expect, it } from 'vitest';
import { ReplyError } from '../src/resp/reply-parser.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { rounds, until } from './support/wait.ts';

/** Connections whose reads lie in the sockets of the leader while it sleeps. */
const sleepers = 50;

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await TestCluster.start();
});
afterEach(async () => {
  await cluster.dispose();
});

/** The node that leads among those that answer, other than `except`. */
function leaderBeside(except: TestNode): Promise<TestNode> {
  return until(cluster.described('another node leads'), async () => {
    for (const node of cluster.nodes) {
      if (node === except) continue;
      const shard = await node.shard();
      if (shard?.role === 'leader' && shard.serving) return node;
    }
    return null;
  });
}

async function once(node: TestNode, ...command: string[]): Promise<unknown> {
  const client = await RawClient.connect(node.port);
  const { value } = await client.command(...command);
  await client.close();
  return value;
}

it('pitfall 43: a leader that slept answers no read with what was overwritten before the read was sent', async () => {
  for (let round = 0; round < rounds(2); round++) {
    const leader = await cluster.ready();
    expect(await once(leader, 'SET', 'slept', `old ${round}`)).toBe('OK');
    const clients = await Promise.all(Array.from({ length: sleepers }, () => RawClient.connect(leader.port)));
    leader.signal('SIGSTOP');
    const next = await leaderBeside(leader);
    expect(await once(next, 'SET', 'slept', `new ${round}`)).toBe('OK');
    const answers = clients.map((client) =>
      client.command('GET', 'slept').then(
        ({ value }) => value,
        () => null,
      ),
    );
    leader.signal('SIGCONT');
    for (const answer of await Promise.all(answers)) {
      if (answer === null || answer instanceof ReplyError) continue;
      expect(answer).toBe(`new ${round}`);
    }
    await Promise.all(clients.map((client) => client.close()));
  }
});

it('a token lets reads on any follower see the write that it came with, whoever led then', async () => {
  for (let round = 0; round < rounds(3); round++) {
    const leader = await cluster.ready();
    const writer = await RawClient.connect(leader.port);
    expect((await writer.command('SET', 'mine', round)).value).toBe('OK');
    const token = String((await writer.command('REPL', 'TOKEN')).value);
    await leader.kill();
    await writer.close();
    for (const node of cluster.nodes) {
      if (node === leader) continue;
      const reader = await RawClient.connect(node.port);
      await reader.command('REPL', 'READ', 'eventual');
      expect((await reader.command('REPL', 'AFTER', token, 'TIMEOUT', '10000')).value).toBe('OK');
      expect((await reader.command('GET', 'mine')).value).toBe(String(round));
      await reader.close();
    }
    leader.start();
  }
});
