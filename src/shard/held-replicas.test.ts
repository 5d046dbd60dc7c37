import { expect, it } from 'vitest';
import type { Doubt } from '../log/types.ts';
import { givenUp, HeldReplicas } from './held-replicas.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

it('remembers that it let a replica go before the log of that goes', () => {
  const queued: string[] = [];
  const doubts: Doubt[] = [];
  const context = {
    log: {
      attach: () => {},
      retainFrom: () => {},
      reset: () => void queued.push('reset'),
      inDoubt: (_shard: number, doubt: Doubt) => {
        queued.push('in doubt');
        doubts.push(doubt);
      },
    },
    checkpoints: {
      *list() {
        return [{ shard: 1, term: 1, lsn: 9 }];
      },
      *remove() {
        queued.push('no checkpoint');
      },
    },
    touched: () => {},
  };
  const held = new HeldReplicas(context as unknown as ReplicaContext);
  const replica = { shard: 1 } as Replica;
  held.add(replica);
  held.drop(replica, (error) => expect(error).toBeNull());
  expect(held.all).toEqual([]);
  expect(queued).toEqual(['in doubt', 'no checkpoint', 'reset']);
  // Its vote is not lost: that stays in the log.
  expect(doubts).toEqual([{ mayHaveAcknowledged: null, hardStateLost: false, where: givenUp }]);
});
