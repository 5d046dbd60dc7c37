import { expect, test } from 'vitest';
import type { Membership } from '../core/types.ts';
import { TestCluster } from '../shard/cluster-test-kit.ts';
import type { Replica } from '../shard/replica.ts';
import { Reconciler } from './reconciler.ts';

const of = (voters: string): Membership => ({ voters: [...voters], learners: [] });

/** A cluster whose leaders bring the shard to what is wanted, and clients that go on meanwhile. */
function reconciled() {
  const nodes = ['a', 'b', 'c', 'd', 'e'];
  const cluster = new TestCluster(1, ['d', 'e']);
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const state = { wanted: of('abc'), written: 0 };
  const reconcilers = nodes.map(
    (self) =>
      new Reconciler({
        self,
        logger,
        replicas: () => cluster.host(self).held.all,
        wanted: () => state.wanted,
      }),
  );
  const replica = (node: string): Replica => cluster.host(node).replicas.get(0) as Replica;
  const leader = (): Replica | undefined => nodes.map(replica).find(({ serving }) => serving);
  /** Time passes until the shard is as wanted, a write acknowledged now and then. */
  const settle = (): void => {
    cluster.until(() => {
      for (const one of reconcilers) one.tick(cluster.now);
      const led = leader();
      if (led !== undefined) {
        const client = cluster.client(led.core.id);
        client.send('SET', `k${state.written}`, 'v');
        cluster.run(20);
        if (client.received() === '+OK\r\n') state.written += 1;
      }
      const { voters, learners } = led?.core.membership ?? of('');
      return learners.length === 0 && [...voters].sort().join('') === state.wanted.voters.join('');
    });
  };
  return { cluster, state, replica, leader, settle };
}

test('replicas come, move and go while clients write, the leader among those who go', () => {
  const { cluster, state, replica, leader, settle } = reconciled();
  for (const wanted of ['abcde', 'abc', 'bcd', 'cde', 'abe', 'e', 'abc']) {
    state.wanted = of(wanted);
    settle();
    expect(wanted).toContain(leader()?.core.id);
  }
  cluster.run(1000);
  expect(state.written).toBeGreaterThan(10);
  for (const node of ['a', 'b', 'c']) expect(replica(node).keyspace.size).toBe(state.written);
});

test('a change of mind on the way is followed from where the shard is', () => {
  const { cluster, state, replica, settle } = reconciled();
  state.wanted = of('abde');
  cluster.holds = (_from, message) => message.kind === 'append' && message.batches.length > 0;
  for (let i = 0; i < 5; i++) cluster.run(20);
  cluster.holds = () => false;
  state.wanted = of('abc');
  settle();
  expect(replica('a').core.mayChangeMembership() || replica('b').core.mayChangeMembership()).toBe(true);
});

test('who is to go stays while the one who comes is away', () => {
  const { cluster, state, leader } = reconciled();
  cluster.cutOff.add('d');
  state.wanted = of('abd');
  const one = new Reconciler({
    self: 'a',
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    replicas: () => cluster.host('a').held.all,
    wanted: () => state.wanted,
  });
  for (let i = 0; i < 50; i++) {
    one.tick(cluster.now);
    cluster.run(100);
  }
  expect(leader()?.core.membership).toEqual({ voters: ['a', 'b', 'c'], learners: ['d'] });
  cluster.cutOff.clear();
  cluster.until(() => {
    one.tick(cluster.now);
    cluster.run(20);
    return leader()?.core.membership.voters.join('') === 'abd';
  });
});
