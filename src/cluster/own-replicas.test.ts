import { expect, it } from 'vitest';
import { runTask } from '../env/task.ts';
import type { RecoveredShard } from '../log/types.ts';
import { givenUp, type ReplicaStart } from '../shard/held-replicas.ts';
import { withoutRecord } from '../shard/opening.ts';
import type { ShardHost } from '../shard/shard-host.ts';
import type { Metadata } from './metadata.ts';
import { OwnReplicas } from './own-replicas.ts';
import { evenShardMap, ShardMap } from './shard-map.ts';

const slots = [{ from: 0, to: 16383 }];

interface Given {
  readonly self?: string;
  readonly founders: readonly string[];
  /** Where the one shard is to be by metadata; null: there is none. */
  readonly members: readonly string[] | null;
  readonly holds?: boolean;
  readonly incomplete?: boolean;
  /** What the log says is missing of the shard; it has nothing else of it. */
  readonly missing?: string;
}

function recoveredShard(holds: boolean, missing: string | undefined): RecoveredShard {
  const damage = { mayHaveAcknowledged: null, hardStateLost: false, where: missing };
  return {
    ...{ shard: 1, last: { term: 1, lsn: holds ? 9 : 0 }, checkpoint: { term: 1, lsn: 7 } },
    damage: missing === undefined ? null : damage,
  } as RecoveredShard;
}

/** One shard on a node: what it opens and drops, and what it says. */
function node({ self = 'n1', founders, members, holds = false, incomplete = false, missing }: Given) {
  const opened: ReplicaStart[] = [];
  const dropped: number[] = [];
  const replica = {
    shard: 1,
    quiet: true,
    core: { priority: 100, isOutside: false, leadership: null as object | null },
  };
  const replicas = new Map<number, typeof replica>();
  const host = {
    replicas,
    directory: { membersOf: () => null },
    held: {
      open: (start: ReplicaStart, done: (error: Error | null) => void) => {
        opened.push(start);
        replicas.set(start.shard, replica);
        done(null);
      },
      drop: (_: unknown, done: (error: Error | null) => void) => {
        dropped.push(1);
        replicas.delete(1);
        done(null);
      },
    },
  };
  const errors: string[] = [];
  const log = (_: object, text: string): void => void errors.push(text);
  const began = evenShardMap(1, founders);
  const own = new OwnReplicas({
    ...{ self, dir: 'd', priority: 100, began, incomplete },
    host: host as unknown as ShardHost,
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: log },
    others: () => ['n7', 'n8'],
    recovered: holds || missing !== undefined ? [recoveredShard(holds, missing)] : [],
    fatal: (error) => {
      throw error;
    },
  });
  const mapOf = (nodes: readonly string[], preferred: string | null = null): ShardMap =>
    new ShardMap([{ shard: 1, slots, members: nodes, preferred }]);
  const start = (): void =>
    runTask(
      own.openAll(members === null ? began : mapOf(members), members === null ? null : ({} as Metadata)),
      (error) => {
        if (error !== null) throw error;
      },
    );
  return { own, start, opened, dropped, errors, replica, mapOf };
}

const three = ['n1', 'n2', 'n3'];

it.each([
  ['a new cluster', { founders: three, members: null }, three, []],
  ['a cluster that goes on', { founders: three, members: three, holds: true }, three, []],
  ['what it holds and may be needed for', { founders: three, members: ['n2', 'n3'], holds: true }, three, []],
  ['a lost log', { founders: three, members: three, incomplete: true }, three, []],
  ['what it was given', { self: 'n4', founders: three, members: ['n1', 'n4'] }, ['n1'], ['n4']],
  // It began the shard alone, and must never lead it alone again with nothing.
  ['what it gave up', { founders: three, members: three, missing: givenUp }, three, []],
  ['what it gave up alone', { founders: ['n1'], members: ['n1'], missing: givenUp }, ['n7', 'n8'], ['n1']],
  [
    'that, and lost the metadata',
    { founders: ['n1'], members: null, missing: givenUp },
    ['n7', 'n8'],
    ['n1'],
  ],
  [
    'that, and got something of it back',
    { founders: ['n1'], members: ['n1'], holds: true, missing: withoutRecord },
    ['n7', 'n8'],
    ['n1'],
  ],
  ['what it began alone', { founders: ['n1'], members: ['n1', 'n2'] }, ['n2'], ['n1']],
])('opens %s with who can vote', (_, given: Given, voters, learners) => {
  const { start, opened } = node(given);
  start();
  expect(opened.map(({ initial }) => initial)).toEqual([{ voters, learners }]);
});

it('does not open what is elsewhere', () => {
  const { start, opened } = node({ self: 'n4', founders: three, members: three });
  start();
  expect(opened).toEqual([]);
});

it('does not take what it gave up for something that it holds', () => {
  const { start, opened } = node({ founders: three, members: ['n2', 'n3'], missing: givenUp });
  start();
  expect(opened).toEqual([]);
});

it('says what may be forgotten, and does not begin anew what nobody else has', () => {
  const lost = node({ founders: three, members: three, incomplete: true });
  lost.start();
  expect(lost.errors).toEqual([expect.stringContaining('gone or unreadable')]);
  const alone = node({ founders: ['n1'], members: ['n1'], incomplete: true });
  expect(() => alone.start()).toThrow(expect.objectContaining({ code: 'BW_LOG_DAMAGED' }));
});

it('opens what it is given while it runs, as a learner', () => {
  const { own, opened, mapOf, replica } = node({ self: 'n4', founders: three, members: three });
  own.follow(mapOf(three));
  own.follow(mapOf(['n1', 'n4'], 'n4'));
  own.follow(mapOf(['n1', 'n4'], 'n4'));
  expect(opened).toMatchObject([{ recovered: null, initial: { voters: ['n1'], learners: ['n4'] } }]);
  expect(replica.core.priority).toBe(101);
  own.follow(mapOf(['n1', 'n4'], 'n1'));
  expect(replica.core.priority).toBe(100);
});

it('opens what it alone is to have, though nobody says who has it now', () => {
  const { own, opened, mapOf } = node({ self: 'n4', founders: three, members: three });
  own.follow(mapOf(['n4']));
  expect(opened).toMatchObject([{ initial: { voters: ['n7', 'n8'], learners: ['n4'] } }]);
});

it('drops a replica only when metadata and shard have both taken it, and nothing of it is under way', () => {
  const { own, start, dropped, mapOf, replica } = node({ founders: three, members: three, holds: true });
  start();
  own.follow(mapOf(['n2', 'n3']));
  replica.core.isOutside = true;
  own.follow(mapOf(three));
  replica.quiet = false;
  own.follow(mapOf(['n2', 'n3']));
  replica.quiet = true;
  replica.core.leadership = {};
  own.follow(mapOf(['n2', 'n3']));
  expect(dropped).toEqual([]);
  replica.core.leadership = null;
  own.follow(mapOf(['n2', 'n3']));
  own.follow(mapOf(['n2', 'n3']));
  expect(dropped).toEqual([1]);
});
