import path from 'node:path';
import { BellwetherError } from '../errors.ts';
import { fetchStatus } from './admin-client.ts';
import { type Flags, flagHelp, parseArguments, usageError } from './arguments.ts';
import { readPlan } from './cluster-plan.ts';
import { type AskedNode, clusterLines } from './cluster-view.ts';
import type { Command } from './command.ts';
import { Screen } from './screen.ts';

const watchMs = 1000;
const defaultAdmin = '127.0.0.1:7201,127.0.0.1:7202,127.0.0.1:7203';

const flags: Flags = {
  admin: {
    form: 'host:port,…',
    help: 'Admin addresses of the nodes. Without it: those of the cluster that was started in --dir.',
  },
  dir: { form: 'path', default: '.bellwether', help: "Data directory of 'bellwether up'." },
  watch: { form: null, help: 'Show it again every second until Ctrl-C.' },
  json: { form: null, help: 'What the nodes answer, as JSON.' },
};

export const statusCommand: Command = {
  name: 'status',
  summary: 'show who leads each shard and how far its followers are',
  help: () => `Shows per shard the leader, term, last LSN and commit, and per follower what it has received, flushed and applied, its
lag, and whether it is in sync. Exits with 1 when no node answers.

Usage: bellwether status [flags]

${flagHelp(flags)}
`,
  run,
};

interface Target {
  readonly name: string;
  readonly admin: string;
}

function targets(admin: string | undefined, dir: string): Target[] {
  const plan = admin === undefined ? readPlan(path.resolve(dir)) : null;
  if (plan !== null) return plan.nodes.map(({ id, admin: address }) => ({ name: id, admin: address }));
  return (admin ?? defaultAdmin).split(',').map((address) => {
    if (!/^.+:\d+$/.test(address))
      throw usageError(`--admin has '${address}', which is no host:port`, 'status');
    return { name: address, admin: address };
  });
}

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'status');
  if (rest.length > 0) throw usageError(`'${rest[0]}' is no flag`, 'status');
  const nodes = targets(given['admin'], given['dir'] ?? '.bellwether');
  const screen = new Screen(process.stdout);
  for (;;) {
    const asked: AskedNode[] = await Promise.all(
      nodes.map(async ({ name, admin }) => ({ name, status: await fetchStatus(admin) })),
    );
    const reached = asked.some(({ status }) => status !== null);
    if (given['json'] === 'on')
      process.stdout.write(`${JSON.stringify(asked.map(({ status }) => status))}\n`);
    else if (given['watch'] === 'on') {
      const lines = clusterLines(asked);
      screen.live(lines, `${lines.join('\n')}\n`);
    } else if (reached) process.stdout.write(`${clusterLines(asked).join('\n')}\n`);
    if (given['watch'] !== 'on') {
      if (reached) return 0;
      const where = nodes.map(({ admin }) => admin).join(', ');
      throw new BellwetherError(
        'BW_NOT_A_CLUSTER',
        `no node answers at ${where}`,
        "Start one with 'bellwether up', or say with --admin where the nodes are.",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, watchMs));
  }
}
