import { afterEach, describe, expect, it } from 'vitest';
import { TestCluster } from './support/cluster.ts';
import { rounds, until } from './support/wait.ts';
import { ioredisWriter, lostWrites, nodeRedisWriter, type Writer, writeUntil } from './support/writers.ts';

const brokenConnection = /^(read ECONNRESET|write EPIPE|Socket closed unexpectedly|Disconnects client)$/;

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

/** Lets the writers write, calls `disturb` after some acknowledged writes, and lets them go on for some more. */
async function writeThrough(
  writers: readonly Writer[],
  round: number,
  disturb: () => Promise<void>,
): Promise<void> {
  let stopped = false;
  const running = writers.map((writer) => writeUntil(writer, `${writer.library}:${round}`, 8, () => stopped));
  const more = async (count: number): Promise<void> => {
    const from = writers.map(({ acknowledged }) => acknowledged.size);
    await until('every writer gets on', () =>
      writers.every(({ acknowledged }, i) => acknowledged.size >= (from[i] as number) + count),
    );
  };
  await more(20 + Math.floor(Math.random() * 200));
  await disturb();
  await more(50);
  stopped = true;
  await Promise.all(running);
}

/** @param first from which acknowledged write on, per writer */
async function expectNothingLost(writers: readonly Writer[], first: readonly number[] = []): Promise<void> {
  for (const [i, writer] of writers.entries())
    expect(await lostWrites(writer, first[i]), writer.library).toEqual([]);
}

function counts(writers: readonly Writer[]): number[] {
  return writers.map(({ acknowledged }) => acknowledged.size);
}

describe.each([
  { ack: 'majority', many: 6 },
  { ack: 'all', many: 2 },
])('writers with unique values, --ack $ack', ({ ack, many }) => {
  it('lose no acknowledged write when the leader is killed', async () => {
    cluster = await TestCluster.start({ flags: ['--ack', ack] });
    const { nodes } = cluster;
    const writers = [await ioredisWriter(cluster), await nodeRedisWriter(cluster)];
    for (let round = 0; round < rounds(many); round++) {
      const leader = await cluster.ready();
      const before = counts(writers);
      await writeThrough(writers, round, async () => {
        await leader.kill();
        leader.start();
      });
      await cluster.ready();
      await expectNothingLost(writers, before);
      expect(nodes.map(({ ended }) => ended)).toEqual([null, null, null]);
    }
    await expectNothingLost(writers);
    // This library sends a command again on its own, so the application sees no error of a SET.
    expect(writers[0]?.errors).toEqual([]);
    // This one rejects what was under way on the connection that broke, and nothing else.
    expect(writers[1]?.errors.filter((error) => !brokenConnection.test(error))).toEqual([]);
    await Promise.all(writers.map((writer) => writer.close()));
  });

  it('lose no acknowledged write when all nodes are killed at once', async () => {
    cluster = await TestCluster.start({ flags: ['--ack', ack] });
    const { nodes } = cluster;
    const writers = [await ioredisWriter(cluster), await nodeRedisWriter(cluster)];
    for (let round = 0; round < rounds(Math.ceil(many / 2)); round++) {
      await cluster.ready();
      const before = counts(writers);
      await writeThrough(writers, round, async () => {
        for (const node of nodes) node.signal('SIGKILL');
        await Promise.all(nodes.map((node) => node.exit()));
        for (const node of nodes) node.start();
      });
      await cluster.ready();
      await expectNothingLost(writers, before);
    }
    await expectNothingLost(writers);
    await Promise.all(writers.map((writer) => writer.close()));
  });
});
