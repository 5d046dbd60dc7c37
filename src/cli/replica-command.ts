import { type Flags, flagHelp, integerFlag, parseArguments, usageError } from './arguments.ts';
import { ClusterAccess, controlFlags } from './cluster-access.ts';
import { leaderOf } from './cluster-view.ts';
import type { Command } from './command.ts';
import { changeMetadata } from './metadata-access.ts';
import { waitUntil } from './planned-work.ts';

const mostShards = 65_535;

const flags: Flags = {
  timeout: { form: 'seconds', default: '300', help: 'How long to wait until all replicas are in sync.' },
  ...controlFlags,
};

export const replicaCommand: Command = {
  name: 'replica',
  summary: 'give a shard a replica on another node, take one away, or move it',
  help: () => `Changes where a shard has replicas, while clients go on. A new replica is brought up to date before it votes, and before
one that it replaces goes. The decision stands when the command ends early: the cluster carries it out.

Usage: bellwether replica add <shard> <node> [flags]
       bellwether replica remove <shard> <node> [flags]
       bellwether replica move <shard> <from> <to> [flags]

${flagHelp(flags)}
`,
  run,
};

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'replica');
  const [what = '', shardText = '', ...nodes] = rest;
  const expected: Record<string, number> = { add: 1, remove: 1, move: 2 };
  if (!Object.hasOwn(expected, what)) throw usageError('add, remove or move is expected', 'replica');
  if (nodes.length !== expected[what])
    throw usageError(
      `a shard and ${expected[what] === 1 ? 'one node are' : 'two nodes are'} expected`,
      'replica',
    );
  const shard = integerFlag(shardText, 'shard', 1, mostShards, 'replica');
  const patienceMs = 1000 * integerFlag(given['timeout'] ?? '300', 'timeout', 1, 86_400, 'replica');
  const access = new ClusterAccess(given, 'replica');
  const words = ['REPLICA', what.toUpperCase(), String(shard), ...nodes];
  const gone = what === 'add' ? [] : nodes.slice(0, 1);
  const come = what === 'add' ? nodes : nodes.slice(1);
  const decided = await changeMetadata(access, patienceMs, words, ({ shards }) => {
    const has = shards[String(shard)]?.members ?? [];
    return come.every((node) => has.includes(node)) && !gone.some((node) => has.includes(node));
  });
  const members = [...(decided.shards[String(shard)]?.members ?? [])].sort();
  await waitUntil(access, patienceMs, `shard ${shard} is on ${members.join(', ')}`, (asked) => {
    const leader = leaderOf(asked, shard);
    if (leader?.shard.serving !== true)
      return [`nobody leads shard ${shard} among the nodes that were asked`];
    const { voters, learners, followers } = leader.shard;
    const behind = followers.filter(({ inSync }) => !inSync).map(({ node, why }) => `${node}: ${why}`);
    if (learners.length === 0 && [...voters].sort().join() === members.join()) return behind;
    return [
      `it is on ${voters.join(', ')}${learners.length > 0 ? ` and, still learning, on ${learners}` : ''}`,
    ];
  });
  process.stdout.write(`Shard ${shard} is on ${members.join(', ')}.\n`);
  return 0;
}
