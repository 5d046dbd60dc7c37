import { defaultEncodingLimits } from '../commands/encoding.ts';
import type { NodeServices } from '../commands/types.ts';
import type { Clock } from '../env/clock.ts';

/** The node around the shards, for commands: as much of it as a simulated client can ask for. */
export function simServices(clock: Clock): NodeServices {
  return {
    redisVersion: '7.2.0',
    bellwetherVersion: '0.0.0',
    wallMs: () => clock.wallMs(),
    topology: () => [],
    nodes: () => [],
    metadataEpoch: 0,
    metadataText: () => '{}',
    rebalance: () => 'ERR not simulated',
    changeMetadata: () => 'ERR ask the simulator',
    replication: () => [],
    clients: () => [],
    killClient: () => false,
    unblockClient: () => false,
    pauseClients: () => {},
    configGet: () => [],
    configSet: () => 'ERR nothing can be configured here',
    resetStatistics: () => {},
    info: () => [],
    takeOver: () => 'ERR ask the simulator',
    encodingLimits: defaultEncodingLimits,
    handOver: () => 'ERR ask the simulator',
    draining: false,
    drain: () => {},
    shutDown: () => {},
    debugEnabled: false,
    stateDigest: () => '0'.repeat(40),
  };
}
