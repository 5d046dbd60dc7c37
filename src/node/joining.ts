import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Metadata } from '../cluster/metadata.ts';
import { metadataFile, metadataFrom, metadataFromText, metadataObject } from '../cluster/metadata-file.ts';
import { BellwetherError } from '../errors.ts';
import { type Reply, ReplyError } from '../resp/reply-parser.ts';
import type { NodeConfig } from './config.ts';
import { converse } from './converse.ts';
import { createJoining, type DirectoryIdentity, readIdentity } from './data-directory.ts';
import { writeFileDurably } from './durable-file.ts';
import { formatAddress } from './option-values.ts';

/** A cluster without a leader of its metadata for so long does not take nodes in. */
const patienceMs = 30_000;
const retryMs = 100;

/** What REPL METADATA says beside the metadata itself. */
const introduction = z.object({
  cluster: z.string(),
  began: z.object({ nodes: z.array(z.string()).min(1), shards: z.number(), replicas: z.number() }),
  leader: z.object({ node: z.string(), client: z.string().nullable() }).nullable(),
});

/**
 * Makes the data directory of a node that is to join a running cluster, and lets the cluster know of it; answers the
 * configuration with which the node then starts. Does nothing where that is done already, or no `--join` was given.
 * Rejects with BW_CONFIG_INVALID, BW_DATA_FOREIGN, BW_NOT_A_CLUSTER or BW_REFUSED.
 */
export async function joinCluster(config: NodeConfig): Promise<NodeConfig> {
  const identity = readIdentity(config.dir);
  if (identity === null ? config.join === null : !identity.joined) return config;
  if (identity !== null && isKnown(config, identity)) return { ...config, cluster: identity.cluster };
  if (config.join === null)
    throw new BellwetherError(
      'BW_CONFIG_INVALID',
      `${config.dir} was made for a node that joins a cluster, and it has not joined yet`,
      'Give --join again.',
    );
  return await join(config, formatAddress(config.join), identity);
}

/** The node was told that the cluster knows it. */
function isKnown({ dir, id }: NodeConfig, { instance }: DirectoryIdentity): boolean {
  const file = path.join(dir, metadataFile);
  const known = fs.existsSync(file) ? metadataFromText(fs.readFileSync(file, 'utf8')) : null;
  return known?.nodes.get(id)?.instance === instance;
}

async function join(
  config: NodeConfig,
  contact: string,
  made: DirectoryIdentity | null,
): Promise<NodeConfig> {
  const endMs = performance.now() + patienceMs;
  let identity = made;
  for (;;) {
    const asked = await ask(config, contact);
    identity ??= asked.metadata === null ? null : makeDirectory(config, asked);
    const why = identity === null ? 'its metadata is not written yet' : await offer(config, identity, asked);
    if (why === null) return { ...config, cluster: asked.cluster };
    if (performance.now() > endMs)
      throw new BellwetherError(
        'BW_REFUSED',
        `the cluster of ${contact} did not take ${config.id} in within ${patienceMs / 1000} s: ${why}`,
        "See 'bellwether status' of the cluster.",
      );
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

type Asked = z.infer<typeof introduction> & { readonly metadata: Metadata | null };

async function ask(config: NodeConfig, contact: string): Promise<Asked> {
  const text = await tell(config, contact, 'REPL', 'METADATA');
  const said: unknown = typeof text === 'string' ? JSON.parse(text) : null;
  const about = introduction.safeParse(said);
  if (about.success) return { ...about.data, metadata: metadataFrom(said) };
  const answer = text instanceof ReplyError ? text.message : 'something else';
  throw new BellwetherError(
    'BW_NOT_A_CLUSTER',
    `${contact}, asked for its metadata, answers ${answer}`,
    'Give with --join where clients reach a node of the cluster, and its --password.',
  );
}

function makeDirectory({ dir, id }: NodeConfig, { cluster, began }: Asked): DirectoryIdentity {
  const { nodes: voters, shards, replicas } = began;
  return createJoining(dir, { cluster, node: id, voters, shards, replicas });
}

/** Asks to be let in, as far as that has not happened; null when it has, else why it has not yet. */
async function offer(
  config: NodeConfig,
  { instance }: DirectoryIdentity,
  { metadata, leader }: Asked,
): Promise<string | null> {
  const { id, dir } = config;
  if (metadata?.nodes.get(id)?.instance === instance) {
    writeFileDurably(path.join(dir, metadataFile), JSON.stringify(metadataObject(metadata)));
    return null;
  }
  if (leader === null || leader.client === null) return 'nobody leads its metadata';
  const client = formatAddress(config.announce ?? config.listen);
  const peer = formatAddress(config['peer-announce'] ?? config['peer-listen']);
  // An older version knows no zones; the node tells its own again when it has started.
  const zone = config.zone === '' ? [] : [config.zone];
  const words = ['REPL', 'NODE', 'ADD', id, peer, client, instance, ...zone];
  const reply = await tell(config, leader.client, ...words);
  if (!(reply instanceof ReplyError)) return 'that it was let in is not committed yet';
  if (reply.message.startsWith('TRYAGAIN')) return reply.message;
  throw new BellwetherError(
    'BW_REFUSED',
    `the cluster does not take ${id} in (${reply.message})`,
    'Give the node another --id, an empty --dir and addresses of its own.',
  );
}

async function tell({ password }: NodeConfig, address: string, ...words: readonly string[]): Promise<Reply> {
  const login = password === '' ? [] : [['AUTH', password]];
  const replies = await converse(address, [...login, words]);
  return replies.at(-1) ?? null;
}
