import { BellwetherError } from '../errors.ts';
import type { NodeStatus } from '../server/status-types.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { type AskedNode, isStarting, leaderOf, shardsOf } from './cluster-view.ts';

const pollMs = 50;

/** The node of that name among those that answer; null when it does not. */
export function nodeNamed(asked: readonly AskedNode[], name: string): NodeStatus | null {
  return asked.find(({ status }) => status?.node === name)?.status ?? null;
}

/** The same. Throws BW_NOT_A_CLUSTER. */
export function answeringNode(asked: readonly AskedNode[], name: string): NodeStatus {
  const node = nodeNamed(asked, name);
  if (node !== null) return node;
  const known = asked.flatMap(({ status }) => status?.node ?? []).join(', ');
  throw new BellwetherError(
    'BW_NOT_A_CLUSTER',
    `no node ${name} answers`,
    known === '' ? 'Say with --admin where the nodes are.' : `These do: ${known}.`,
  );
}

/** Why a node cannot be stopped without clients noticing, a line each; none when it can. */
export function risksOfStopping(asked: readonly AskedNode[], name: string): string[] {
  const own = nodeNamed(asked, name)?.shards ?? [];
  const ofShards = own.flatMap(({ shard }) => {
    const leader = leaderOf(asked, shard);
    if (leader === null || !leader.shard.serving) return [`shard ${shard} has no leader`];
    if (leader.node.node === name) return [`shard ${shard} is still led by ${name}`];
    const { followers, neededInSync } = leader.shard;
    const left = 1 + followers.filter(({ node, inSync }) => inSync && node !== name).length;
    return left >= neededInSync
      ? []
      : [
          `shard ${shard} would have ${left} of ${followers.length + 1} replicas in sync and needs ${neededInSync}`,
        ];
  });
  return [...ofShards, ...risksOfMetadata(asked, name)];
}

/** The same of the metadata, which no client waits for, but without which no member of any shard changes. */
function risksOfMetadata(asked: readonly AskedNode[], name: string): string[] {
  const led = asked.flatMap(({ status }) => (status?.metadata.leader === status?.node ? (status ?? []) : []));
  // Nodes of older versions say less; a deposed leader may not know it yet.
  const [newest] = led
    .filter(({ metadata }) => metadata.voters !== undefined)
    .sort((a, b) => b.metadata.inSync.length - a.metadata.inSync.length);
  if (newest === undefined) return led.length > 0 ? [] : ['nobody leads the metadata'];
  if (newest.node === name) return [`the metadata is still led by ${name}`];
  const { voters, inSync } = newest.metadata;
  const left = inSync.filter((node) => node !== name).length;
  const needed = Math.floor(voters.length / 2) + 1;
  return left >= needed
    ? []
    : [`the metadata would have ${left} of ${voters.length} replicas in sync and needs ${needed}`];
}

/** What keeps the cluster from being whole, a line each: nodes that are silent, shards without leader or with replicas behind. */
export function wounds(asked: readonly AskedNode[]): string[] {
  const silent = asked.filter(({ status }) => status === null).map(({ name }) => `${name} does not answer`);
  const shards = shardsOf(asked).flatMap((shard) => {
    const leader = leaderOf(asked, shard);
    if (leader === null || !leader.shard.serving) return [`shard ${shard} has no leader`];
    const behind = leader.shard.followers.filter(({ inSync }) => !inSync);
    return behind.map(({ node, why }) => `${node} is not in sync in shard ${shard}: ${why}`);
  });
  const empty = asked.filter(({ status }) => status !== null && isStarting(status));
  return [...silent, ...empty.map(({ name }) => `${name} is starting`), ...shards];
}

/** Some of several lines, as one. */
export function few(lines: readonly string[]): string {
  const shown = lines.slice(0, 3).join('; ');
  return lines.length <= 3 ? shown : `${shown}; and ${lines.length - 3} more`;
}

/**
 * Asks the nodes again and again until `missing` is empty. Rejects with BW_NOT_DONE after `patienceMs`.
 * @param goal what is waited for, for the message
 */
export async function waitUntil(
  access: ClusterAccess,
  patienceMs: number,
  goal: string,
  missing: (asked: readonly AskedNode[]) => readonly string[],
): Promise<AskedNode[]> {
  const endMs = performance.now() + patienceMs;
  for (;;) {
    const asked = await access.ask();
    const lines = missing(asked);
    if (lines.length === 0) return asked;
    if (performance.now() > endMs)
      throw new BellwetherError(
        'BW_NOT_DONE',
        `not within ${Math.round(patienceMs / 1000)} s: ${goal} (${few(lines)})`,
        "See 'bellwether status'; run the command again when that is mended.",
      );
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
