import { Cluster } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';
import { ioredisWriter, lostWrites, writeUntil } from './support/writers.ts';

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

/** Reads one key over and over; every answer must be a number, never below the one before. */
async function readUntil(client: Cluster, stopped: () => boolean, seen: { reads: number; errors: string[] }) {
  let last = -1;
  while (!stopped()) {
    try {
      const value = Number(await client.get('rising'));
      if (value < last) seen.errors.push(`${value} after ${last}`);
      last = value;
      seen.reads += 1;
    } catch (error) {
      seen.errors.push((error as Error).message);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

describe.each([{ leases: 'on' }, { leases: 'off' }])(
  'a planned change of leader, leases $leases',
  ({ leases }) => {
    async function underLoad(change: (running: TestCluster) => Promise<void>): Promise<void> {
      const running = await TestCluster.start({ flags: ['--leases', leases] });
      cluster = running;
      const writer = await ioredisWriter(running);
      const reader = new Cluster([...running.addresses]);
      await reader.set('rising', '0');
      let stopped = false;
      const seen = { reads: 0, errors: [] as string[] };
      const reading = [0, 1, 2, 3].map(() => readUntil(reader, () => stopped, seen));
      const writing = writeUntil(writer, 'handover', 8, () => stopped);
      const rising = (async () => {
        for (let i = 1; !stopped; i++) await reader.set('rising', String(i));
      })();
      const onwards = async (): Promise<void> => {
        const from = { writes: writer.acknowledged.size, reads: seen.reads };
        await until(
          'reads and writes go on',
          () => writer.acknowledged.size > from.writes + 50 && seen.reads > from.reads + 50,
        );
      };
      await onwards();
      await change(running);
      await onwards();
      stopped = true;
      await Promise.all([...reading, writing, rising]);
      expect(seen.errors).toEqual([]);
      expect(writer.errors).toEqual([]);
      expect(await lostWrites(writer)).toEqual([]);
      reader.disconnect();
      await writer.close();
    }

    it('CLUSTER FAILOVER moves leadership to the node asked, under reads and writes', async () => {
      await underLoad(async (running) => {
        for (let round = 0; round < 3; round++) {
          await running.ready();
          const [target] = (await running.followers()) as [TestNode];
          const client = await RawClient.connect(target.port);
          expect((await client.command('CLUSTER', 'FAILOVER')).value).toBe('OK');
          await until(
            running.described(`${target.id} leads`),
            async () => (await running.leader()) === target,
          );
          await client.close();
        }
      });
    });

    it('a leader that is asked to stop hands over first, and comes back', async () => {
      await underLoad(async (running) => {
        const leader = await running.ready();
        leader.signal('SIGTERM');
        await leader.exit();
        expect(leader.output).toContain('handing leadership over');
        leader.start();
        await running.ready();
      });
    });
  },
);
