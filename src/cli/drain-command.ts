import { type Flags, flagHelp, integerFlag, parseArguments, usageError } from './arguments.ts';
import { ClusterAccess, controlFlags } from './cluster-access.ts';
import type { Command } from './command.ts';
import { answeringNode, risksOfStopping, waitUntil } from './planned-work.ts';

const flags: Flags = {
  undo: { form: null, help: 'Let the node lead again.' },
  timeout: { form: 'seconds', default: '60', help: 'How long to wait until it is safe to stop the node.' },
  ...controlFlags,
};

export const drainCommand: Command = {
  name: 'drain',
  summary: 'make a node lead nothing, so that it can be stopped',
  help: () => `Moves leadership of every shard that a node leads to the others, one after the other and without an error for clients,
and keeps it away. Ends when it is safe to stop the node: every shard is led by another one and has enough replicas in
sync without it. Exits with 1 when that does not come about. The node leads again after --undo, or after a restart.

Usage: bellwether drain <node> [flags]

${flagHelp(flags)}
`,
  run,
};

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'drain');
  const [name] = rest;
  if (name === undefined || rest.length > 1) throw usageError('one node is expected', 'drain');
  const seconds = integerFlag(given['timeout'] ?? '60', 'timeout', 1, 86_400, 'drain');
  const access = new ClusterAccess(given, 'drain');
  const { client } = answeringNode(await access.askAny(), name);
  if (given['undo'] === 'on') {
    await access.tell(client, 'REPL', 'DRAIN', 'OFF');
    process.stdout.write(`${name} may lead again.\n`);
    return 0;
  }
  await drain(access, name, client, seconds * 1000);
  process.stdout.write(`${name} leads nothing, and the others can do without it: it is safe to stop.\n`);
  return 0;
}

/** Resolves when it is safe to stop the node. */
export async function drain(
  access: ClusterAccess,
  name: string,
  client: string,
  patienceMs: number,
): Promise<void> {
  await access.tell(client, 'REPL', 'DRAIN', 'ON');
  await waitUntil(access, patienceMs, `it is safe to stop ${name}`, (asked) => {
    const own = asked.find(({ status }) => status?.node === name)?.status;
    return own?.draining === true ? risksOfStopping(asked, name) : [`${name} does not drain`];
  });
}
