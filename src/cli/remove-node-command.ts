import { BellwetherError } from '../errors.ts';
import { type Flags, flagHelp, integerFlag, parseArguments, usageError } from './arguments.ts';
import { ClusterAccess, controlFlags } from './cluster-access.ts';
import type { Command } from './command.ts';
import { changeMetadata, shownMetadata } from './metadata-access.ts';

const pollMs = 200;

const flags: Flags = {
  timeout: { form: 'seconds', default: '3600', help: 'How long to wait until the node has left.' },
  ...controlFlags,
};

export const removeNodeCommand: Command = {
  name: 'remove-node',
  summary: 'take a node out of the cluster for good',
  help: () => `Moves every replica of a node to the nodes with the fewest that have none of the same shard; where there is no such node,
the shard has one replica less. Then the cluster forgets the node: its process may be stopped, its id is not used again.
A node that is gone for good is removed in the same way.

Usage: bellwether remove-node <node> [flags]

${flagHelp(flags)}
`,
  run,
};

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'remove-node');
  const [name] = rest;
  if (name === undefined || rest.length > 1) throw usageError('one node is expected', 'remove-node');
  const seconds = integerFlag(given['timeout'] ?? '3600', 'timeout', 1, 86_400, 'remove-node');
  const access = new ClusterAccess(given, 'remove-node');
  const endMs = performance.now() + 1000 * seconds;
  // Asked again, the command waits for what was begun.
  const before = await shownMetadata(access, name);
  if (before.nodes[name]?.state !== 'leaving')
    await changeMetadata(
      access,
      1000 * seconds,
      ['NODE', 'REMOVE', name],
      ({ nodes }) => nodes[name] !== undefined && nodes[name].state !== 'member',
    );
  for (;;) {
    const state = await stateOf(access, name);
    if (state === 'removed') break;
    if (performance.now() > endMs)
      throw new BellwetherError(
        'BW_NOT_DONE',
        `not within ${seconds} s: ${name} has left`,
        "It goes on; see 'bellwether status', or run the command again to wait.",
      );
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  process.stdout.write(`${name} has left the cluster; its process may be stopped.\n`);
  return 0;
}

/** Null while nobody says: a node closes its connections when it loses leadership. */
async function stateOf(access: ClusterAccess, name: string): Promise<string | null> {
  try {
    return (await shownMetadata(access, name)).nodes[name]?.state ?? null;
  } catch (error) {
    if (error instanceof BellwetherError && error.code === 'BW_NOT_A_CLUSTER') return null;
    throw error;
  }
}
