// `npm run simulate -- --seeds 1000`: runs whole clusters in virtual time, one process per processor; see
// src/sim/README.md.
import { fork } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.mjs';

/** Failing seeds whose faults are reduced; the rest of a campaign needs the time more. */
const shrinksMax = 5;
const saveEveryMs = 5000;

setUp();
const load = (name) => import(pathToFileURL(join(root, `dist/sim/${name}.js`)).href);
const { parseArguments, usage } = await load('arguments');
const wanted = parseArguments(process.argv.slice(2));
if (wanted === null) {
  console.error(usage);
  process.exit(2);
}
process.exitCode =
  wanted.timeline || wanted.faults !== null || wanted.untilMs !== null ? await tell() : await run();

/** Tells what happens in each seed, one after the other. */
async function tell() {
  const { replay } = await load('main');
  let failed = 0;
  for (let seed = wanted.from; seed < wanted.from + wanted.seeds; seed++) {
    const told = replay(seed, wanted);
    if (told === null) {
      console.error(`seed ${seed} has no such faults: ${wanted.faults}`);
      return 2;
    }
    console.log(told.text);
    if (told.failed) failed += 1;
  }
  return failed === 0 ? 0 : 1;
}

function kept(file, parseCampaign) {
  if (file === null || !existsSync(file)) return null;
  const state = parseCampaign(readFileSync(file, 'utf8'));
  if (state === null) throw new Error(`${file} holds no campaign`);
  return state;
}

/** Shares seeds among processes and adds up what they answer. */
async function run() {
  const { Campaign, parseCampaign } = await load('campaign');
  const { describeTotals } = await load('totals');
  const build = readFileSync(join(root, 'dist/.bellwether-built'), 'utf8').slice(0, 12);
  const last = wanted.from + wanted.seeds - 1;
  const campaign = new Campaign(wanted.from, last, build, kept(wanted.campaign, parseCampaign));
  const began = Date.now();
  const seconds = () => (Date.now() - began) / 1000;
  const save = () => {
    if (wanted.campaign === null) return;
    writeFileSync(`${wanted.campaign}.new`, `${JSON.stringify(campaign.state(seconds()), null, 1)}\n`);
    renameSync(`${wanted.campaign}.new`, wanted.campaign);
  };
  let stopping = false;
  const stop = () => {
    stopping = true;
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const saving = setInterval(save, saveEveryMs);
  const broken = await Promise.all(
    Array.from({ length: wanted.processes ?? availableParallelism() }, () =>
      work(campaign, () => stopping || seconds() > 60 * wanted.minutes),
    ),
  );
  clearInterval(saving);
  save();
  const { failures, totals } = campaign;
  for (const line of describeTotals(totals, campaign.secondsAfter(seconds()))) console.log(line);
  const seeds = failures.map(({ seed }) => seed).join(' ');
  console.log(
    `${totals.seeds} seeds from ${campaign.state(0).from} in ${campaign.secondsAfter(seconds()).toFixed(1)} s: ${failures.length} failed ${seeds}`,
  );
  return failures.length === 0 && totals.seeds > 0 && !broken.includes(true) ? 0 : 1;
}

/** One process that runs seeds until there are no more; answers true when it ended before. */
function work(campaign, isOver) {
  return new Promise((resolve) => {
    // A terminal's interrupt reaches the whole group: the child ends when it is told to, not before.
    const child = fork(join(root, 'scripts/simulate-worker.mjs'), { detached: true });
    const next = () => {
      const seed = isOver() ? null : campaign.take();
      if (seed === null) child.disconnect();
      else child.send({ seed, shrinks: wanted.shrink && campaign.failures.length < shrinksMax });
    };
    child.on('message', ({ seed, totals, what, report }) => {
      campaign.ran(seed, totals, what);
      if (report !== '') console.log(report);
      next();
    });
    child.on('exit', (code) => resolve(code !== 0));
    next();
  });
}
