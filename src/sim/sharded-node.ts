import type { Metadata } from '../cluster/metadata.ts';
import { metadataFile, metadataFromText, metadataObject } from '../cluster/metadata-file.ts';
import { NodeShards } from '../cluster/node-shards.ts';
import { oneCopy } from '../cluster/placement.ts';
import type { ShardMap } from '../cluster/shard-map.ts';
import type { NodeId } from '../core/types.ts';
import type { Clock } from '../env/clock.ts';
import type { Logger } from '../env/logger.ts';
import { SavedText } from '../env/saved-text.ts';
import type { Task } from '../env/task.ts';
import type { NodeLog, RecoveredShard } from '../log/types.ts';
import type { NodePlace } from '../shard/leader-notices.ts';
import type { ShardHost } from '../shard/shard-host.ts';
import type { MemoryDisk } from './memory-disk.ts';
import type { PeerPort } from './peer-port.ts';
import type { SimOptions } from './sim-options.ts';

/** Of the replicas of any node; the preferred one is above it. */
const priority = 100;

export function addressOf(node: NodeId): string {
  return `${node}.sim:1`;
}

export function peerAddressOf(node: NodeId): string {
  return `${node}.sim:2`;
}

export function nodeAt(address: string): NodeId {
  return address.slice(0, address.indexOf('.'));
}

/** A cluster of several shards, which keeps its nodes, shards and slots in a metadata shard. */
export interface ClusterShape {
  /** The nodes that it begins with; others may join. */
  readonly founders: readonly NodeId[];
  /** Where shards are when it begins, and on how many nodes each. */
  readonly map: ShardMap;
  readonly replicas: number;
  /** A silent node is replaced after so long; 0: never. */
  readonly replaceAfterMs: number;
  /** The cluster spreads itself when nothing has changed for so long; 0: never. */
  readonly rebalanceAfterMs: number;
  /** In how many zones nodes are; 0: none is said. */
  readonly zones: number;
}

/** What was saved of the metadata in an earlier life. */
export class SavedMetadata {
  readonly #saved: SavedText;

  constructor(disk: MemoryDisk) {
    this.#saved = new SavedText(disk, metadataFile);
  }

  *load(): Task<Metadata | null> {
    return metadataFromText(yield* this.#saved.load());
  }

  save(metadata: Metadata): void {
    this.#saved.save(JSON.stringify(metadataObject(metadata)));
  }
}

interface ShardedNodeParts {
  readonly self: NodeId;
  readonly shape: ClusterShape;
  readonly options: SimOptions;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly host: ShardHost;
  readonly peers: PeerPort;
  readonly recovered: readonly RecoveredShard[];
  readonly incomplete: boolean;
  readonly known: Metadata | null;
  readonly saved: SavedMetadata;
  readonly log: NodeLog;
  /** Where this node is, and where others said to be. */
  readonly place: NodePlace;
  readonly places: ReadonlyMap<NodeId, NodePlace>;
  noLongerFresh(): void;
  /** Hears what this node comes to know, and which epoch it knew before. */
  adopted(before: number, metadata: Metadata): void;
  fatal(error: Error): void;
}

/** A node's part in such a cluster: what src/node/node.ts gives it of the world. */
export function createNodeShards(parts: ShardedNodeParts): NodeShards {
  const { self, shape, options, logger, clock, host, peers, recovered, incomplete, known, saved } = parts;
  const { founders, map, replicas, replaceAfterMs, rebalanceAfterMs } = shape;
  let before = known?.epoch ?? 0;
  return new NodeShards({
    ...{ self, cluster: 'sim', dir: self, logger, clock, host, peers, priority, replicas },
    ...{ recovered, incomplete, known, mayHaveMetadata: true },
    options: { core: options.core, ...options.replica },
    began: { nodes: founders, map },
    log: parts.log,
    identity: () => ({ ...peers.identity, ...parts.place }),
    placeOf: (node) => parts.places.get(node) ?? null,
    leastCopies: () => oneCopy,
    moveBytesPerSecond: () => 64 << 20,
    rebalanceAfterMs: () => rebalanceAfterMs,
    replaceAfterMs: () => replaceAfterMs,
    peerAddress: peerAddressOf,
    clientAddress: addressOf,
    metadataPromised: () => parts.noLongerFresh(),
    adopted: (metadata) => {
      saved.save(metadata);
      host.touched();
      parts.adopted(before, metadata);
      before = metadata.epoch;
    },
    companyMayHaveChanged: () => {},
    fatal: (error) => parts.fatal(error),
  });
}
