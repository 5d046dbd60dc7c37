import type { Membership, NodeId } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import { stepVoid, type Task } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import type { RecoveredShard } from '../log/types.ts';
import { givenUp } from '../shard/held-replicas.ts';
import { withoutRecord } from '../shard/opening.ts';
import type { Replica } from '../shard/replica.ts';
import type { ShardHost } from '../shard/shard-host.ts';
import type { Metadata } from './metadata.ts';
import type { ShardMap, ShardPlacement } from './shard-map.ts';

interface OwnReplicasParts {
  readonly self: NodeId;
  readonly dir: string;
  readonly host: ShardHost;
  readonly logger: Logger;
  /** Where each shard was when the cluster began. */
  readonly began: ShardMap;
  /** What the log has of each shard. */
  readonly recovered: readonly RecoveredShard[];
  /** Something may be gone that this node had promised. */
  readonly incomplete: boolean;
  readonly priority: number;
  /** Every other node, for where nobody says who takes part in a shard: the log will, once its leader has sent it. */
  others(): readonly NodeId[];
  /** The process must end. */
  fatal(error: Error): void;
}

/** A replica that was let go, or came and has got nothing yet, is no sign of how its shard began. */
const unfilled: readonly string[] = [givenUp, withoutRecord];

/** The replicas that clients see on this node: opened at its start, and as the metadata gives and takes them. */
export class OwnReplicas {
  readonly #parts: OwnReplicasParts;
  /** Being opened or dropped. */
  readonly #busy = new Set<number>();

  constructor(parts: OwnReplicasParts) {
    this.#parts = parts;
  }

  /** Opens what this node is to have, and what it has and may still be needed for. Throws what keeps the node from serving. */
  *openAll(map: ShardMap, metadata: Metadata | null): Task<void> {
    const { self, recovered, began } = this.#parts;
    for (const { shard, members, preferred } of map.placements) {
      const held = recovered.find((one) => one.shard === shard) ?? null;
      const gaveUp = held?.damage != null && unfilled.includes(held.damage.where);
      const holds = held !== null && (held.last.lsn > 0 || (held.checkpoint.lsn > 0 && !gaveUp));
      if (!members.includes(self) && !holds) continue;
      const founders = membersIn(began, shard);
      const others = members.filter((node) => node !== self);
      const beganAlone = founders.length === 1 && founders.includes(self);
      // Who was given a replica later never votes by what the shard began with, least of all alone.
      const later = metadata !== null && !holds && others.length > 0;
      const isNew = (later && (beganAlone || !founders.includes(self))) || (gaveUp && beganAlone);
      const voters = others.length > 0 ? others : this.#parts.others();
      const initial = isNew ? learnerOf(self, voters) : { voters: founders, learners: [] };
      yield* this.#openAtStart(shard, held, initial);
      this.#prefer(shard, preferred);
    }
  }

  *#openAtStart(shard: number, recovered: RecoveredShard | null, initial: Membership): Task<void> {
    const { incomplete, host } = this.#parts;
    if (recovered === null && incomplete) this.forgotten(shard, initial);
    if (recovered?.damage && recovered.damage.where !== givenUp) this.damaged(recovered);
    yield* stepVoid((done) => host.held.open({ shard, recovered, initial, incomplete }, done));
  }

  /** Says that promises of this replica may be gone. Throws when there is nobody else to ask. */
  forgotten(shard: number, { voters }: Membership): void {
    const alone = voters.length === 1 && voters[0] === this.#parts.self;
    const what = `the log in ${this.#parts.dir} is gone or unreadable, and it was in use`;
    const advice = alone
      ? 'Restore the data directory from a backup, or remove it to begin empty.'
      : 'This replica votes again once a leader has brought it up to date.';
    const error = new BellwetherError('BW_LOG_DAMAGED', what, advice);
    if (alone) throw error;
    this.#parts.logger.error({ code: error.code, shard }, error.message);
  }

  damaged({ shard, damage }: RecoveredShard): void {
    this.#parts.logger.error(
      { code: 'BW_LOG_DAMAGED', shard, where: damage?.where },
      'the log is damaged: this replica does not lead until its peers have repaired it',
    );
  }

  /** Among equals the preferred node leads; whoever never leads does not here either. */
  #prefer(shard: number, preferred: NodeId | null): void {
    const { self, priority, host } = this.#parts;
    const core = host.replicas.get(shard)?.core;
    if (core !== undefined && priority > 0) core.priority = priority + (preferred === self ? 1 : 0);
  }

  /** Opens what the metadata gives this node, and drops what both metadata and the shard itself have taken from it. */
  follow(map: ShardMap): void {
    const { self, host, logger } = this.#parts;
    for (const placement of map.placements) {
      const { shard, members, preferred } = placement;
      const replica = host.replicas.get(shard);
      if (this.#busy.has(shard)) continue;
      if (replica === undefined && members.includes(self)) this.#openLater(placement);
      else if (replica !== undefined && !members.includes(self) && mayGo(replica)) {
        logger.info({ shard }, 'this node is no member of the shard any more: its replica is removed');
        this.#busy.add(shard);
        host.held.drop(replica, (error) => this.#done(shard, error));
      } else this.#prefer(shard, preferred);
    }
  }

  #openLater({ shard, members, preferred }: ShardPlacement): void {
    const { self, host, logger } = this.#parts;
    const others = members.filter((node) => node !== self);
    const known = [host.directory.membersOf(shard) ?? [], others, this.#parts.others()];
    const voters = known
      .map((nodes) => nodes.filter((node) => node !== self))
      .find(({ length }) => length > 0);
    if (voters === undefined) return;
    logger.info({ shard }, 'this node is to have a replica of the shard');
    this.#busy.add(shard);
    const initial = learnerOf(self, voters);
    host.held.open({ shard, recovered: null, initial, incomplete: false }, (error) => {
      this.#done(shard, error);
      this.#prefer(shard, preferred);
    });
  }

  #done(shard: number, error: Error | null): void {
    this.#busy.delete(shard);
    if (error !== null) this.#parts.fatal(error);
  }
}

/** Its leader has committed a membership without this replica, and nothing of it is under way. */
function mayGo({ core, quiet }: Replica): boolean {
  return core.isOutside && core.leadership === null && quiet;
}

function learnerOf(self: NodeId, voters: readonly NodeId[]): Membership {
  return { voters, learners: [self] };
}

function membersIn(map: ShardMap, shard: number): readonly NodeId[] {
  return map.placements.find((one) => one.shard === shard)?.members ?? [];
}
