import { BellwetherError } from '../errors.ts';
import { rangesOf, type SlotRange, slotCount, slotsCounted, slotsIn } from '../state/slot.ts';
import { type Flags, flagHelp, integerFlag, parseArguments, usageError } from './arguments.ts';
import { ClusterAccess, controlFlags } from './cluster-access.ts';
import { givingText, leaderOf, table } from './cluster-view.ts';
import type { Command } from './command.ts';
import { changeMetadata, type ShownMetadata, shownMetadata } from './metadata-access.ts';

const pollMs = 250;
const mostShards = 65_535;

const flags: Flags = {
  from: { form: 'shard', help: 'The shard that has the slots; for cancel: only slots of this one.' },
  to: { form: 'shard', help: 'The shard that is to have them.' },
  timeout: { form: 'seconds', default: '3600', help: 'How long to wait until they are there.' },
  ...controlFlags,
};

export const slotsCommand: Command = {
  name: 'slots',
  summary: 'show which shard has which slots, and move slots to another shard',
  help: () => `Shows how many slots each shard has and what is to be moved, or moves slots from one shard to another while clients go
on: so many, or those that are named as ranges. What was decided is carried out by the cluster, also when this command ends
early; cancel ends it, and slots that have not moved yet stay where they are.

Usage: bellwether slots [flags]
       bellwether slots move <count | first-last[,first-last ...]> --from <shard> --to <shard> [flags]
       bellwether slots cancel [--from <shard>] [flags]

${flagHelp(flags)}
`,
  run,
};

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'slots');
  const patienceMs = 1000 * integerFlag(given['timeout'] ?? '3600', 'timeout', 1, 86_400, 'slots');
  const access = new ClusterAccess(given, 'slots');
  const shard = (name: 'from' | 'to'): number | null => {
    const text = given[name];
    return text === undefined ? null : integerFlag(text, name, 1, mostShards, 'slots');
  };
  const [what, which] = rest;
  if (what === undefined) return await show(access);
  if (what === 'cancel' && rest.length === 1) return await cancel(access, patienceMs, shard('from'));
  if (what !== 'move') throw usageError(`move or cancel is expected, not '${what}'`, 'slots');
  const [from, to] = [shard('from'), shard('to')];
  if (which === undefined || rest.length !== 2 || from === null || to === null)
    throw usageError('how many slots or which, --from and --to are expected', 'slots');
  return await move(access, patienceMs, which, from, to);
}

/** Slots that a shard has and that are to go. */
function leaving({ shards, wanted }: ShownMetadata, shard: number): number[] {
  const own = new Set(slotsOf(shards[String(shard)]?.slots ?? []));
  return wanted.flatMap(([from, to, where]) =>
    where === shard ? [] : [...slotsIn([{ from, to }])].filter((slot) => own.has(slot)),
  );
}

function slotsOf(ranges: readonly (readonly [number, number])[]): number[] {
  return [...slotsIn(ranges.map(([from, to]) => ({ from, to })))];
}

async function show(access: ClusterAccess): Promise<number> {
  const metadata = await shownMetadata(access);
  const asked = await access.ask();
  const rows = Object.keys(metadata.shards).map((name) => {
    const shard = Number(name);
    const going = leaving(metadata, shard);
    const where = metadata.wanted.filter(([first, last]) =>
      going.some((slot) => slot >= first && slot <= last),
    );
    const to = [...new Set(where.map(([, , target]) => target))].join(', ');
    const how = givingText(leaderOf(asked, shard)?.shard);
    const left = how === '' ? `${going.length} left` : how;
    return [
      name,
      String(slotsOf(metadata.shards[name]?.slots ?? []).length),
      going.length === 0 ? '' : `to shard ${to}: ${left}`,
    ];
  });
  process.stdout.write(`${table([['shard', 'slots', 'to be moved'], ...rows]).join('\n')}\n`);
  return 0;
}

async function cancel(access: ClusterAccess, patienceMs: number, from: number | null): Promise<number> {
  const words = ['SLOTS', 'CANCEL', ...(from === null ? [] : [String(from)])];
  const none = (metadata: ShownMetadata): boolean =>
    Object.keys(metadata.shards)
      .filter((shard) => from === null || Number(shard) === from)
      .every((shard) => leaving(metadata, Number(shard)).length === 0);
  if (none(await shownMetadata(access))) {
    process.stdout.write('No slots are to be moved.\n');
    return 0;
  }
  await changeMetadata(access, patienceMs, words, none);
  process.stdout.write('No slots are moved any more: those that have not moved stay where they are.\n');
  return 0;
}

/** The slots that are meant: by their names, or so many of those that would stay. */
function meant(which: string, from: number, metadata: ShownMetadata): readonly SlotRange[] {
  if (!/^\d+$/.test(which)) {
    const ranges = which.split(',').map((part) => /^(\d{1,5})-(\d{1,5})$/.exec(part));
    const slots = ranges.map((match) => ({ from: Number(match?.[1]), to: Number(match?.[2]) }));
    if (slots.every((range) => range.from <= range.to && range.to < slotCount)) return slots;
    throw usageError(`'${which}' is neither a number of slots nor ranges such as 0-99,200-299`, 'slots');
  }
  const going = new Set(leaving(metadata, from));
  const staying = slotsOf(metadata.shards[String(from)]?.slots ?? []).filter((slot) => !going.has(slot));
  const count = Number(which);
  if (count < 1 || count > staying.length)
    throw new BellwetherError(
      'BW_REFUSED',
      `shard ${from} has ${staying.length} slots that stay, not ${which}`,
      "'bellwether slots' shows how many each shard has.",
    );
  return rangesOf(staying.slice(-count));
}

async function move(
  access: ClusterAccess,
  patienceMs: number,
  which: string,
  from: number,
  to: number,
): Promise<number> {
  const beganMs = performance.now();
  // Named one by one: asking again after an answer that did not come then moves no others.
  const slots = meant(which, from, await shownMetadata(access));
  const all = new Set(slotsIn(slots));
  const missing = ({ shards }: ShownMetadata): number => {
    const there = slotsOf(shards[String(to)]?.slots ?? []).filter((slot) => all.has(slot));
    return all.size - there.length;
  };
  const isWanted = ({ wanted }: ShownMetadata): number =>
    wanted
      .filter(([, , shard]) => shard === to)
      .flatMap(([first, last]) => slotsOf([[first, last]]))
      .filter((slot) => all.has(slot)).length;
  const text = slots.map((range) => `${range.from}-${range.to}`).join(',');
  await changeMetadata(
    access,
    patienceMs,
    ['SLOTS', 'MOVE', text, 'FROM', String(from), 'TO', String(to)],
    (metadata) => isWanted(metadata) >= missing(metadata),
  );
  const what = `${slotsCounted(slots)} slots of shard ${from} to shard ${to}`;
  for (let shown = ''; ; ) {
    const metadata = await shownMetadata(access);
    const left = missing(metadata);
    if (left === 0) break;
    if (isWanted(metadata) < left) throw notDone(what, `${left} are not to go any more`);
    if (performance.now() - beganMs > patienceMs) throw notDone(what, `${left} are left`);
    const how = givingText(leaderOf(await access.ask(), from)?.shard);
    const line = `${all.size - left} of ${all.size} moved${how === '' ? '' : `; ${how}`}`;
    if (line !== shown) process.stdout.write(`${line}\n`);
    shown = line;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
  process.stdout.write(`Moved ${what} in ${seconds} s.\n`);
  return 0;
}

function notDone(what: string, why: string): BellwetherError {
  return new BellwetherError('BW_NOT_DONE', `moving ${what}: ${why}`, "See 'bellwether slots'.");
}
