import { BellwetherError } from '../errors.ts';
import { type Flags, flagHelp, integerFlag, parseArguments, usageError } from './arguments.ts';
import { ClusterAccess, controlFlags } from './cluster-access.ts';
import { leaderOf } from './cluster-view.ts';
import type { Command } from './command.ts';
import { waitUntil } from './planned-work.ts';

const patienceMs = 10_000;
const mostShards = 65_535;

const flags: Flags = {
  to: { form: 'node', help: 'Who leads then; without it, the follower that is best placed.' },
  ...controlFlags,
};

export const handoverCommand: Command = {
  name: 'handover',
  summary: 'move leadership of a shard to another node',
  help: () => `Moves leadership of a shard to a follower that is in sync, without an error for clients: their commands wait for a few
milliseconds and go on at the new leader. It stays there until the next election, whoever is preferred.

Usage: bellwether handover <shard> [flags]

${flagHelp(flags)}
`,
  run,
};

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'handover');
  const [text] = rest;
  if (text === undefined || rest.length > 1) throw usageError('one shard is expected', 'handover');
  const shard = integerFlag(text, 'shard', 0, mostShards, 'handover');
  const access = new ClusterAccess(given, 'handover');
  const before = leaderOf(await access.askAny(), shard);
  if (before === null)
    throw new BellwetherError(
      'BW_NOT_A_CLUSTER',
      `nobody leads shard ${shard} among the nodes that answer`,
      "See 'bellwether status' for the shards.",
    );
  const { to } = given;
  const from = before.node.node;
  if (from === to) {
    process.stdout.write(`${to} leads shard ${shard} already.\n`);
    return 0;
  }
  const target = to === undefined ? [] : ['TO', to];
  await access.tell(before.node.client, 'REPL', 'HANDOVER', String(shard), ...target);
  const asked = await waitUntil(access, patienceMs, `shard ${shard} has another leader`, (now) => {
    const leader = leaderOf(now, shard);
    const moved = leader?.shard.serving === true && leader.shard.term > before.shard.term;
    return moved ? [] : [`${from} leads it in term ${leader?.shard.term ?? before.shard.term}`];
  });
  const { node, shard: after } = leaderOf(asked, shard) as NonNullable<typeof before>;
  process.stdout.write(
    `Shard ${shard}: ${from} handed over to ${node.node}, which leads in term ${after.term}.\n`,
  );
  return 0;
}
