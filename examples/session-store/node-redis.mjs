import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createCluster } from 'redis';

/** Sessions as hashes that expire when nobody has used them for a while. */
export async function openSessionStore(ports, lifeSeconds) {
  const client = createCluster({
    rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
    // Ask soon who leads now, when a node does not answer any more.
    topologyRefreshOnReconnectionAttemptStrategy: 100,
  });
  client.on('error', () => undefined);
  await client.connect();
  return {
    /** The id of a new session. Once it is returned, the session survives the loss of any one node of three. */
    async create(user, data) {
      const id = randomUUID();
      const key = `session:${id}`;
      await client
        .multi()
        .hSet(key, { user, ...data })
        .expire(key, lifeSeconds)
        .exec();
      return id;
    },
    /** The session, which lives longer from here on; null when there is none. */
    async read(id) {
      const key = `session:${id}`;
      const [session] = await client.multi().hGetAll(key).expire(key, lifeSeconds).exec();
      return session.user === undefined ? null : { ...session };
    },
    async change(id, field, value) {
      await client.hSet(`session:${id}`, field, value);
    },
    async end(id) {
      await client.del(`session:${id}`);
    },
    close: () => client.destroy(),
  };
}

// Run as a program, beside `npm start`.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const store = await openSessionStore([7001, 7002, 7003], 1800);
  const id = await store.create('ann', { language: 'en' });
  await store.change(id, 'language', 'de');
  console.log(id, await store.read(id));
  await store.end(id);
  console.log(await store.read(id));
  store.close();
}
