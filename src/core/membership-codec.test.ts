import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMembership, encodeMembership } from './membership-codec.ts';

const nodes = fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 });

test('a membership comes back as it was, whatever the nodes are called', () => {
  fc.assert(
    fc.property(nodes, nodes, (voters, learners) => {
      expect(decodeMembership(encodeMembership({ voters, learners }))).toEqual({ voters, learners });
    }),
  );
});

test('the bytes are readable ASCII', () => {
  const bytes = encodeMembership({ voters: ['n1', 'nœud'], learners: [] });
  expect(Buffer.from(bytes).toString('latin1')).toBe('{"voters":["n1","n\\u0153ud"],"learners":[]}');
});

test('other bytes are no membership', () => {
  for (const text of ['', 'null', '[]', '{"voters":["a"]}', '{"voters":[1],"learners":[]}', '{"voters":'])
    expect(decodeMembership(Buffer.from(text))).toBeNull();
});
