import type { Membership } from '../core/types.ts';
import { origin } from '../core/types.ts';
import type { Task } from '../env/task.ts';
import { runTask } from '../env/task.ts';
import type { RecoveredShard } from '../log/types.ts';
import { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

/** What recovery says of a replica that was let go: nothing that this node still has of it counts for anything. */
export const givenUp = 'a replica that this node gave up';

/** What a replica is opened with, behind the log. */
export interface ReplicaStart {
  readonly shard: number;
  /** What the log has of it; null when that is nothing. */
  readonly recovered: RecoveredShard | null;
  /**
   * Who takes part where no log says so: the members that the shard began with, or for who joins later members that are
   * committed. A node that is told to be the only one serves at once, with whatever it holds: never tell that to one that
   * may have been emptied.
   */
  readonly initial: Membership;
  /** The log may lack what this node had promised. */
  readonly incomplete: boolean;
}

/** The replicas of one node: those that clients see, and one shard that they know nothing of. */
export class HeldReplicas {
  readonly visible = new Map<number, Replica>();
  /** All of them, for what is done to each in every turn. */
  all: readonly Replica[] = [];
  #hidden: Replica | null = null;
  readonly #context: ReplicaContext;

  constructor(context: ReplicaContext) {
    this.#context = context;
  }

  find(shard: number): Replica | undefined {
    return this.visible.get(shard) ?? (this.#hidden?.shard === shard ? this.#hidden : undefined);
  }

  /** `done` hears the error that keeps the node from serving. */
  open(start: ReplicaStart, done: (error: Error | null, replica: Replica) => void): void {
    this.#open(new Replica(start.shard, this.#context), start, done, (replica) => this.add(replica));
  }

  /** The same for the shard that clients do not see: none of their commands depends on it, or on who leads it. */
  openHidden(
    start: ReplicaStart,
    own: Pick<ReplicaContext, 'options' | 'noLongerFresh'>,
    done: (error: Error | null, replica: Replica) => void,
  ): void {
    const touched = (): void => this.#context.touched();
    const nothing = (): void => {};
    const replica = new Replica(start.shard, {
      ...this.#context,
      ...own,
      wholeView: ({ keyspace }) => keyspace,
      ...{ positionsMoved: nothing, roleMayHaveChanged: nothing },
      ...{ servingChanged: touched, deposed: touched },
    });
    this.#open(replica, start, done, () => {
      this.#hidden = replica;
      this.#listAll();
    });
  }

  #open(
    replica: Replica,
    { recovered, initial, incomplete }: ReplicaStart,
    done: (error: Error | null, replica: Replica) => void,
    add: (replica: Replica) => void,
  ): void {
    runTask(replica.open(recovered, initial, incomplete), (error) => {
      if (error === null) add(replica);
      this.#context.touched();
      done(error, replica);
    });
  }

  /** From here on the node runs this replica, and clients find it. */
  add(replica: Replica): void {
    this.visible.set(replica.shard, replica);
    this.#listAll();
  }

  /**
   * The node gives up a quiet replica that is no member of its shard any more, with its log and checkpoints. Its term and
   * vote stay in the log: they cost nothing, and what was promised is never forgotten.
   */
  drop(replica: Replica, done: (error: Error | null) => void): void {
    const { shard } = replica;
    const { log, checkpoints } = this.#context;
    this.visible.delete(shard);
    this.#listAll();
    log.attach(shard, { durable: () => {} });
    // Who is called back, or does not know of its removal when it starts again, must not vote as one that has everything.
    log.inDoubt(shard, { mayHaveAcknowledged: null, hardStateLost: false, where: givenUp });
    log.retainFrom(shard, Number.POSITIVE_INFINITY);
    function* remove(): Task<void> {
      for (const id of yield* checkpoints.list(shard)) yield* checkpoints.remove(id);
    }
    // The log goes last: as long as it holds something, the next start finds the replica and drops it anew.
    runTask(remove(), (error) => {
      if (error === null) log.reset(shard, origin, false);
      this.#context.touched();
      done(error);
    });
  }

  #listAll(): void {
    this.all = [...this.visible.values(), ...(this.#hidden === null ? [] : [this.#hidden])];
  }
}
