import type { CoreOptions } from '../core/options.ts';
import { defaultCoreOptions } from '../core/options.ts';
import type { NodeLogOptions } from '../log/types.ts';
import type { ReplicaOptions } from '../shard/replica-context.ts';
import type { SessionOptions } from '../shard/session-host.ts';
import type { SeededRandom } from './seeded-random.ts';

/** The settings of every node of a run. */
export interface SimOptions {
  readonly core: CoreOptions;
  readonly replica: Omit<ReplicaOptions, 'core'>;
  readonly session: SessionOptions;
  readonly log: NodeLogOptions;
}

/** Limits small enough that a short run meets them: segments fill, caches are too small, followers fall off the log. */
export function drawOptions(random: SeededRandom): SimOptions {
  return {
    core: {
      ...defaultCoreOptions,
      // Candidates that come close together split the votes.
      electionMaxMs: random.pick([600, 600, 330]),
      inflightBytes: random.pick([2 << 10, 64 << 10, 16 << 20]),
      appendBytes: random.pick([512, 8 << 10, 1 << 20]),
      leases: random.chance(0.8),
    },
    replica: {
      minInSync: 1,
      maxMemory: 0,
      evictionPolicy: 'allkeys-lru',
      evictionSamples: 5,
      checkpointBytes: random.pick([4 << 10, 32 << 10, 1 << 20]),
      checkpointMs: random.pick([1000, 5000, 60_000]),
      diskStallMs: 1000,
      replicaMaxLagMs: 10_000,
      snapshotPieceBytes: random.pick([256, 4 << 10, 1 << 20]),
    },
    session: {
      ack: { who: 'majority', stage: random.chance(0.8) ? 'flushed' : 'applied', timeoutMs: 5000 },
      readGate: { who: 'majority', stage: 'flushed', timeoutMs: 5000 },
      readLevel: { kind: 'linearizable', bound: 0 },
      readOnlyLevel: { kind: 'eventual', bound: 0 },
      readWaitMs: 100,
      parkMs: 2000,
      parkBytes: 1 << 20,
      requestBytes: 1 << 20,
    },
    log: {
      segmentBytes: random.pick([64 << 10, 64 << 10, 256 << 10]),
      cacheBytes: random.pick([2 << 10, 16 << 10, 1 << 20]),
      retentionBytes: random.pick([64 << 10, 256 << 10, 1 << 30]),
      retentionMs: 1e9,
      reserveBytes: random.pick([0, 64 << 10]),
    },
  };
}

/** The owners of all slots, two bytes each, are one entry of the metadata: half a segment must hold it. */
export function withRoomForMetadata(options: SimOptions): SimOptions {
  const { log } = options;
  return { ...options, log: { ...log, segmentBytes: Math.max(log.segmentBytes, 128 << 10) } };
}
