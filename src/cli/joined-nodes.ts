import fs from 'node:fs';
import path from 'node:path';
import type { Metadata } from '../cluster/metadata.ts';
import { metadataFile, metadataFromText } from '../cluster/metadata-file.ts';
import { readIdentity } from '../node/data-directory.ts';
import type { PlannedNode } from './cluster-plan.ts';

/** What `up` finds in its directory beside the nodes that it began with. */
export interface Found {
  /** Nodes that joined the cluster later, with their addresses for clients and peers. */
  readonly joined: readonly Omit<PlannedNode, 'admin'>[];
  /** Nodes of the beginning that have left the cluster. */
  readonly left: readonly string[];
  /** What the operator should know of others, a line each. */
  readonly notes: readonly string[];
}

/** Looks into every directory beside those of the nodes that the cluster began with. Throws BW_DATA_FOREIGN. */
export function findJoined(dir: string, cluster: string, founders: readonly PlannedNode[]): Found {
  const places = fs
    .readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => path.join(dir, name));
  const metadata = newest(places);
  if (metadata === null) return { joined: [], left: [], notes: [] };
  const joined: Omit<PlannedNode, 'admin'>[] = [];
  const notes: string[] = [];
  const ids = new Set(founders.map(({ id }) => id));
  for (const place of places) {
    const identity = founders.some((node) => node.dir === place) ? null : readIdentity(place);
    if (identity === null || identity.cluster !== cluster || !identity.joined) continue;
    const { node: id, instance } = identity;
    const record = metadata.nodes.get(id);
    ids.add(id);
    if (record === undefined || record.instance !== instance)
      notes.push(`${place} is of a node that has not joined: start it with 'bellwether node --join'.`);
    else if (record.state !== 'removed')
      joined.push({ id, dir: place, client: record.client, peer: record.peer, joined: true });
  }
  for (const [id, { state }] of metadata.nodes)
    if (!ids.has(id) && state !== 'removed')
      notes.push(
        `${id} belongs to the cluster and its data is not in ${dir}: start it with 'bellwether node --id ${id} --dir …', or take it out with 'bellwether remove-node ${id}'.`,
      );
  const left = founders.map(({ id }) => id).filter((id) => metadata.nodes.get(id)?.state === 'removed');
  for (const id of left) notes.push(`${id} was removed from the cluster and is not started.`);
  return { joined, left, notes };
}

/** The newest metadata that any of these nodes knows. */
function newest(places: readonly string[]): Metadata | null {
  let best: Metadata | null = null;
  for (const place of places) {
    const file = path.join(place, metadataFile);
    const known = fs.existsSync(file) ? metadataFromText(fs.readFileSync(file, 'utf8')) : null;
    if (known !== null && known.epoch > (best?.epoch ?? 0)) best = known;
  }
  return best;
}
