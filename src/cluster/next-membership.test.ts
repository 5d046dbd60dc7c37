import fc from 'fast-check';
import { expect, test } from 'vitest';
import { everyMember, isOneStep, majorityOf } from '../core/membership.ts';
import type { Membership } from '../core/types.ts';
import { metadataMembers, nextMembership } from './next-membership.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const someNodes = fc.subarray(names, { minLength: 1 });

function members(voters: readonly string[], learners: readonly string[] = []): Membership {
  return { voters: [...voters].sort(), learners: [...learners].sort() };
}

test('whatever is wanted is reached, one voter at a time, and no copy goes before all that come are there', () => {
  fc.assert(
    fc.property(someNodes, someNodes, fc.nat(), (from, to, luck) => {
      let has = members(from);
      let leader = from[luck % from.length] as string;
      const wanted = members(to);
      for (let steps = 0; ; steps++) {
        expect(steps).toBeLessThan(20);
        const step = nextMembership(has, wanted, leader, () => true);
        if (step === null) break;
        if (step.kind === 'handOver') {
          const heirs = step.to.filter((node) => has.voters.includes(node));
          leader = heirs[0] as string;
          expect(leader).toBeDefined();
          continue;
        }
        expect(isOneStep(has, step.next)).toBe(true);
        expect(step.next.voters).toContain(leader);
        const lost = everyMember(has).filter((node) => !everyMember(step.next).includes(node));
        if (lost.length > 0) for (const node of to) expect(has.voters).toContain(node);
        expect(majorityOf(step.next)).toBeGreaterThan(0);
        has = step.next;
      }
      expect(has).toEqual(wanted);
    }),
  );
});

test('nobody goes while a newcomer has not kept up', () => {
  const has = members(['a', 'b', 'c']);
  const wanted = members(['a', 'b', 'd']);
  const begun = nextMembership(has, wanted, 'a', () => false);
  expect(begun).toEqual({ kind: 'change', next: members(['a', 'b', 'c'], ['d']) });
  const next = members(['a', 'b', 'c'], ['d']);
  expect(nextMembership(next, wanted, 'a', () => false)).toBeNull();
  expect(nextMembership(next, wanted, 'a', (node) => node === 'd')).toEqual({
    kind: 'change',
    next: members(['a', 'b', 'c', 'd']),
  });
});

test('a leader that is to go hands over last', () => {
  const has = members(['a', 'b', 'c', 'd']);
  const wanted = members(['b', 'c']);
  expect(nextMembership(has, wanted, 'a', () => true)).toEqual({
    kind: 'change',
    next: members(['a', 'b', 'c']),
  });
  expect(nextMembership(members(['a', 'b', 'c']), wanted, 'a', () => true)).toEqual({
    kind: 'handOver',
    to: ['b', 'c'],
  });
});

test('all nodes hold the metadata, and those who vote keep their vote', () => {
  expect(metadataMembers(['n1'])).toEqual(members(['n1']));
  expect(metadataMembers(['n3', 'n2', 'n1', 'n4'])).toEqual(members(['n1', 'n2', 'n3'], ['n4']));
  expect(metadataMembers(['n1', 'n2', 'n3', 'n4'], ['n2', 'n3', 'n4'])).toEqual(
    members(['n2', 'n3', 'n4'], ['n1']),
  );
  const six = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];
  expect(
    metadataMembers(six, ['n2', 'n3', 'n4'], (node) => ({ zone: '', reachable: node !== 'n1' })),
  ).toEqual(members(['n2', 'n3', 'n4', 'n5', 'n6'], ['n1']));
});

test('those who vote on the metadata are in as many zones as there are', () => {
  const zoned = (reachable: boolean) => (node: string) => ({
    zone: node[0] as string,
    reachable: reachable || node !== 'c1',
  });
  const nodes = ['a1', 'a2', 'b1', 'c1'];
  expect(metadataMembers(nodes, ['a1', 'a2', 'b1'], zoned(true))).toEqual(
    members(['a1', 'b1', 'c1'], ['a2']),
  );
  expect(metadataMembers(nodes, ['a2', 'b1', 'c1'], zoned(true)).voters).toEqual(['a2', 'b1', 'c1']);
  // Nobody gives his vote up for one who is not there.
  expect(metadataMembers(nodes, ['a1', 'a2', 'b1'], zoned(false)).voters).toEqual(['a1', 'a2', 'b1']);
});
