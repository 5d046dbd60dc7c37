import { expect, it } from 'vitest';
import { Formation } from './formation.ts';

interface Seen {
  fresh: boolean;
  hearsNodes: boolean;
}

function formation(seen: Record<string, Seen>) {
  const identity = (node: string) => ({ node, cluster: 'c', instance: node, client: node });
  return new Formation(['b', 'c'], {
    identityOf: (node) => {
      const known = seen[node];
      return known === undefined ? null : { ...identity(node), ...known };
    },
  });
}

it('begins when all have said that they saw all others as new', () => {
  const seen: Record<string, Seen> = { b: { fresh: true, hearsNodes: true } };
  const one = formation(seen);
  expect([one.look(), one.begins()]).toEqual([false, false]);
  seen['c'] = { fresh: true, hearsNodes: true };
  expect([one.look(), one.sawNew, one.begins()]).toEqual([true, true, false]);
  expect(one.look()).toBe(false);
  one.heard('b', true);
  expect(one.begins()).toBe(false);
  one.heard('c', true);
  expect([one.begins(), one.begins()]).toEqual([true, false]);
});

it('begins when another one has, as that one was seen before it did', () => {
  const seen = { b: { fresh: true, hearsNodes: true }, c: { fresh: true, hearsNodes: true } };
  const one = formation(seen);
  one.look();
  seen.b.fresh = false;
  expect(one.begins()).toBe(false);
  one.heard('c', true);
  expect(one.begins()).toBe(true);
});

it('never begins where another one had begun before it was seen', () => {
  const one = formation({ b: { fresh: false, hearsNodes: true }, c: { fresh: true, hearsNodes: true } });
  one.look();
  one.heard('b', true);
  one.heard('c', true);
  expect([one.sawNew, one.begins()]).toEqual([false, false]);
});

it('asks again who came with another data directory, or was started again', () => {
  const one = formation({ b: { fresh: true, hearsNodes: true }, c: { fresh: true, hearsNodes: true } });
  one.look();
  one.heard('b', true);
  one.heard('c', true);
  one.replaced('b');
  expect(one.begins()).toBe(false);
  one.heard('b', true);
  one.heard('c', false);
  expect(one.begins()).toBe(false);
  one.heard('c', true);
  expect(one.begins()).toBe(true);
});

it('does not wait for the word of older versions', () => {
  const one = formation({ b: { fresh: true, hearsNodes: false }, c: { fresh: true, hearsNodes: false } });
  one.look();
  expect(one.begins()).toBe(true);
});
