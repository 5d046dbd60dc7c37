import { BellwetherError } from '../errors.ts';
import { loadConfig, type OptionTexts } from '../node/config.ts';
import { joinCluster } from '../node/joining.ts';
import { BellwetherNode } from '../node/node.ts';
import { optionHelp } from '../node/option-docs.ts';
import { optionForm, optionNames, optionTable } from '../node/options.ts';
import { endProcess, guardProcess } from '../node/process-guard.ts';
import { type Flags, parseArguments, usageError } from './arguments.ts';
import type { Command } from './command.ts';
import type { NodeReport, NodeRequest } from './supervision.ts';

/** Every option of a node, as flags. */
export const nodeFlags: Flags = Object.fromEntries(
  optionNames.map((name) => [name, { form: optionForm(optionTable[name]), help: optionTable[name].help }]),
);

export const nodeCommand: Command = {
  name: 'node',
  summary: 'run one node of a cluster',
  help: () => `Runs one node in the foreground until SIGTERM or SIGINT, handing leadership over before it ends.

Usage: bellwether node --id n1 --dir data/n1 --peers n1=host:port,n2=host:port,n3=host:port [flags]

Every flag can also be given in the environment (--ack-timeout as BELLWETHER_ACK_TIMEOUT) or in the TOML file that
--config names; see docs/configuration.md.

${optionHelp()}
`,
  run,
};

async function run(argv: readonly string[]): Promise<number> {
  const { flags, rest } = parseArguments(argv, nodeFlags, 'node');
  if (rest.length > 0) throw usageError(`'${rest[0]}' is no flag`, 'node');
  const supervised = process.send !== undefined;
  let node: BellwetherNode;
  try {
    node = new BellwetherNode(
      await joinCluster(loadConfig(flags as OptionTexts, process.env)),
      (error) => endProcess(node.logger, error, (code) => process.exit(code)),
      () => stop(true),
    );
  } catch (error) {
    await report({ kind: 'failed', message: messageOf(error) });
    throw error;
  }
  guardProcess(node.logger);
  const stop = (handOver: boolean): void => {
    node.stop({ handOver }).then(
      () => process.exit(0),
      (error) => endProcess(node.logger, error, (code) => process.exit(code)),
    );
  };
  process.on('SIGTERM', () => stop(true));
  process.on('SIGINT', () => stop(true));
  if (supervised) {
    process.on('message', (request: NodeRequest) => stop(request.handOver));
    // The channel closes with the process that started this one, however that one ended.
    process.on('disconnect', () => stop(false));
  }
  try {
    await node.start();
  } catch (error) {
    await report({ kind: 'failed', message: messageOf(error) });
    endProcess(node.logger, error, (code) => process.exit(code));
  }
  await report({ kind: 'started' });
  return await new Promise<number>(() => undefined);
}

function messageOf(error: unknown): string {
  return error instanceof BellwetherError ? error.message : String(error);
}

/** Tells the process that started this one, if it listens. */
function report(what: NodeReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(what, undefined, undefined, () => resolve());
  });
}
