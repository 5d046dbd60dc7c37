import { fileURLToPath } from 'node:url';
import { createCluster } from 'redis';

/** All in one slot, so that days can be put together in one step. */
const boardOf = (day) => `{board}:${day}`;
const together = '{board}:together';

/** The best score of each player and day, and who leads. */
export async function openLeaderboard(ports) {
  const client = createCluster({
    rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
    // Ask soon who leads now, when a node does not answer any more.
    topologyRefreshOnReconnectionAttemptStrategy: 100,
  });
  client.on('error', () => undefined);
  await client.connect();
  return {
    /** Only a better score counts, so reporting one again changes nothing. */
    async report(day, player, score) {
      await client.zAdd(boardOf(day), { value: player, score }, { comparison: 'GT' });
    },
    /** The first players of a day with their scores, the best first. */
    async top(day, count) {
      return asEntries(await client.zRangeWithScores(boardOf(day), 0, count - 1, { REV: true }));
    },
    /** 1 for the best of the day; null for who has not played. */
    async rank(day, player) {
      const before = await client.zRevRank(boardOf(day), player);
      return before === null ? null : before + 1;
    },
    /** The same as `top` for several days, of which each player's best counts. */
    async topOf(days, count) {
      const [, first] = await client
        .multi()
        .zUnionStore(together, days.map(boardOf), { AGGREGATE: 'MAX' })
        .zRangeWithScores(together, 0, count - 1, { REV: true })
        .del(together)
        .exec();
      return asEntries(first);
    },
    close: () => client.destroy(),
  };
}

function asEntries(found) {
  return found.map(({ value, score }) => ({ player: value, score }));
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
