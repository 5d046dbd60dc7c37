import { fileURLToPath } from 'node:url';
import { Cluster } from 'ioredis';

/**
 * At most `limit` calls per user in each window of time. A call is counted before it is allowed, so one whose answer got
 * lost, and that the client repeats, can only make the limit stricter.
 */
export async function openRateLimiter(ports, limit, windowMs) {
  const client = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })));
  client.on('error', () => undefined);
  return {
    async allows(user) {
      const key = `rate:${user}:${Math.floor(Date.now() / windowMs)}`;
      // Together: a counter that never expires cannot be left behind.
      const [[, count]] = await client.multi().incr(key).pexpire(key, windowMs).exec();
      return count <= limit;
    },
    close: () => client.disconnect(),
  };
}

// Run as a program, beside `npm start`.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const limiter = await openRateLimiter([7001, 7002, 7003], 3, 10_000);
  for (let call = 1; call <= 5; call++)
    console.log(`call ${call}: ${(await limiter.allows('ann')) ? 'allowed' : 'refused'}`);
  limiter.close();
}
