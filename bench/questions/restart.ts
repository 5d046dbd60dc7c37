import { makeDirectory, removeDirectory, until } from '../processes.ts';
import { median } from '../statistics.ts';
import { BenchCluster, type BenchNode } from '../systems/bellwether.ts';
import { decimal, markdownTable } from '../table.ts';
import { fillMillion } from './million.ts';
import type { Answer, Question, QuestionContext } from './question.ts';

/** Starts one node that was stopped in order; seconds until it answers that it is ready, with every key in its state. */
async function restartOne(cluster: BenchCluster, node: BenchNode): Promise<number> {
  await cluster.stopNode(node);
  const began = performance.now();
  cluster.startNode(node);
  await until('the node is ready', async () => {
    cluster.check();
    const response = await fetch(`http://${node.admin}/readyz`).catch(() => null);
    await response?.arrayBuffer();
    if (response?.ok !== true) return false;
    const shard = await node.shard();
    return shard !== null && shard.applied >= shard.commit && shard.commit > 0;
  });
  return (performance.now() - began) / 1000;
}

/** Kills all nodes at once and starts them; seconds until a leader serves. */
async function restartAll(cluster: BenchCluster): Promise<number> {
  await cluster.stop();
  for (const node of cluster.nodes) node.process = null;
  const began = performance.now();
  for (const node of cluster.nodes) cluster.startNode(node);
  await cluster.leader();
  return (performance.now() - began) / 1000;
}

/** Whether state comes from the log or from a checkpoint makes the difference. */
const ways = [
  { name: 'from the log alone', flags: ['--checkpoint-bytes', '8gb', '--retention-bytes', '8gb'] },
  { name: 'from a checkpoint, with up to 64 MiB of log', flags: ['--checkpoint-bytes', '64mb'] },
];

async function run({ rounds, data, tell }: QuestionContext): Promise<Answer> {
  const figures: Record<string, { one: number[]; all: number[] }> = {};
  for (const { name, flags } of ways) {
    const directory = makeDirectory(data);
    const cluster = await BenchCluster.start(directory, { flags });
    const one: number[] = [];
    const all: number[] = [];
    try {
      await fillMillion(cluster);
      for (let round = 0; round < rounds; round++) {
        const leader = await cluster.ready();
        one.push(await restartOne(cluster, cluster.nodes.find((node) => node !== leader) as BenchNode));
        await cluster.ready();
        all.push(await restartAll(cluster));
        tell(
          `restart ${name}, round ${round + 1}: ${decimal(one.at(-1) ?? null)} s, all ${decimal(all.at(-1) ?? null)} s`,
        );
      }
    } finally {
      await cluster.stop();
      removeDirectory(directory);
    }
    figures[name] = { one, all };
  }
  const rows = ways.map(({ name }) => {
    const { one, all } = figures[name] as { one: number[]; all: number[] };
    return [
      name,
      decimal(median(one)),
      decimal(Math.max(...one)),
      decimal(median(all)),
      decimal(Math.max(...all)),
    ];
  });
  const heading = [
    'state',
    'a follower until it is ready, s',
    'slowest',
    'all killed, until a leader serves, s',
    'slowest',
  ];
  return { lines: ['Aim: under 3 s.', '', ...markdownTable([heading, ...rows])], figures };
}

export const restart: Question = {
  name: 'restart',
  title: 'Restart with 1 million keys of 100 bytes',
  run,
};
