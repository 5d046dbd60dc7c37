import { BellwetherError } from '../errors.ts';
import { nearest } from '../node/nearest.ts';
import { version } from '../version.ts';
import { benchCommand } from './bench-command.ts';
import type { Command } from './command.ts';
import { drainCommand } from './drain-command.ts';
import { handoverCommand } from './handover-command.ts';
import { logCommand } from './log-command.ts';
import { nodeCommand } from './node-command.ts';
import { rebalanceCommand } from './rebalance-command.ts';
import { removeNodeCommand } from './remove-node-command.ts';
import { replicaCommand } from './replica-command.ts';
import { rollingRestartCommand } from './rolling-restart-command.ts';
import { slotsCommand } from './slots-command.ts';
import { statusCommand } from './status-command.ts';
import { upCommand } from './up-command.ts';
import { verifyCommand } from './verify-command.ts';

const commands: readonly Command[] = [
  upCommand,
  nodeCommand,
  statusCommand,
  handoverCommand,
  drainCommand,
  rollingRestartCommand,
  replicaCommand,
  removeNodeCommand,
  rebalanceCommand,
  slotsCommand,
  logCommand,
  benchCommand,
  verifyCommand,
];

const nameColumn = 2 + Math.max(...commands.map(({ name }) => name.length));

function overview(): string {
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(nameColumn)}${summary}`);
  return `bellwether ${version}: a replicated data store that every Redis client can use

Usage: bellwether <command> [flags]

${lines.join('\n')}

bellwether <command> --help tells more. Exit codes: 0 done, 1 failed, 2 wrong use.
`;
}

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const command = commands.find((one) => one.name === rest[0]);
    process.stdout.write(command?.help() ?? overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    const near = nearest(
      name,
      commands.map((one) => one.name),
    );
    process.stderr.write(
      `bellwether: no command '${name}'${near === null ? '' : `; did you mean ${near}?`}\n`,
    );
    process.stderr.write(`\n${overview()}`);
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.help());
    return 0;
  }
  return await command.run(rest);
}

/** A reader that went away, such as `head`, is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof BellwetherError) {
    process.stderr.write(`bellwether: ${error.message}\n`);
    process.exit(error.code === 'BW_CONFIG_INVALID' ? 2 : 1);
  }
  process.stderr.write(`bellwether: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
