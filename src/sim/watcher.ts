import { crc32 } from 'node:zlib';
import type { NodeLog } from '../log/types.ts';
import type { Replica } from '../shard/replica.ts';
import { CommittedEntries } from './committed-entries.ts';
import type { LogView } from './log-matching.ts';
import { checkLogMatching } from './log-matching.ts';
import { OneLeaderPerTerm } from './one-leader.ts';
import type { Life, SimNode } from './sim-node.ts';
import { onlyShard } from './sim-node.ts';
import { StateDigests } from './state-digests.ts';

/** Digests are compared at multiples of this, since each costs a walk over the state. */
const digestEvery = 16;

/** What was last seen of one life of a node. */
interface Seen {
  readonly life: Life;
  commit: number;
  applied: number;
  ledTerm: number;
  manifestLsn: number;
}

/** Looks at all replicas after each event, and checks what must hold whatever happens. */
export class Watcher {
  readonly committed = new CommittedEntries();
  readonly #nodes: readonly SimNode[];
  readonly #violated: (what: string) => void;
  readonly #leaders = new OneLeaderPerTerm();
  readonly #digests = new StateDigests();
  readonly #seen = new Map<SimNode, Seen>();

  constructor(nodes: readonly SimNode[], violated: (what: string) => void) {
    this.#nodes = nodes;
    this.#violated = violated;
  }

  afterEvent(): void {
    for (const node of this.#nodes) {
      const { replica, life } = node;
      if (replica === null || life?.log == null) continue;
      let seen = this.#seen.get(node);
      if (seen === undefined || seen.life !== life) {
        seen = { life, commit: 0, applied: -1, ledTerm: -1, manifestLsn: -1 };
        this.#seen.set(node, seen);
      }
      this.#look(node, replica, life.log, seen);
    }
  }

  #say(problem: string | null): void {
    if (problem !== null) this.#violated(problem);
  }

  #look(node: SimNode, replica: Replica, log: NodeLog, seen: Seen): void {
    const { core } = replica;
    const leads = core.leadership !== null;
    if (leads && core.term !== seen.ledTerm) {
      seen.ledTerm = core.term;
      this.#say(this.#leaders.check({ node: node.id, term: core.term, leads }));
      this.#say(this.committed.checkLeader(viewOf(node.id, replica)));
    }
    if (core.commit > seen.commit) {
      this.#commitRose(node, replica, log, seen.commit);
      seen.commit = core.commit;
    } else if (core.commit < seen.commit) {
      this.#say(`the commit of ${node.id} fell from ${seen.commit} to ${core.commit}`);
      seen.commit = core.commit;
    }
    this.#lookAtState(node, replica, seen);
  }

  #commitRose(node: SimNode, replica: Replica, log: NodeLog, before: number): void {
    const { core } = replica;
    const from = Math.max(before, core.log.base.lsn) + 1;
    if (core.log.base.lsn > 0 && core.log.base.lsn > before)
      this.#say(this.committed.note(node.id, core.log.base.lsn, core.log.base.term, null));
    const checksums = new Map<number, number>();
    for (const batch of log.cached(onlyShard, from, 1 << 20) ?? [])
      for (const entry of batch.entries())
        checksums.set(entry.lsn, crc32(batch.bytes.subarray(entry.start, entry.end)));
    for (let lsn = from; lsn <= core.commit; lsn++)
      this.#say(this.committed.note(node.id, lsn, core.log.termAt(lsn), checksums.get(lsn) ?? null));
  }

  #lookAtState(node: SimNode, replica: Replica, seen: Seen): void {
    const { keyspace, checkpointer } = replica;
    const manifest = checkpointer.latestManifest;
    if (manifest !== null && manifest.lsn !== seen.manifestLsn) {
      seen.manifestLsn = manifest.lsn;
      this.#say(this.#digests.note(`a checkpoint of ${node.id}`, manifest.lsn, manifest.digest));
    }
    const applied = keyspace.appliedLsn;
    if (applied === seen.applied) return;
    seen.applied = applied;
    if (applied % digestEvery === 0) this.lookAtDigest(node);
  }

  /** Compares the state of a replica with that of others at the same LSN, when it may be compared. */
  lookAtDigest(node: SimNode): void {
    const { replica } = node;
    if (replica === null || replica.rebuilding || replica.keyspace.appliedLsn > replica.core.commit) return;
    const { keyspace } = replica;
    this.#say(this.#digests.note(node.id, keyspace.appliedLsn, keyspace.digest()));
  }

  /** The costlier look, for now and then. */
  compareLogs(): void {
    const views = this.#nodes.flatMap((node) =>
      node.replica === null ? [] : [viewOf(node.id, node.replica)],
    );
    views.forEach((a, i) => {
      for (const b of views.slice(i + 1)) this.#say(checkLogMatching(a, b));
    });
  }
}

function viewOf(node: string, { core }: Replica): LogView {
  const { log } = core;
  return { node, baseLsn: log.base.lsn, lastLsn: log.lastLsn, termAt: (lsn) => log.termAt(lsn) };
}
