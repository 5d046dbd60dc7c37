import { afterEach, expect, it } from 'vitest';
import { freePorts, TestCluster, TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

let running: TestCluster;
const others: TestNode[] = [];
afterEach(async () => {
  await Promise.all(others.splice(0).map((node) => node.kill()));
  await running.dispose();
});

interface Shown {
  readonly nodes: Readonly<Record<string, { peer: string; client: string; zone: string }>>;
  readonly shards: Readonly<Record<string, { members: readonly string[] }>>;
}

/** What a node knows to be decided. */
async function metadata(node: TestNode): Promise<Shown> {
  const client = await RawClient.connect(node.port);
  const { value } = await client.command('REPL', 'METADATA');
  await client.close();
  return JSON.parse(String(value)) as Shown;
}

it('nodes say their zones, in which replicas are apart from the beginning, and where they went', async () => {
  running = await TestCluster.prepare({ nodes: 4, flags: ['--shards', '2', '--replicas', '3'] });
  const [n1, n2, n3, n4] = running.nodes as [TestNode, TestNode, TestNode, TestNode];
  const zones = ['a', 'a', 'b', 'c'];
  for (const [i, node] of running.nodes.entries()) node.start({ BELLWETHER_ZONE: zones[i] as string });
  await running.leader();
  await until(running.described('replicas are in three zones'), async () => {
    const shards = (await Promise.all(running.nodes.map((node) => node.status()))).flatMap(
      (status) => status?.shards.filter(({ serving }) => serving) ?? [],
    );
    return (
      shards.length === 2 &&
      shards.every(({ voters }) => voters.length === 3 && voters.includes('n3') && voters.includes('n4'))
    );
  });
  const before = await metadata(n1);
  expect(Object.values(before.nodes).map(({ zone }) => zone)).toEqual(zones);
  expect((await n3.status())?.zone).toBe('b');

  // A joined node and one of the beginning come back elsewhere, at the same time; nobody else is told.
  const n5 = await running.newcomer();
  n5.start();
  await until(
    running.described('n5 has joined'),
    async () => (await n5.status())?.metadata.nodes.includes('n5') === true,
  );
  const moved: TestNode[] = [];
  for (const node of [n4, n5]) {
    await node.kill();
    const ports = (await freePorts(3)) as [number, number, number];
    const own = `--peers=${running.nodes
      .slice(0, 4)
      .map(({ id, peerPort }) => `${id}=127.0.0.1:${id === node.id ? ports[1] : peerPort}`)
      .join(',')}`;
    moved.push(new TestNode(node.id, node.dir, ports, () => (node === n5 ? [] : [own]), {}));
  }
  others.push(...moved);
  for (const node of moved) node.start({ BELLWETHER_ZONE: 'd' });
  for (const asked of [n1, n2, ...moved])
    await until(running.described(`${asked.id} knows where they are`), async () => {
      const { nodes } = await metadata(asked).catch(() => ({ nodes: {} as Shown['nodes'] }));
      return moved.every(({ id, port, peerPort }) => {
        const { peer, client, zone } = nodes[id] ?? {};
        return peer === `127.0.0.1:${peerPort}` && client === `127.0.0.1:${port}` && zone === 'd';
      });
    });
  await until(running.described('the node that moved follows'), async () => {
    const statuses = await Promise.all([...running.nodes.slice(0, 3), ...moved].map((node) => node.status()));
    const led = statuses.flatMap((status) => status?.shards.filter(({ serving }) => serving) ?? []);
    return (
      led.length === 2 &&
      led.every(({ followers }) => followers.length === 2 && followers.every(({ inSync }) => inSync))
    );
  });
});
