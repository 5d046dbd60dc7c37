import { fileURLToPath } from 'node:url';
import { Cluster } from 'ioredis';

/** All in one slot, so that days can be put together in one step. */
const boardOf = (day) => `{board}:${day}`;
const together = '{board}:together';

/** The best score of each player and day, and who leads. */
export async function openLeaderboard(ports) {
  const client = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })));
  client.on('error', () => undefined);
  return {
    /** Only a better score counts, so reporting one again changes nothing. */
    async report(day, player, score) {
      await client.zadd(boardOf(day), 'GT', score, player);
    },
    /** The first players of a day with their scores, the best first. */
    async top(day, count) {
      return inPairs(await client.zrange(boardOf(day), 0, count - 1, 'REV', 'WITHSCORES'));
    },
    /** 1 for the best of the day; null for who has not played. */
    async rank(day, player) {
      const before = await client.zrevrank(boardOf(day), player);
      return before === null ? null : before + 1;
    },
    /** The same as `top` for several days, of which each player's best counts. */
    async topOf(days, count) {
      const [, [, first]] = await client
        .multi()
        .zunionstore(together, days.length, ...days.map(boardOf), 'AGGREGATE', 'MAX')
        .zrange(together, 0, count - 1, 'REV', 'WITHSCORES')
        .del(together)
        .exec();
      return inPairs(first);
    },
    close: () => client.disconnect(),
  };
}

function inPairs(flat) {
  const pairs = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push({ player: flat[i], score: Number(flat[i + 1]) });
  return pairs;
}

// Run as a program, beside `npm start`.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const board = await openLeaderboard([7001, 7002, 7003]);
  for (const [player, score] of [
    ['ann', 30],
    ['bob', 20],
    ['cy', 40],
    ['ann', 10],
  ])
    await board.report('monday', player, score);
  await board.report('tuesday', 'bob', 50);
  console.log(await board.top('monday', 3), await board.rank('monday', 'bob'));
  console.log(await board.topOf(['monday', 'tuesday'], 3));
  board.close();
}
