import { BellwetherError } from '../errors.ts';
import { type Flags, flagHelp, integerFlag, parseArguments, usageError } from './arguments.ts';
import { ClusterAccess, controlFlags } from './cluster-access.ts';
import { type AskedNode, leaderOf, shardsOf } from './cluster-view.ts';
import type { Command } from './command.ts';
import { drain } from './drain-command.ts';
import { answeringNode, few, nodeNamed, waitUntil, wounds } from './planned-work.ts';

const settleMs = 5000;

const flags: Flags = {
  timeout: { form: 'seconds', default: '60', help: 'How long each step of a node may take.' },
  ...controlFlags,
};

export const rollingRestartCommand: Command = {
  name: 'rolling-restart',
  summary: 'restart every node of a cluster, one after the other',
  help: () => `Restarts the nodes one after the other, without an error for clients: drains a node, stops it (SHUTDOWN), waits until it
is back and in sync, and goes on with the next. Whatever runs the nodes must start them again when they end: 'bellwether
up' does, and so do systemd with Restart=always and containers with a restart policy. It does not begin unless every node
answers and is in sync, and stops at the first that does not come back; run again, it begins anew.

Usage: bellwether rolling-restart [flags]

${flagHelp(flags)}
`,
  run,
};

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'rolling-restart');
  if (rest.length > 0) throw usageError(`'${rest[0]}' is no flag`, 'rolling-restart');
  const patienceMs = integerFlag(given['timeout'] ?? '60', 'timeout', 1, 86_400, 'rolling-restart') * 1000;
  const access = new ClusterAccess(given, 'rolling-restart');
  const asked = await settled(access);
  const problems = wounds(asked);
  if (problems.length > 0)
    throw new BellwetherError(
      'BW_REFUSED',
      `a cluster is restarted only while it is whole, and it is not: ${few(problems)}`,
      "See 'bellwether status', and mend that first.",
    );
  const names = asked.flatMap(({ status }) => status?.node ?? []).sort();
  if (names.length < 2)
    throw new BellwetherError(
      'BW_REFUSED',
      `nobody takes over from ${names.join()}, the only node`,
      'Name all nodes with --admin; a single node can only be stopped and started.',
    );
  const beganMs = performance.now();
  for (const [at, name] of names.entries()) {
    const seconds = await restart(access, name, patienceMs);
    process.stdout.write(`${name} was restarted in ${seconds} s (${at + 1} of ${names.length})\n`);
  }
  const total = ((performance.now() - beganMs) / 1000).toFixed(1);
  process.stdout.write(`All ${names.length} nodes were restarted in ${total} s; every replica is in sync.\n`);
  return 0;
}

/** The cluster when it is whole, or as it is when it does not become so soon: a leader that is just handing over is no wound. */
async function settled(access: ClusterAccess): Promise<AskedNode[]> {
  const endMs = performance.now() + settleMs;
  for (;;) {
    const asked = await access.askAny();
    if (wounds(asked).length === 0 || performance.now() > endMs) return asked;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** How long it took, seconds. */
async function restart(access: ClusterAccess, name: string, patienceMs: number): Promise<string> {
  const beganMs = performance.now();
  const before = answeringNode(await access.askAny(), name);
  await drain(access, name, before.client, patienceMs);
  await access.tell(before.client, 'SHUTDOWN');
  let gone = false;
  let goals: ReadonlyMap<number, number> | null = null;
  await waitUntil(access, patienceMs, `${name} is started again and every replica is in sync`, (asked) => {
    const now = nodeNamed(asked, name);
    gone ||= now === null || now.pid !== before.pid || now.uptimeSeconds < before.uptimeSeconds;
    if (!gone) return [`${name} has not ended yet`];
    const lacking = wounds(asked);
    if (lacking.length > 0 || now === null) return lacking;
    // What leaders say of their followers may be older than the restart: it must hold what they had when it was back.
    goals ??= new Map(shardsOf(asked).map((shard) => [shard, leaderOf(asked, shard)?.shard.lastLsn ?? 0]));
    const behind = now.shards.filter(({ shard, flushed }) => flushed < (goals?.get(shard) ?? 0));
    return behind.map(({ shard }) => `${name} has not caught up in shard ${shard}`);
  });
  return ((performance.now() - beganMs) / 1000).toFixed(1);
}
