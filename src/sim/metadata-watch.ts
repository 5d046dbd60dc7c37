import { type Metadata, readMetadata } from '../cluster/metadata.ts';
import type { ShardMap } from '../cluster/shard-map.ts';
import type { Membership, NodeId } from '../core/types.ts';
import type { Keyspace } from '../state/keyspace.ts';
import { MetadataEpochs } from './metadata-epochs.ts';
import { checkRemoved } from './needed-replicas.ts';
import { checkOwners, checkRouting } from './slot-owners.ts';

/** Holds what nodes know of the metadata against the one true history of it. */
export class MetadataWatch {
  /** The last that was committed. */
  current: Metadata | null = null;
  readonly #epochs = new MetadataEpochs();
  /** The last committed members of each shard. */
  readonly #members: () => ReadonlyMap<number, Membership>;

  constructor(members: () => ReadonlyMap<number, Membership>) {
    this.#members = members;
  }

  /** The state after a committed entry of the metadata's shard that changed something. Answers what is wrong; null when nothing is. */
  committed(state: Keyspace): string | null {
    const before = this.current;
    const metadata = readMetadata(state);
    if (metadata === null) return 'something is written in the metadata, and there is no epoch';
    this.current = metadata;
    return checkOwners(metadata) ?? this.#epochs.committed(metadata) ?? this.#checkLeft(before, metadata);
  }

  #checkLeft(before: Metadata | null, metadata: Metadata): string | null {
    for (const [node, { state }] of metadata.nodes) {
      if (state !== 'removed' || before?.nodes.get(node)?.state === 'removed') continue;
      const problem = checkRemoved(node, this.#members());
      if (problem !== null) return problem;
    }
    return null;
  }

  /** A node goes by this from now on; `before` is the epoch that it went by. */
  adopted(node: NodeId, before: number, metadata: Metadata, map: ShardMap): string | null {
    return (
      this.#epochs.adopted(node, before, metadata) ??
      checkRouting(node, metadata, (slot) => map.ownerOf(slot))
    );
  }
}
