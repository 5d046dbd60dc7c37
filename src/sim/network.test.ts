import { expect, test } from 'vitest';
import type { Message } from '../core/types.ts';
import type { PeerIdentity } from '../peer/types.ts';
import { EventLoop } from './event-loop.ts';
import { SimNetwork } from './network.ts';
import type { PeerPort } from './peer-port.ts';
import { Process } from './process.ts';
import { SeededRandom } from './seeded-random.ts';
import { Trace } from './trace.ts';

const names = ['a', 'b'];

function question(term: number): Message {
  return { kind: 'readIndexRequest', term, context: 1, byLease: false };
}

class World {
  readonly loop = new EventLoop();
  readonly network = new SimNetwork(names, this.loop, new SeededRandom(5), new Trace(() => this.loop.nowMs));
  readonly events: string[] = [];

  open(node: string): PeerPort {
    const process = new Process(this.loop, new SeededRandom(9), (error) => {
      throw error;
    });
    const identity: PeerIdentity = { node, cluster: 'c', instance: `${node}1`, client: 'x:1', fresh: true };
    const handler = {
      received: (from: string, _shard: number, message: Message) =>
        this.events.push(`${node} hears ${message.term} from ${from}`),
      identified: (peer: PeerIdentity) => this.events.push(`${node} knows ${peer.node}`),
      linkUp: (peer: string) => this.events.push(`${node} up ${peer}`),
      linkDown: (peer: string, refused: boolean) =>
        this.events.push(`${node} down ${peer}${refused ? ' refused' : ''}`),
    };
    const port = this.network.open(process, handler, () => identity);
    this.network.listen(port);
    return port;
  }

  /** Lets time pass; answers what happened meanwhile. */
  pass(ms: number): string[] {
    const until = this.loop.nowMs + ms;
    while (this.loop.step(until));
    return this.events.splice(0);
  }
}

test('two nodes meet, and messages arrive in order', () => {
  const world = new World();
  const a = world.open('a');
  expect(a.send('b', 1, question(1), 'control')).toBe(false);
  world.open('b');
  const met = world.pass(2000);
  expect(met).toContain('a knows b');
  expect(met.indexOf('a knows b')).toBeLessThan(met.indexOf('a up b'));
  expect(a.connected('b')).toBe(true);
  for (let term = 1; term <= 20; term++) expect(a.send('b', 1, question(term), 'control')).toBe(true);
  expect(world.pass(500)).toEqual(Array.from({ length: 20 }, (_, i) => `b hears ${i + 1} from a`));
});

test('a blocked path holds messages back; opened in time it delivers them', () => {
  const world = new World();
  const a = world.open('a');
  world.open('b');
  world.pass(2000);
  const unblock = world.network.paths.block('a', 'b', () => {});
  a.send('b', 1, question(1), 'control');
  a.send('b', 1, question(2), 'control');
  expect(world.pass(2000)).toEqual([]);
  unblock();
  expect(world.pass(500)).toEqual(['b hears 1 from a', 'b hears 2 from a']);
});

test('a path that stays blocked, one way or the other, costs both links', () => {
  const world = new World();
  const a = world.open('a');
  world.open('b');
  world.pass(2000);
  const unblock = world.network.paths.block('a', 'b', () => {});
  a.send('b', 1, question(1), 'control');
  expect(world.pass(5000).sort()).toEqual(['a down b', 'b down a']);
  unblock();
  expect(world.pass(2000).sort()).toEqual(['a up b', 'b up a']);
});

test('a broken link loses what was in flight and comes back', () => {
  const world = new World();
  const a = world.open('a');
  world.open('b');
  world.pass(2000);
  a.send('b', 1, question(1), 'control');
  world.network.breakLinks('a', 'b');
  expect(world.pass(2000).sort()).toEqual(['a down b', 'a up b', 'b down a', 'b up a']);
});

test('a process that was killed is refused at once; a machine without power is only silent', () => {
  const world = new World();
  world.open('a');
  const b = world.open('b');
  world.pass(2000);
  b.process.alive = false;
  world.network.closed('b', false);
  expect(world.pass(100)).toEqual(['a down b refused']);
  const again = world.open('b');
  expect(world.pass(2000)).toContain('a up b');
  again.process.alive = false;
  world.network.closed('b', true);
  expect(world.pass(2500)).toEqual([]);
  expect(world.pass(2000)).toEqual(['a down b']);
});
