import type { RunResult } from './simulation.ts';
import { simulate } from './simulation.ts';

const usage = `usage: npm run simulate -- [--from SEED] [--seeds COUNT] [--timeline]

  --from SEED     the first seed (1)
  --seeds COUNT   how many seeds to run, one after the other (100)
  --timeline      print what happened in each run, not only in those that fail`;

interface Wanted {
  from: number;
  seeds: number;
  timeline: boolean;
}

function parse(words: readonly string[]): Wanted | null {
  const wanted: Wanted = { from: 1, seeds: 100, timeline: false };
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === '--timeline') {
      wanted.timeline = true;
      continue;
    }
    const number = Number(words[++i]);
    if ((word !== '--from' && word !== '--seeds') || !Number.isSafeInteger(number) || number < 1) return null;
    wanted[word === '--from' ? 'from' : 'seeds'] = number;
  }
  return wanted;
}

function report(result: RunResult, timeline: boolean): void {
  const { seed, violations, hash, stats } = result;
  const failed = violations.length > 0;
  if (failed || timeline) console.log(result.timeline.join('\n'));
  const facts = Object.entries(stats).map(([name, value]) => `${name} ${value}`);
  if (failed || timeline) console.log(`seed ${seed}: ${hash}, ${facts.join(', ')}`);
  if (!failed) return;
  console.log(`seed ${seed} FAILED: ${violations[0]}`);
  console.log(`replay it: npm run simulate -- --from ${seed} --seeds 1 --timeline\n`);
}

/** Runs seeds one after the other; answers the exit code. */
export function main(words: readonly string[]): number {
  const wanted = parse(words);
  if (wanted === null) {
    console.error(usage);
    return 2;
  }
  const { from, seeds, timeline } = wanted;
  const failed: number[] = [];
  const beganMs = Date.now();
  for (let seed = from; seed < from + seeds; seed++) {
    const result = simulate(seed);
    report(result, timeline);
    if (result.violations.length > 0) failed.push(seed);
  }
  const seconds = ((Date.now() - beganMs) / 1000).toFixed(1);
  console.log(`${seeds} seeds from ${from} in ${seconds} s: ${failed.length} failed ${failed.join(' ')}`);
  return failed.length === 0 ? 0 : 1;
}
