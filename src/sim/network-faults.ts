import type { NodeId } from '../core/types.ts';
import type { Fault } from './fault-plan.ts';
import type { SimNetwork } from './network.ts';

export type NetworkFault = Extract<
  Fault,
  { kind: 'partition' | 'one way' | 'break' | 'cut off' | 'deaf' | 'mute' | 'clog' }
>;

/** Puts a fault into the network. `hit` hears when it changed something. Answers what takes it out again. */
export function disturbNetwork(
  network: SimNetwork,
  nodes: readonly NodeId[],
  fault: NetworkFault,
  hit: () => void,
): () => void {
  const { paths } = network;
  switch (fault.kind) {
    case 'break':
      if (network.breakLinks(fault.from, fault.to)) hit();
      return () => {};
    case 'clog':
      return paths.clog(fault.from, fault.to, fault.ms, hit);
    default: {
      const unblock = blockedBy(fault, nodes).map(([from, to]) => paths.block(from, to, hit));
      return () => {
        for (const open of unblock) open();
      };
    }
  }
}

type Pair = readonly [from: NodeId, to: NodeId];

function blockedBy(
  fault: Exclude<NetworkFault, { kind: 'break' | 'clog' }>,
  nodes: readonly NodeId[],
): Pair[] {
  switch (fault.kind) {
    case 'partition': {
      const there = nodes.filter((node) => !fault.side.includes(node));
      return fault.side.flatMap((a) => there.flatMap((b): Pair[] => bothWays(a, b)));
    }
    case 'one way':
      return [[fault.from, fault.to]];
    case 'cut off':
      return bothWays(fault.from, fault.to);
    case 'deaf':
      return nodes.map((node) => [node, fault.node]);
    case 'mute':
      return nodes.map((node) => [fault.node, node]);
  }
}

function bothWays(a: NodeId, b: NodeId): Pair[] {
  return [
    [a, b],
    [b, a],
  ];
}
