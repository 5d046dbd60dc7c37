import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { rounds, until } from './support/wait.ts';

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

const keys = 400;

/** Writes every key anew; what is acknowledged is what must be read later. */
async function fill(port: number, generation: number, expected: Map<string, string>): Promise<void> {
  const client = await RawClient.connect(port);
  for (let i = 0; i < keys; i++)
    client.sendCommand('SET', `key:${i}`, `${generation}:${i}:${'v'.repeat(200)}`);
  for (let i = 0; i < keys; i++) {
    expect((await client.next()).value).toBe('OK');
    expected.set(`key:${i}`, `${generation}:${i}:${'v'.repeat(200)}`);
  }
  await client.close();
}

async function expectAll(port: number, expected: ReadonlyMap<string, string>): Promise<void> {
  const client = await RawClient.connect(port);
  for (const key of expected.keys()) client.sendCommand('GET', key);
  for (const [key, value] of expected) expect((await client.next()).value, key).toBe(value);
  await client.close();
}

interface Place {
  readonly file: string;
  readonly offset: number;
}

/** The end of what a file holds: behind it there are only zeros. */
function usedBytes(file: string): number {
  const bytes = fs.readFileSync(file);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end;
}

/** Places in every file of the log and of the checkpoints, the first and last used bytes among them. */
function samplePlaces(dir: string, count: number): Place[] {
  const files = ['log', 'checkpoints'].flatMap((name) =>
    fs
      .readdirSync(path.join(dir, name))
      .map((file) => path.join(name, file))
      .filter((file) => usedBytes(path.join(dir, file)) > 0),
  );
  const fixed = files.flatMap((file) => {
    const end = usedBytes(path.join(dir, file));
    return [
      { file, offset: end - 1 },
      ...(end > 64 ? [{ file, offset: end - 40 }] : []),
      { file, offset: 9 },
    ];
  });
  const random = Array.from({ length: Math.max(count - fixed.length, 0) }, () => {
    const file = files[Math.floor(Math.random() * files.length)] as string;
    return { file, offset: Math.floor(Math.random() * usedBytes(path.join(dir, file))) };
  });
  return [...fixed.sort(() => Math.random() - 0.5).slice(0, count), ...random].slice(0, count);
}

function flip(dir: string, { file, offset }: Place): void {
  const descriptor = fs.openSync(path.join(dir, file), 'r+');
  const byte = Buffer.alloc(1);
  fs.readSync(descriptor, byte, 0, 1, offset);
  byte[0] = (byte[0] as number) ^ (1 << Math.floor(Math.random() * 8));
  fs.writeSync(descriptor, byte, 0, 1, offset);
  fs.closeSync(descriptor);
}

function restore(saved: string, nodes: readonly TestNode[]): void {
  for (const node of nodes) {
    fs.rmSync(node.dir, { recursive: true, force: true });
    fs.cpSync(path.join(saved, node.id), node.dir, { recursive: true });
  }
}

/** A node that will not start says so with the file and the offset. */
function expectRefusal(node: TestNode, file: string): void {
  const last = node.output.trimEnd().split('\n').at(-1) as string;
  expect(last).toContain(path.basename(file));
  expect(last).toMatch(/offset \d+|damaged/);
}

it('pitfall 10: loses nothing when any one byte of a node flips, that node and another starting first', async () => {
  const flags = ['--segment-bytes', '4mb', '--checkpoint-bytes', '64kb', '--checkpoint-time', '200ms'];
  cluster = await TestCluster.start({ flags });
  const { nodes } = cluster;
  const expected = new Map<string, string>();
  for (let generation = 0; generation < 3; generation++) {
    await fill((await cluster.leader()).port, generation, expected);
    await until('every node has a checkpoint of it', async () => {
      const shards = await Promise.all(nodes.map((node) => node.shard()));
      return shards.every((shard) => (shard?.checkpoints ?? 0) > generation);
    });
  }
  // The last writes lie behind the last checkpoint.
  await fill((await cluster.leader()).port, 3, expected);
  for (const node of nodes) node.signal('SIGKILL');
  await Promise.all(nodes.map((node) => node.exit()));
  const saved = path.join(cluster.dir, 'saved');
  for (const node of nodes) fs.cpSync(node.dir, path.join(saved, node.id), { recursive: true });

  const damaged = nodes[Math.floor(Math.random() * 3)] as TestNode;
  const [other, late] = nodes.filter((node) => node !== damaged) as [TestNode, TestNode];
  for (const place of samplePlaces(path.join(saved, damaged.id), rounds(8))) {
    restore(saved, nodes);
    fs.rmSync(damaged.logFile, { force: true });
    flip(damaged.dir, place);
    damaged.start();
    other.start();
    const first = await until(
      cluster.described(`${damaged.id} starts or refuses, ${JSON.stringify(place)}`),
      async () => {
        if (damaged.ended !== null) return 'refused';
        const shard = await damaged.shard();
        return shard !== null && (shard.leader !== null || shard.doubt !== null) ? 'started' : null;
      },
    );
    late.start();
    if (first === 'refused') expectRefusal(damaged, place.file);
    const leader = await cluster.leader();
    await expectAll(leader.port, expected);
    if (first === 'started') {
      await until(cluster.described(`${damaged.id} is whole again, ${JSON.stringify(place)}`), async () => {
        const shard = await damaged.shard();
        const commit = (await leader.shard())?.commit ?? 0;
        return shard !== null && shard.doubt === null && shard.applied >= commit;
      });
    }
    for (const node of nodes) node.signal('SIGKILL');
    await Promise.all(nodes.map((node) => node.exit()));
  }
});
