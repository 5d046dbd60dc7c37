import { afterAll, beforeAll, expect, it } from 'vitest';
import { ReplyError } from '../src/resp/reply-parser.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { rounds, until } from './support/wait.ts';

const sessions = 4;
/** Reads of each session that must have been answered by followers before the next leader is killed. */
const readsPerRound = 10;

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterAll(async () => {
  await cluster.dispose();
});

/** Writes a counter through whoever leads, and looks for it on other nodes, chosen at random, with the token of the write. */
class WritingReader {
  /** Reads that a node other than the leader answered with a value. */
  reads = 0;
  readonly violations: string[] = [];
  readonly #key: string;
  readonly #clients = new Map<TestNode, RawClient>();
  #leader: TestNode = cluster.nodes[0] as TestNode;

  constructor(key: string) {
    this.#key = key;
  }

  async run(isOver: () => boolean): Promise<void> {
    for (let i = 1; !isOver(); i++) {
      const token = await this.#write(i, isOver);
      if (token !== null) await this.#read(i, token);
    }
    for (const client of this.#clients.values()) await client.close();
  }

  /** The reply's value; null when the node is gone. */
  async #ask(node: TestNode, ...command: string[]): Promise<unknown> {
    try {
      let client = this.#clients.get(node);
      if (client === undefined) {
        client = await RawClient.connect(node.port);
        this.#clients.set(node, client);
        await client.command('REPL', 'READ', 'eventual');
      }
      return (await client.command(...command)).value;
    } catch {
      this.#clients.delete(node);
      return null;
    }
  }

  #other(): TestNode {
    const others = cluster.nodes.filter((node) => node !== this.#leader);
    return others[Math.floor(Math.random() * others.length)] as TestNode;
  }

  /** Repeats the write until it is acknowledged; answers its token, null when it is all over. */
  async #write(value: number, isOver: () => boolean): Promise<string | null> {
    while (!isOver()) {
      const reply = await this.#ask(this.#leader, 'SET', this.#key, String(value));
      if (reply === 'OK') {
        const token = await this.#ask(this.#leader, 'REPL', 'TOKEN');
        // Without the token of this write, it is written again.
        if (typeof token === 'string') return token;
      }
      const moved = /^MOVED \d+ 127\.0\.0\.1:(\d+)$/.exec(reply instanceof ReplyError ? reply.message : '');
      const next = cluster.nodes.find(({ port }) => port === Number(moved?.[1]));
      this.#leader = next ?? this.#other();
    }
    return null;
  }

  async #read(value: number, token: string): Promise<void> {
    const node = this.#other();
    if ((await this.#ask(node, 'REPL', 'AFTER', token, 'TIMEOUT', '3000')) !== 'OK') return;
    const reply = await this.#ask(node, 'GET', this.#key);
    // It is gone, or sends the reader to the leader.
    if (reply === null || (reply instanceof ReplyError && /^(MOVED|ASK|CLUSTERDOWN)/.test(reply.message)))
      return;
    if (reply === String(value)) this.reads += 1;
    else this.violations.push(`${node.id} showed ${String(reply)} for ${value} with ${token}`);
  }
}

it('a session that carries its token reads its own writes on any follower, whoever leads', async () => {
  const readers = Array.from({ length: sessions }, (_, i) => new WritingReader(`session ${i}`));
  let over = false;
  const running = Promise.all(readers.map((reader) => reader.run(() => over)));
  const failovers = rounds(3);
  for (let round = 0; round < failovers; round++) {
    const leader = await cluster.ready();
    const target = readers.map(({ reads }) => reads + readsPerRound);
    await until(cluster.described('every session has read'), () =>
      readers.every(({ reads }, i) => reads >= (target[i] as number)),
    );
    await leader.kill();
    await until(cluster.described('another node leads'), async () => (await cluster.leader()) !== leader);
    leader.start();
  }
  over = true;
  await running;
  const count = readers.reduce((sum, { reads }) => sum + reads, 0);
  console.log(`${failovers} failovers, ${count} reads of own writes on followers`);
  expect(readers.flatMap(({ violations }) => violations)).toEqual([]);
  expect(count).toBeGreaterThanOrEqual(failovers * sessions * readsPerRound);
});
