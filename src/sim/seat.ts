import type { Membership, NodeId } from '../core/types.ts';
import type { Replica } from '../shard/replica.ts';
import type { SimClock } from './sim-clock.ts';
import type { SimDisk } from './sim-disk.ts';
import type { Life, SimNode } from './sim-node.ts';

/** A node's place in one shard: its replica, when it has one. */
export class Seat {
  readonly id: NodeId;
  readonly node: SimNode;
  readonly shard: number;
  /** Who took part when the shard began. */
  readonly founders: Membership;

  constructor(node: SimNode, shard: number, founders: Membership) {
    this.id = node.id;
    this.node = node;
    this.shard = shard;
    this.founders = founders;
  }

  /** The replica, when a process runs that has opened it. */
  get replica(): Replica | null {
    return this.node.replicaOf(this.shard);
  }

  get life(): Life | null {
    return this.node.life;
  }

  get disk(): SimDisk {
    return this.node.disk;
  }

  get clock(): SimClock {
    return this.node.clock;
  }

  /** Who took part as far as it was told before it had any log. */
  get told(): Membership {
    return this.node.toldOf(this.shard) ?? this.founders;
  }

  /** It was told of those with whom the shard began, not of members that came later. */
  get toldOfFounders(): boolean {
    const { told, founders } = this;
    return told === founders || sorted(told) === sorted(founders);
  }
}

function sorted({ voters, learners }: Membership): string {
  return `${[...voters].sort().join()} ${[...learners].sort().join()}`;
}
