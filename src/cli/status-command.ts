import { type Flags, flagHelp, parseArguments, usageError } from './arguments.ts';
import { accessFlags, ClusterAccess } from './cluster-access.ts';
import { clusterLines } from './cluster-view.ts';
import type { Command } from './command.ts';
import { Screen } from './screen.ts';

const watchMs = 1000;

const flags: Flags = {
  ...accessFlags,
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

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'status');
  if (rest.length > 0) throw usageError(`'${rest[0]}' is no flag`, 'status');
  const access = new ClusterAccess(given, 'status');
  const screen = new Screen(process.stdout);
  for (;;) {
    const watching = given['watch'] === 'on';
    const asked = watching ? await access.ask() : await access.askAny();
    if (given['json'] === 'on')
      process.stdout.write(`${JSON.stringify(asked.map(({ status }) => status))}\n`);
    else {
      const lines = clusterLines(asked);
      if (watching) screen.live(lines, `${lines.join('\n')}\n`);
      else process.stdout.write(`${lines.join('\n')}\n`);
    }
    if (!watching) return 0;
    await new Promise((resolve) => setTimeout(resolve, watchMs));
  }
}
