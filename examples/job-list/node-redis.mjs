import { fileURLToPath } from 'node:url';
import { createCluster } from 'redis';

/** Both in one slot, so that a job can go from one to the other in one step. */
const waiting = '{jobs}:waiting';
const taken = '{jobs}:taken';

/** Jobs that are done at least once each: one that was taken stays in a second list until it is done. */
export async function openJobList(ports) {
  const client = createCluster({
    rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
    // Ask soon who leads now, when a node does not answer any more.
    topologyRefreshOnReconnectionAttemptStrategy: 100,
  });
  client.on('error', () => undefined);
  await client.connect();
  return {
    async add(job) {
      await client.lPush(waiting, JSON.stringify(job));
    },
    /** Works on the oldest job; false when none waits. */
    async work(perform) {
      const text = await client.lMove(waiting, taken, 'RIGHT', 'LEFT');
      if (text === null) return false;
      await perform(JSON.parse(text));
      await client.lRem(taken, 1, text);
      return true;
    },
    /** When no worker runs: what was taken and not done waits again. */
    async recover() {
      while ((await client.lMove(taken, waiting, 'RIGHT', 'RIGHT')) !== null);
    },
    close: () => client.destroy(),
  };
}

// Run as a program, beside `npm start`.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const jobs = await openJobList([7001, 7002, 7003]);
  await jobs.recover();
  for (const name of ['one', 'two', 'three']) await jobs.add({ name });
  while (await jobs.work(async (job) => console.log(job)));
  jobs.close();
}
