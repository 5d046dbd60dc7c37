// `npm run bench:peers`: Bellwether beside other systems at the same guarantee, and the questions about Bellwether alone.
import fs from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { canCountFlushes } from './flush-counter.ts';
import { machineLines } from './machine.ts';
import { hasProc } from './proc.ts';
import { questions } from './questions/all.ts';
import { rows } from './rows.ts';
import { type Sample, takeSample } from './sample.ts';
import type { Row, System } from './system.ts';
import { bellwether } from './systems/bellwether.ts';
import { etcd } from './systems/etcd.ts';
import { postgresql } from './systems/postgresql.ts';
import { redis, valkey } from './systems/redis.ts';
import { responder } from './systems/responder.ts';
import { sketchIn } from './systems/sketch.ts';
import { rowLines, whole } from './table.ts';

const help = `Measures Bellwether beside other systems at the same guarantee, in turn, and prints tables in Markdown.

npm run bench:peers -- [flags]
  --only <names>     rows and questions to run, separated by commas (default: all)
  --systems <names>  only these systems
  --rounds <n>       how often each row is measured; medians are shown (default 5)
  --seconds <n>      how long each measurement lasts (default 10)
  --warm-up <n>      seconds of load before each measurement (default 3)
  --data <dir>       where data directories are made (default: the system's temporary directory)
  --sketch <dir>     also measure the sketch in this directory (leader.mjs, follower.mjs)
  --out <file>       all samples as JSON

Rows: ${rows.map(({ name }) => name).join(', ')}
Questions: ${questions.map(({ name }) => name).join(', ')}
`;

interface Options {
  readonly only: ReadonlySet<string> | null;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp: number;
  readonly data: string;
  readonly out: string | null;
}

function usage(what: string): never {
  process.stderr.write(`${what}\n\n${help}`);
  process.exit(2);
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (!(value > 0)) usage(`--${name} must be a number above 0, not '${text}'`);
  return value;
}

function say(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Progress goes to the other stream, so that the tables can be kept. */
function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Half of what the slower of all reaches with the same mix as fast as it can; all get this rate. */
async function halfLoad(row: Row, systems: readonly System[], options: Options): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (const system of systems) {
    const { perSecond } = await takeSample(system, row, -1, driveOptions(options, 0));
    tell(`${row.name} ${system.name}, as fast as it can: ${whole(perSecond)}/s`);
    least = Math.min(least, perSecond);
  }
  return Math.floor(least / 2);
}

function driveOptions({ seconds, warmUp, data }: Options, ratePerSecond: number) {
  return { measuredMs: seconds * 1000, warmUpMs: warmUp * 1000, ratePerSecond, data };
}

/** Measures one row in turn, A B A B, and prints it. */
async function runRow(
  row: Row,
  known: readonly System[],
  options: Options,
): Promise<{ samples: Sample[]; failures: number }> {
  const notes: string[] = [];
  const taking: System[] = [];
  for (const system of known) {
    if (!row.systems.includes(system.name)) continue;
    const why = system.leavesOut(row);
    if (why === null) taking.push(system);
    else notes.push(`${system.name} is left out: ${why}.`);
  }
  let ratePerSecond = 0;
  if (row.kind === 'mixed') {
    ratePerSecond = await halfLoad(row, taking, options);
    notes.push(
      `Everyone was sent ${whole(ratePerSecond)} requests/s, half of what the slowest of them reached.`,
    );
  }
  const samples: Sample[] = [];
  const failed = new Set<System>();
  for (let round = 0; round < options.rounds; round++)
    for (const system of taking) {
      if (failed.has(system)) continue;
      try {
        const sample = await takeSample(system, row, round, driveOptions(options, ratePerSecond));
        samples.push(sample);
        tell(
          `${row.name} round ${round + 1} ${system.name}: ${whole(sample.perSecond)}/s, p99 ${sample.p99.toFixed(2)} ms`,
        );
      } catch (error) {
        failed.add(system);
        notes.push(`**${system.name} failed in round ${round + 1}: ${(error as Error).message}**`);
        tell(`${row.name} ${system.name} failed: ${(error as Error).stack}`);
      }
    }
  say(...rowLines(row, samples, notes));
  return { samples, failures: failed.size };
}

const { values: given } = parseArgs({
  options: {
    only: { type: 'string' },
    systems: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    'warm-up': { type: 'string', default: '3' },
    data: { type: 'string', default: os.tmpdir() },
    sketch: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (given.help) {
  process.stdout.write(help);
  process.exit(0);
}
const options: Options = {
  only: given.only === undefined ? null : new Set(given.only.split(',')),
  rounds: positive(given.rounds, 'rounds'),
  seconds: positive(given.seconds, 'seconds'),
  warmUp: positive(given['warm-up'], 'warm-up'),
  data: given.data,
  out: given.out ?? null,
};
for (const name of options.only ?? [])
  if (![...rows, ...questions].some((one) => one.name === name))
    usage(`there is no row or question '${name}'`);

const all = [bellwether, redis, valkey, etcd, postgresql, sketchIn(given.sketch ?? null), responder];
const wanted = given.systems?.split(',') ?? null;
for (const name of wanted ?? [])
  if (!all.some((one) => one.name === name)) usage(`there is no system '${name}'`);
const asked = all.filter(({ name }) => wanted === null || wanted.includes(name));
const systems = asked.filter((system) => system.missing() === null);

say('## Set-up', '', ...(await machineLines(options.data)));
say(
  `- ${options.rounds} rounds in turn, ${options.seconds} s each after ${options.warmUp} s of load; medians; 'ahead by' is the median of the ratios within rounds`,
);
for (const system of systems) say(`- ${system.name}: ${system.guarantee}`);
for (const system of asked)
  if (system.missing() !== null) say(`- ${system.name} is left out: ${system.missing()}`);
if (!hasProc) say('- there is no /proc: processor time and bytes written are not known');
if (!canCountFlushes())
  say(
    "- this machine does not let perf count system calls: flushes are known only where a system counts them itself; 'disk flushes' covers the whole machine",
  );
say('');

const samples: Sample[] = [];
const answers: Record<string, unknown> = {};
let failures = 0;
for (const row of rows) {
  if (options.only !== null && !options.only.has(row.name)) continue;
  const result = await runRow(row, systems, options);
  samples.push(...result.samples);
  failures += result.failures;
}
for (const question of questions) {
  if (options.only !== null && !options.only.has(question.name)) continue;
  try {
    const { lines, figures } = await question.run({ ...options, tell });
    answers[question.name] = figures;
    say(`### ${question.title}`, '', ...lines, '');
  } catch (error) {
    failures += 1;
    say(`### ${question.title}`, '', `**Failed: ${(error as Error).message}**`, '');
    tell(String((error as Error).stack));
  }
}
if (options.out !== null)
  fs.writeFileSync(
    options.out,
    `${JSON.stringify({ options: { ...options, only: given.only }, samples, answers }, null, 1)}\n`,
  );
process.exit(failures === 0 ? 0 : 1);
