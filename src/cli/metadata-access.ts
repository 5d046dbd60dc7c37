import { z } from 'zod';
import { BellwetherError } from '../errors.ts';
import type { ClusterAccess } from './cluster-access.ts';

const pollMs = 50;

const shown = z.object({
  epoch: z.number(),
  rebalance: z.boolean().optional(),
  leader: z.object({ node: z.string(), client: z.string().nullable() }).nullable(),
  nodes: z.record(z.string(), z.object({ state: z.string() })).default({}),
  shards: z
    .record(
      z.string(),
      z.object({
        members: z.array(z.string()),
        slots: z.array(z.tuple([z.number(), z.number()])).default([]),
      }),
    )
    .default({}),
  /** Slots that are to be in another shard: the first, the last, the shard. */
  wanted: z.array(z.tuple([z.number(), z.number(), z.number()])).default([]),
});

/** What a node knows of the cluster: nodes, and where replicas and slots are to be. */
export type ShownMetadata = z.infer<typeof shown>;

/**
 * The metadata by the word of the first node that answers. Rejects with BW_NOT_A_CLUSTER.
 * @param last asked only when no other node answers: who leaves a cluster may not hear of the end of it
 */
export async function shownMetadata(
  access: ClusterAccess,
  last: string | null = null,
): Promise<ShownMetadata> {
  const answered = (await access.askAny()).flatMap(({ status }) => status ?? []);
  const client = (answered.find(({ node }) => node !== last) ?? answered[0])?.client as string;
  const text = await access.tell(client, 'REPL', 'METADATA');
  return shown.parse(JSON.parse(String(text)));
}

/**
 * Asks the node that leads the metadata for a change, again while it cannot be made for the moment or its answer does not
 * come; resolves with the metadata when the change is committed. Rejects with BW_REFUSED or BW_NOT_DONE.
 * @param isSo whether the metadata is as asked for: what became of a request without an answer shows there
 */
export async function changeMetadata(
  access: ClusterAccess,
  patienceMs: number,
  words: readonly string[],
  isSo: (metadata: ShownMetadata) => boolean,
): Promise<ShownMetadata> {
  const endMs = performance.now() + patienceMs;
  let asked = false;
  for (let why = 'nobody leads the metadata'; ; ) {
    try {
      const now = await shownMetadata(access);
      if (asked && isSo(now)) return now;
      const leader = now.leader?.client ?? null;
      if (leader !== null) {
        await access.tell(leader, 'REPL', ...words);
        asked = true;
        why = 'it is not committed';
      }
    } catch (error) {
      if (!(error instanceof BellwetherError) || !mayPass(error, asked)) throw error;
      asked ||= error.code === 'BW_NOT_A_CLUSTER';
      why = error.message;
    }
    if (performance.now() > endMs)
      throw new BellwetherError(
        'BW_NOT_DONE',
        `not within ${Math.round(patienceMs / 1000)} s: the change of the metadata (${why})`,
        "See 'bellwether status'; run the command again when that is mended.",
      );
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Another change or leader is in the way, a node does not answer, or what was asked for before is on its way. */
function mayPass({ code, message }: BellwetherError, asked: boolean): boolean {
  return code === 'BW_NOT_A_CLUSTER' || message.includes('TRYAGAIN') || asked;
}
