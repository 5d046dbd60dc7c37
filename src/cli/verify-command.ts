import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BellwetherError } from '../errors.ts';
import { type Flags, flagHelp, integerFlag, parseArguments, usageError } from './arguments.ts';
import { type ClusterPlan, checkPorts, makePlan, portStep } from './cluster-plan.ts';
import type { Command } from './command.ts';
import { Screen } from './screen.ts';
import { faultWords } from './verify/faults.ts';
import type { Progress, VerifyResult } from './verify/verification.ts';
import { recordFile, Verification } from './verify/verification.ts';

const progressMs = 10_000;
const portTries = 20;

const flags: Flags = {
  minutes: { form: 'number', default: '1', help: 'How long, in minutes; parts of one are fine: 0.5.' },
  seed: { form: 'number', help: 'What chooses faults and requests. Without it: another one each time.' },
  nodes: { form: 'number', default: '3', help: 'How many nodes, one process each.' },
  dir: {
    form: 'path',
    help: 'Where the data goes, a new or empty directory, which stays. Without it: a temporary one, gone when all is well.',
  },
};

export const verifyCommand: Command = {
  name: 'verify',
  summary: 'break a cluster in every way and check that it keeps its promises',
  help: () => `Starts a cluster on this machine for the purpose, uses it with clients of every acknowledgement policy, and meanwhile
kills, stops and restarts its processes, one or all at once, cuts, clogs and slows its links, lets disks fail, hang and
fill, and empties one. Every answer is then checked: no acknowledged write is lost, every history of a key can be
explained by one order of its operations (linearizability), followers never go back, replicas agree.

More than half of the kills also lose what a node had written and not reported durable, as a loss of power does. The
seed repeats what is chosen, not the moment at which the system does it.

Usage: bellwether verify [flags]

${flagHelp(flags)}

Exits with 0 when nothing was found, and with 1 when something was.
`,
  run,
};

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'verify');
  if (rest.length > 0) throw usageError(`'${rest[0]}' is no flag`, 'verify');
  const minutes = /^\d{1,6}(\.\d{1,3})?$/.test(given['minutes'] ?? '1') ? Number(given['minutes'] ?? '1') : 0;
  if (minutes <= 0)
    throw usageError(`--minutes is '${given['minutes']}' and must be a number above 0`, 'verify');
  const most = Number.MAX_SAFE_INTEGER;
  const seed =
    given['seed'] === undefined
      ? Math.floor(Math.random() * 1e9)
      : integerFlag(given['seed'], 'seed', 0, most, 'verify');
  const nodes = integerFlag(given['nodes'] ?? '3', 'nodes', 1, 9, 'verify');
  const temporary = given['dir'] === undefined;
  const dir = path.resolve(given['dir'] ?? fs.mkdtempSync(path.join(os.tmpdir(), 'bellwether-verify-')));
  const plan = await planWithPorts(dir, nodes);
  const ms = minutes * 60_000;
  process.stdout.write(`Seed ${seed}, ${nodes} nodes, ${minutes} minutes, data in ${dir}\n`);
  const result = await verify(new Verification(plan, seed), ms);
  process.stdout.write(verdict(result, seed, dir));
  const failed = result.violations.length > 0;
  if (temporary && !failed) fs.rmSync(dir, { recursive: true, force: true });
  return failed ? 1 : 0;
}

/** A plan on ports that nobody listens on. */
async function planWithPorts(dir: string, nodes: number): Promise<ClusterPlan> {
  for (let tries = 1; ; tries++) {
    const plan = makePlan(dir, nodes, 10_000 + Math.floor(Math.random() * (20_000 - 3 * portStep)));
    try {
      await checkPorts(plan);
      return plan;
    } catch (error) {
      const taken = error instanceof BellwetherError && error.code === 'BW_PORT_TAKEN';
      if (!taken || tries === portTries) throw error;
    }
  }
}

async function verify(verification: Verification, ms: number): Promise<VerifyResult> {
  const screen = new Screen(process.stdout);
  const timer = setInterval(() => screen.print(progressLine(verification.progress)), progressMs);
  const stop = (): void => verification.stop();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  try {
    return await verification.run(ms);
  } finally {
    clearInterval(timer);
  }
}

function progressLine({ seconds, operations, faults, elections, longestGapMs }: Progress): string {
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  return `${time}  ${operations} operations, ${faults} faults, ${elections} elections, at most ${inSeconds(longestGapMs)} without a write`;
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function verdict(result: VerifyResult, seed: number, dir: string): string {
  const { load, faults, violations } = result;
  const kinds = [...faults].map(([kind, count]) => `${count} × ${faultWords[kind]}`);
  const lines = [
    '',
    `operations    ${load.operations} answered (${load.acknowledgedWrites} writes acknowledged, ${load.reads} reads), ${load.followerReads} reads on`,
    `              followers, ${load.unknown} with an unknown outcome, ${load.refused} refused`,
    `checked       ${load.keysChecked} keys, of which ${load.keysUndecided} could not be decided; ${result.digestsCompared} equal checkpoints`,
    `faults        ${kinds.join('\n              ')}`,
    `elections     ${result.elections}`,
    `unavailable   at most ${inSeconds(load.longestGapMs)} without an acknowledged write (${load.longestGapAfter})`,
    `recovery      at most ${inSeconds(result.longestRecoveryMs)} until all nodes were well after faults had ended`,
    '',
  ];
  const spent = `${result.seconds.toFixed(0)} s with seed ${seed}`;
  if (violations.length === 0) return `${lines.join('\n')}\nPASSED: no violation in ${spent}\n`;
  const shown = violations.slice(0, 10).map((what) => `- ${what}`);
  return `${lines.join('\n')}\nFAILED: ${violations.length} violations in ${spent}\n${shown.join('\n')}\nWhat was done when: ${path.join(dir, recordFile)}; the nodes' logs lie beside it.\n`;
}
