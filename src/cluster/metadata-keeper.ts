import type { Replica } from '../shard/replica.ts';
import { epochIn, type Metadata, type MetadataChange, readMetadata } from './metadata.ts';
import { changeMetadata } from './metadata-change.ts';

/**
 * The metadata on one node: what is committed and applied of it, and the way to change it where its leader is. What a
 * leader has only executed may still be lost, so nobody goes by that.
 */
export class MetadataKeeper {
  readonly #replica: Replica;
  readonly #adopted: (metadata: Metadata) => void;
  #current: Metadata | null;
  /** The LSN at which the state was looked at last. */
  #seenLsn = -1;

  /**
   * @param known what this node knew to be committed when it last ran
   * @param adopted hears each epoch that this node comes to know of; some may be left out
   */
  constructor(replica: Replica, known: Metadata | null, adopted: (metadata: Metadata) => void) {
    this.#replica = replica;
    this.#current = known;
    this.#adopted = adopted;
  }

  get current(): Metadata | null {
    return this.#current;
  }

  get epoch(): number {
    return this.#current?.epoch ?? 0;
  }

  get leader(): string | null {
    return this.#replica.core.leader;
  }

  /** True where changes can be made, and all earlier ones are known. */
  get mayChange(): boolean {
    const { serving, keyspace } = this.#replica;
    return serving && this.epoch > 0 && epochIn(keyspace) === this.epoch;
  }

  /** Nothing was ever written, also nothing that is on its way. */
  get empty(): boolean {
    return this.#replica.serving && epochIn(this.#replica.keyspace) === 0;
  }

  /** Looks whether more is committed. Called every few milliseconds; costs a comparison as long as nothing is. */
  tick(): void {
    const { keyspace, core, rebuilding } = this.#replica;
    const { appliedLsn } = keyspace;
    if (appliedLsn === this.#seenLsn || rebuilding || appliedLsn > core.commit) return;
    this.#seenLsn = appliedLsn;
    if (epochIn(keyspace) <= this.epoch) return;
    const metadata = readMetadata(keyspace) as Metadata;
    this.#current = metadata;
    this.#adopted(metadata);
  }

  /** Changes what the given epoch has. False when this is not the leader, or the epoch is another one by now. */
  change(decidedBy: number, change: MetadataChange): boolean {
    let done = false;
    this.#replica.write('a change of the metadata', (writer) => {
      done = changeMetadata(writer, decidedBy, change);
    });
    return done;
  }
}
