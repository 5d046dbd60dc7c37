import { Redis } from 'ioredis';
import { type LoadWindow, runLoad } from '../../src/cli/bench-load.ts';
import { getPieces, setPieces } from '../../src/cli/bench-pieces.ts';
import { LatencyHistogram } from '../../src/cli/latency-histogram.ts';
import { runOpenLoad } from '../open-loop.ts';
import { usageOf } from '../proc.ts';
import { host, makeDirectory, removeDirectory } from '../processes.ts';
import { fill, keyCount } from '../resp-drive.ts';
import { median, medianKnown } from '../statistics.ts';
import { BenchCluster, type BenchNode } from '../systems/bellwether.ts';
import { decimal, markdownTable, percent, whole } from '../table.ts';
import type { Answer, Question, QuestionContext } from './question.ts';

const valueBytes = 100;
const connections = 50;
const pipelines = [1, 16];
const leaderLevels = ['local', 'linearizable'];
const followerLevels = ['eventual', 'bounded 1000', 'strict'];

interface Read {
  readonly on: string;
  readonly level: string;
  readonly pipeline: number;
  readonly perSecond: number;
  readonly p99: number;
  /** Processor time of the leader per second, 1 for one core; null where the system does not tell. */
  readonly leaderCpu: number | null;
}

interface Lag {
  readonly mostWrites: number;
  readonly writes: number;
  readonly p50: number;
  readonly p99: number;
  readonly probes: number;
}

interface Round {
  readonly idleCpu: number | null;
  readonly reads: readonly Read[];
  readonly lag: Lag;
}

interface Times {
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

/** Processor time of a node per second of what is measured. */
class Meter implements LoadWindow {
  readonly #node: BenchNode;
  #fromSeconds: number | null = null;
  #fromMs = 0;
  perSecond: number | null = null;

  constructor(node: BenchNode) {
    this.#node = node;
  }

  #seconds(): number | null {
    const pid = this.#node.process?.pid;
    return pid === undefined ? null : usageOf([pid]).cpuSeconds;
  }

  began(): void {
    this.#fromSeconds = this.#seconds();
    this.#fromMs = performance.now();
  }

  ended(): void {
    const seconds = this.#seconds();
    if (seconds === null || this.#fromSeconds === null) return;
    this.perSecond = ((seconds - this.#fromSeconds) * 1000) / (performance.now() - this.#fromMs);
  }
}

async function withClient<T>({ port }: BenchNode, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ host, port, enableReadyCheck: false });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

/** New connections to the node read at this level. */
async function setLevel(node: BenchNode, level: string): Promise<void> {
  await withClient(node, (client) => client.config('SET', 'read-level', level));
}

async function idleCpu(leader: BenchNode, { measuredMs }: Times): Promise<number | null> {
  const meter = new Meter(leader);
  meter.began();
  await new Promise((resolve) => setTimeout(resolve, measuredMs));
  meter.ended();
  return meter.perSecond;
}

async function readFrom(
  node: BenchNode,
  leader: BenchNode,
  level: string,
  pipeline: number,
  times: Times,
): Promise<Read> {
  await setLevel(node, level);
  const meter = new Meter(leader);
  const pieces = getPieces({ pipeline, keys: keyCount, valueBytes, barrier: null });
  const target = { host, port: node.port, password: '' };
  const { operations, seconds, latency } = await runLoad({ ...target, connections, pieces, ...times }, meter);
  const on = node === leader ? 'leader' : 'follower';
  const perSecond = operations / seconds;
  return { on, level, pipeline, perSecond, p99: latency.quantile(0.99), leaderCpu: meter.perSecond };
}

/** Writes through the leader and looks at a follower until it shows: how long that takes from when the write was acknowledged. */
async function probe(
  leader: BenchNode,
  follower: BenchNode,
  found: LatencyHistogram,
  isOver: () => boolean,
): Promise<void> {
  await setLevel(follower, 'eventual');
  await withClient(leader, (writer) =>
    withClient(follower, async (reader) => {
      for (let i = 1; !isOver(); i++) {
        await writer.set('probe', i);
        const sinceMs = performance.now();
        while (Number(await reader.get('probe')) < i);
        found.add((performance.now() - sinceMs) * 1000, 1);
      }
    }),
  );
}

/** How long a follower takes to show what was acknowledged, at half of the most that can be written. */
async function lagAtHalfLoad(leader: BenchNode, follower: BenchNode, times: Times): Promise<Lag> {
  const target = { host, port: leader.port, password: '' };
  const pieces = setPieces({ pipeline: 1, keys: keyCount, valueBytes, barrier: null });
  const most = await runLoad({ ...target, connections, pieces, ...times });
  const mostWrites = most.operations / most.seconds;
  const found = new LatencyHistogram();
  let over = false;
  let probing: Promise<void> = Promise.resolve();
  const load = await runOpenLoad(
    {
      ...target,
      ...times,
      connections,
      ratePerSecond: Math.floor(mostWrites / 2),
      pieces: pieces.map((piece) => ({ piece, kind: 'write' })),
    },
    {
      began: () => {
        probing = probe(leader, follower, found, () => over);
      },
      ended: () => {
        over = true;
      },
    },
  );
  await probing;
  const [p50, p99] = [found.quantile(0.5), found.quantile(0.99)];
  return { mostWrites, writes: load.operations / load.seconds, p50, p99, probes: found.count };
}

async function once(data: string, round: number, times: Times): Promise<Round> {
  const directory = makeDirectory(data);
  const cluster = await BenchCluster.start(directory);
  try {
    const leader = await cluster.ready();
    const follower = cluster.nodes.find((node) => node !== leader) as BenchNode;
    await fill(await cluster.target(), null, 0, keyCount, valueBytes);
    const reads: Read[] = [];
    const idle = await idleCpu(leader, times);
    for (const pipeline of pipelines) {
      // Who comes first changes, so that a machine that grows slower favours nobody.
      const levels = round % 2 === 0 ? leaderLevels : [...leaderLevels].reverse();
      for (const level of levels) reads.push(await readFrom(leader, leader, level, pipeline, times));
    }
    for (const level of followerLevels) reads.push(await readFrom(follower, leader, level, 16, times));
    return { idleCpu: idle, reads, lag: await lagAtHalfLoad(leader, follower, times) };
  } finally {
    await cluster.stop();
    removeDirectory(directory);
  }
}

/** Processor time of the leader for each read that it answers: says what a level costs when the machine is not quiet. */
function microseconds(reads: readonly Read[]): string {
  const each = medianKnown(
    reads.map(({ leaderCpu, perSecond }) => (leaderCpu === null ? null : (leaderCpu * 1e6) / perSecond)),
  );
  return each === null ? '?' : decimal(each);
}

function readRows(rounds: readonly Round[]): string[][] {
  const kinds = rounds[0]?.reads ?? [];
  return kinds.map((kind) => {
    const own = rounds.map(
      ({ reads }) =>
        reads.find(
          ({ on, level, pipeline }) => on === kind.on && level === kind.level && pipeline === kind.pipeline,
        ) as Read,
    );
    const local = rounds.map(
      ({ reads }) =>
        reads.find(({ level, pipeline }) => level === 'local' && pipeline === kind.pipeline)?.perSecond ?? 0,
    );
    const ratio = median(own.map(({ perSecond }, i) => perSecond / (local[i] as number)));
    const cpu = medianKnown(own.map(({ leaderCpu }) => leaderCpu));
    return [
      `${kind.on}, ${kind.level}, ${connections} × ${kind.pipeline}`,
      whole(median(own.map(({ perSecond }) => perSecond))),
      decimal(median(own.map(({ p99 }) => p99))),
      kind.on === 'leader' ? percent(ratio) : '–',
      cpu === null ? '?' : percent(cpu),
      kind.on === 'leader' ? microseconds(own) : '–',
    ];
  });
}

async function run({ rounds, seconds, warmUp, data, tell }: QuestionContext): Promise<Answer> {
  const times = { warmUpMs: warmUp * 1000, measuredMs: seconds * 1000 };
  const found: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const one = await once(data, round, times);
    found.push(one);
    for (const { on, level, pipeline, perSecond } of one.reads)
      tell(`reads round ${round + 1} ${on} ${level} × ${pipeline}: ${whole(perSecond)}/s`);
    tell(`reads round ${round + 1} lag at ${whole(one.lag.writes)} writes/s: p99 ${decimal(one.lag.p99)} ms`);
  }
  const of = (value: (lag: Lag) => number): number => median(found.map(({ lag }) => value(lag)));
  const idle = medianKnown(found.map(({ idleCpu: cpu }) => cpu));
  return {
    lines: [
      ...markdownTable([
        ['read from', 'reads/s', 'p99 ms', 'of local', "leader's processor, of one core", 'µs per read'],
        ...readRows(found),
      ]),
      '',
      `- GETs of ${whole(keyCount)} keys with ${valueBytes} bytes. The leader of a cluster that does nothing takes ${idle === null ? '?' : percent(idle)} of a core.`,
      `- Replication lag at ${whole(of(({ writes }) => writes))} writes/s, half of the ${whole(of(({ mostWrites }) => mostWrites))}/s that ${connections} connections reach: a follower shows a write ${decimal(of(({ p50 }) => p50))} ms (median) and ${decimal(of(({ p99 }) => p99))} ms (p99) after it was acknowledged, one round trip of the reader who looks included (${whole(of(({ probes }) => probes))} probes a round).`,
    ],
    figures: found,
  };
}

export const reads: Question = {
  name: 'reads',
  title: 'What reads of each level cost, and how far followers lag',
  run,
};
