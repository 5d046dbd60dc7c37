import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import {
  AcceptHandshake,
  DialHandshake,
  type HandshakeStep,
  type LocalNode,
  unknownPeer,
} from './handshake.ts';
import { encodeProof, HandshakeReader, handshakeType } from './handshake-frames.ts';

function node(
  name: string,
  change: { cluster?: string; instance?: string; secret?: string } = {},
): LocalNode {
  const { cluster = 'blue', instance = `${name}-disk`, secret = null } = change;
  return { identity: { node: name, cluster, instance, client: '127.0.0.1:1', fresh: name === 'n1' }, secret };
}

interface Talk {
  dialler: HandshakeStep;
  acceptor: HandshakeStep;
}

/** Lets both ends talk until neither goes on; answers with their last steps. */
function talk(from: LocalNode, to: LocalNode, target = to.identity.node, known = ['n1', 'n2', 'n3']): Talk {
  const dial = new DialHandshake(from, target, 'bulk');
  const accept = new AcceptHandshake(to, ({ node: name }) =>
    known.includes(name) ? null : unknownPeer(name, to.identity.node),
  );
  let dialler: HandshakeStep = { kind: 'continue', send: dial.hello };
  for (;;) {
    const acceptor = accept.receive(sent(dialler));
    if (acceptor.kind === 'refused') return { dialler, acceptor };
    dialler = dial.receive(sent(acceptor));
    if (dialler.kind === 'established' || dialler.kind === 'refused') return { dialler, acceptor };
  }
}

function sent(step: HandshakeStep): Buffer {
  if (!('send' in step) || step.send === null) throw new Error(`nothing sent at ${step.kind}`);
  return step.send;
}

describe('two nodes of one cluster', () => {
  for (const secret of [undefined, 'open sesame']) {
    test(secret === undefined ? 'without a secret' : 'with the same secret', () => {
      const more = secret === undefined ? {} : { secret };
      const { dialler, acceptor } = talk(node('n1', more), node('n2', more));
      expect(dialler).toMatchObject({ kind: 'established', peer: node('n2').identity, lane: 'bulk' });
      expect(acceptor).toMatchObject({ kind: 'established', peer: node('n1').identity, lane: 'bulk' });
    });
  }
});

describe('both ends learn why they do not talk', () => {
  const cases: [string, () => Talk, string, string][] = [
    [
      'another cluster',
      () => talk(node('n1'), node('n2', { cluster: 'red' })),
      'cluster',
      "node 'n1' belongs to cluster 'blue', node 'n2' to cluster 'red'",
    ],
    [
      'another node',
      () => talk(node('n1'), node('n3'), 'n2'),
      'target',
      "node 'n3' answers at the address of node 'n2'",
    ],
    [
      'itself',
      () => talk(node('n1'), node('n1'), 'n2'),
      'self',
      "the address of 'n2' leads back to the node that dials",
    ],
    [
      'a second node of the same name',
      () => talk(node('n2', { instance: 'other' }), node('n2')),
      'twin',
      "two nodes call themselves 'n2', each with a data directory of its own",
    ],
    [
      'a node that is not in the list',
      () => talk(node('n9'), node('n2')),
      'unknown',
      "node 'n9' is not in the peer list of node 'n2'",
    ],
    [
      'a dialler without the secret',
      () => talk(node('n1'), node('n2', { secret: 'a' })),
      'secret',
      "node 'n2' has a shared secret, node 'n1' has none",
    ],
    [
      'an acceptor without the secret',
      () => talk(node('n1', { secret: 'a' }), node('n2')),
      'secret',
      "node 'n1' has a shared secret, node 'n2' has none",
    ],
    [
      'another secret',
      () => talk(node('n1', { secret: 'a' }), node('n2', { secret: 'b' })),
      'secret',
      "node 'n1' has another shared secret",
    ],
  ];
  for (const [name, run, code, reason] of cases) {
    test(name, () => {
      const { dialler, acceptor } = run();
      expect([dialler.kind, acceptor.kind].sort()).toEqual(['refuse', 'refused']);
      for (const step of [dialler, acceptor]) expect(step).toMatchObject({ refusal: { code, reason } });
    });
  }

  test('another version of the protocol', () => {
    const hello = Buffer.from(new DialHandshake(node('n1'), 'n2', 'control').hello);
    hello.writeUInt16LE(77, 7);
    const step = new AcceptHandshake(node('n2'), () => null).receive(hello);
    expect(step).toMatchObject({ kind: 'refuse', refusal: { code: 'version' } });
    const told = new DialHandshake(node('n1'), 'n2', 'control').receive(sent(step));
    expect(told).toMatchObject({
      kind: 'refused',
      refusal: { reason: 'peer protocol version 77 meets version 2' },
    });
  });
});

describe('a proof', () => {
  const from = node('n1', { secret: 'a' });
  const to = node('n2', { secret: 'a' });
  const accepting = (): AcceptHandshake => new AcceptHandshake(to, () => null);

  test('of another connection is worth nothing', () => {
    const recorded = new DialHandshake(from, 'n2', 'control');
    const proof = sent(recorded.receive(sent(accepting().receive(recorded.hello))));
    const accept = accepting();
    accept.receive(recorded.hello);
    expect(accept.receive(proof)).toMatchObject({ kind: 'refuse', refusal: { code: 'secret' } });
  });

  test('sent back to who made it is worth nothing', () => {
    const dial = new DialHandshake(from, 'n2', 'control');
    const proof = sent(dial.receive(sent(accepting().receive(dial.hello))));
    const mirrored = Buffer.from(proof);
    mirrored[6] = handshakeType.welcome;
    expect(dial.receive(mirrored)).toMatchObject({ kind: 'refuse', refusal: { code: 'secret' } });
  });

  test('that is missing or cut short is refused by either end', () => {
    for (const bytes of [0, 31]) {
      const accept = accepting();
      const dial = new DialHandshake(from, 'n2', 'control');
      dial.receive(sent(accept.receive(dial.hello)));
      const short = (type: typeof handshakeType.proof | typeof handshakeType.welcome): Buffer =>
        encodeProof(type, Buffer.alloc(bytes));
      expect(accept.receive(short(handshakeType.proof))).toMatchObject({ kind: 'refuse' });
      expect(dial.receive(short(handshakeType.welcome))).toMatchObject({ kind: 'refuse' });
    }
  });

  test('is asked for even when the other end pretends that nobody has a secret', () => {
    const dial = new DialHandshake(node('n1', { secret: 'a' }), 'n2', 'control');
    const pretender = new DialHandshake(node('n1'), 'n2', 'control');
    const challenge = sent(new AcceptHandshake(node('n2'), () => null).receive(pretender.hello));
    expect(dial.receive(challenge)).toMatchObject({ kind: 'refuse', refusal: { code: 'secret' } });
  });
});

test('frames out of place are malformed', () => {
  const welcome = encodeProof(handshakeType.welcome, Buffer.alloc(0));
  const proof = encodeProof(handshakeType.proof, Buffer.alloc(0));
  expect(() => new DialHandshake(node('n1'), 'n2', 'control').receive(welcome)).toThrow(MalformedBytes);
  expect(() => new AcceptHandshake(node('n2'), () => null).receive(proof)).toThrow(MalformedBytes);
});

test('damaged handshakes end in a refusal or as malformed, never otherwise', () => {
  const hello = new DialHandshake(node('n1'), 'n2', 'control').hello;
  fc.assert(
    fc.property(
      fc.nat(hello.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.nat(hello.length),
      (at, change, cut) => {
        const damaged = Buffer.from(hello);
        damaged[at] = (damaged[at] as number) ^ change;
        const reader = new HandshakeReader();
        reader.push(damaged.subarray(0, cut));
        reader.push(damaged.subarray(cut));
        try {
          const frame = reader.next();
          if (frame === null) return;
          const step = new AcceptHandshake(node('n2'), () => null).receive(frame);
          expect(['continue', 'refuse', 'refused']).toContain(step.kind);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytes);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
