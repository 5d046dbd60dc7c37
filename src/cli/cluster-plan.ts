import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { z } from 'zod';
import { BellwetherError } from '../errors.ts';
import { readIdentity } from '../node/data-directory.ts';
import { makeDirectoryDurably, writeFileDurably } from '../node/durable-file.ts';
import { findJoined } from './joined-nodes.ts';

/** Names the cluster whose data lies beside it, for `up`, `status` and `log`. */
export const clusterFile = 'cluster.json';
const formatVersion = 1;
const host = '127.0.0.1';
/** Peer ports begin this far above client ports, admin ports twice as far. */
export const portStep = 100;

/** One node of a cluster on this machine. */
export interface PlannedNode {
  readonly id: string;
  /** Its data directory. */
  readonly dir: string;
  /** Addresses, `host:port`. */
  readonly client: string;
  readonly peer: string;
  readonly admin: string;
  /** It came to the cluster later: not by `up`, which starts it all the same. */
  readonly joined?: true | undefined;
  /** It was removed from the cluster, which began with it. */
  readonly left?: true | undefined;
}

export interface ClusterPlan {
  readonly cluster: string;
  readonly dir: string;
  readonly nodes: readonly PlannedNode[];
  /** Where the nodes that the cluster began with talk to each other, `id=host:port,…`. */
  readonly peers: string;
  /** What the operator should know, a line each. */
  readonly notes: readonly string[];
}

const planSchema = z.object({
  format: z.literal(formatVersion),
  cluster: z.string().min(1),
  nodes: z
    .array(
      z.object({
        ...{ id: z.string(), client: z.string(), peer: z.string(), admin: z.string() },
        joined: z.literal(true).optional(),
        left: z.literal(true).optional(),
        /** The directory, where it is not named like the node. */
        at: z.string().optional(),
      }),
    )
    .min(1),
});

function foreign(what: string, advice: string): BellwetherError {
  return new BellwetherError('BW_DATA_FOREIGN', what, advice);
}

/** The cluster that a directory of `up` belongs to; null when there is none. Throws BW_DATA_FOREIGN. */
export function readPlan(dir: string): ClusterPlan | null {
  const file = path.join(dir, clusterFile);
  if (!fs.existsSync(file)) return null;
  let result: ReturnType<typeof planSchema.safeParse>;
  try {
    result = planSchema.safeParse(JSON.parse(fs.readFileSync(file, 'utf8')));
  } catch (error) {
    throw foreign(`${file} cannot be read (${(error as Error).message})`, 'Choose another --dir.');
  }
  if (!result.success) throw foreign(`${file} is not as 'bellwether up' writes it`, 'Choose another --dir.');
  const { cluster, nodes } = result.data;
  const planned = nodes.map(({ at, ...node }) => ({ ...node, dir: path.join(dir, at ?? node.id) }));
  return { cluster, dir, nodes: planned, peers: peersOf(planned), notes: [] };
}

function peersOf(nodes: readonly PlannedNode[]): string {
  return founding(nodes)
    .map(({ id, peer }) => `${id}=${peer}`)
    .join(',');
}

function founding(nodes: readonly PlannedNode[]): PlannedNode[] {
  return nodes.filter(({ joined }) => joined !== true);
}

/** Checks what lies in the directory. Throws BW_DATA_FOREIGN when it is another cluster's, or none of ours. */
function checkDirectory(known: ClusterPlan | null, dir: string, count: number): void {
  if (known === null) {
    const names = fs.existsSync(dir) ? fs.readdirSync(dir).filter((name) => !name.startsWith('lock-')) : [];
    if (names.length > 0)
      throw foreign(`${dir} is not empty and has no ${clusterFile}`, 'Choose an empty or new --dir.');
    return;
  }
  const founders = founding(known.nodes);
  if (founders.length !== count)
    throw foreign(
      `${dir} belongs to a cluster that began with ${founders.length} nodes, not with ${count}`,
      `Start it with --nodes ${founders.length}, choose another --dir, or add --fresh to begin again without its data.`,
    );
  for (const node of founders) {
    const identity = readIdentity(node.dir);
    if (identity !== null && (identity.cluster !== known.cluster || identity.node !== node.id))
      throw foreign(
        `${node.dir} belongs to node ${identity.node} of cluster ${identity.cluster}, not to node ${node.id} of cluster ${known.cluster}`,
        'Put the right directory there, or choose another --dir.',
      );
  }
}

/** Removes the data of the cluster in a directory; what `up` did not make stays. */
export function removeData(dir: string): void {
  const plan = readPlan(dir);
  if (plan === null) return;
  for (const node of founding(plan.nodes)) fs.rmSync(node.dir, { recursive: true, force: true });
  fs.rmSync(path.join(dir, clusterFile), { force: true });
}

/** The cluster to run in a directory, remembered there. Throws BW_DATA_FOREIGN. */
export function makePlan(dir: string, count: number, port: number): ClusterPlan {
  const known = readPlan(dir);
  checkDirectory(known, dir, count);
  makeDirectoryDurably(dir);
  const founders = Array.from({ length: count }, (_, i) => ({
    id: `n${i + 1}`,
    dir: path.join(dir, `n${i + 1}`),
    client: `${host}:${port + i}`,
    peer: `${host}:${port + portStep + i}`,
    admin: `${host}:${port + 2 * portStep + i}`,
  }));
  const cluster = known?.cluster ?? `local-${randomBytes(4).toString('hex')}`;
  const { joined, left, notes } = findJoined(dir, cluster, founders);
  const joiners = joined.map((node, i) => {
    const admin = known?.nodes.find(({ id }) => id === node.id)?.admin;
    return { ...node, admin: admin ?? `${host}:${port + 2 * portStep + count + i}` };
  });
  const stored = {
    format: formatVersion,
    cluster,
    nodes: [...founders, ...joiners].map(({ dir: place, ...node }) => ({
      ...node,
      ...(left.includes(node.id) ? { left: true } : {}),
      ...(path.basename(place) === node.id ? {} : { at: path.basename(place) }),
    })),
  };
  writeFileDurably(path.join(dir, clusterFile), `${JSON.stringify(stored, null, 2)}\n`);
  const nodes = [...founders.filter(({ id }) => !left.includes(id)), ...joiners];
  return { cluster, dir, nodes, peers: peersOf(founders), notes };
}

function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Rejects with BW_PORT_TAKEN, naming every port that another process has. */
export async function checkPorts(plan: ClusterPlan): Promise<void> {
  const taken: string[] = [];
  for (const node of plan.nodes)
    for (const address of [node.client, node.peer, node.admin]) {
      const port = portOf(address);
      if (!(await portIsFree(port))) taken.push(String(port));
    }
  if (taken.length === 0) return;
  throw new BellwetherError(
    'BW_PORT_TAKEN',
    `another process listens on port ${taken.join(', ')} of ${host}`,
    'Stop it, or choose other ports with --port.',
  );
}

export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
