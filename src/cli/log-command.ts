import fs from 'node:fs';
import path from 'node:path';
import { decodeMembership } from '../core/membership-codec.ts';
import { NodeDisk } from '../env/node-disk.ts';
import { runTask } from '../env/task.ts';
import type { Batch, EntryView } from '../log/batch.ts';
import { entryKind } from '../log/batch.ts';
import type { DecodedRecord } from '../log/decode.ts';
import { decodeLog } from '../log/decode.ts';
import type { LogRecord } from '../log/record.ts';
import { identityFile, logDirectory } from '../node/data-directory.ts';
import { describeAckCode } from '../shard/ack-policy.ts';
import { decodeEffects } from '../state/effect-codec.ts';
import { type Flags, flagHelp, integerFlag, parseArguments, usageError } from './arguments.ts';
import { readPlan } from './cluster-plan.ts';
import type { Command } from './command.ts';
import { EffectText } from './effect-text.ts';

const flags: Flags = {
  dir: {
    form: 'path',
    default: '.bellwether',
    help: "Data directory of a node, or of 'bellwether up' together with --node.",
  },
  node: { form: 'id', help: "Which node of 'bellwether up'; without it, its first." },
  shard: { form: 'number', help: 'Only this shard.' },
  from: { form: 'LSN', default: '1', help: 'Begin with this LSN.' },
  records: { form: null, help: 'Also show what is written beside entries: terms and votes, checkpoints.' },
};

export const logCommand: Command = {
  name: 'log',
  summary: "show a node's log, decoded, one entry per line",
  help: () => `Shows the log of a stopped or running node, oldest entry first, one per line: shard, LSN, term, when the leader wrote
it, the policy under which it was answered, and what it does. A line in brackets is no entry: it says, for example, that
what follows replaces entries that were cut. Only reads.

Usage: bellwether log [flags]

${flagHelp(flags)}
`,
  run,
};

/** The data directory of one node. Throws BW_CONFIG_INVALID. */
function nodeDirectory(dir: string, node: string | undefined): string {
  const plan = readPlan(dir);
  if (plan !== null) {
    const found = node === undefined ? plan.nodes[0] : plan.nodes.find(({ id }) => id === node);
    if (found === undefined)
      throw usageError(`${dir} has no node ${node}: ${plan.nodes.map(({ id }) => id).join(', ')}`, 'log');
    return found.dir;
  }
  if (!fs.existsSync(path.join(dir, identityFile)))
    throw usageError(`${dir} is no data directory of a node or cluster`, 'log');
  return dir;
}

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'log');
  if (rest.length > 0) throw usageError(`'${rest[0]}' is no flag`, 'log');
  const most = Number.MAX_SAFE_INTEGER;
  const from = integerFlag(given['from'] ?? '1', 'from', 1, most, 'log');
  const only = given['shard'] === undefined ? null : integerFlag(given['shard'], 'shard', 0, most, 'log');
  const directory = nodeDirectory(path.resolve(given['dir'] ?? '.bellwether'), given['node']);
  const out = new Lines();
  const visit = (item: DecodedRecord): boolean => {
    if (only !== null && item.record.shard !== only) return true;
    show(item, from, given['records'] === 'on', out);
    return true;
  };
  const notes = await new Promise<string[]>((resolve, reject) => {
    runTask(decodeLog(new NodeDisk(directory), logDirectory, visit), (error, result) =>
      error === null ? resolve(result as string[]) : reject(error),
    );
  });
  out.flush();
  for (const note of notes) process.stderr.write(`bellwether: ${note}\n`);
  return 0;
}

/** Output in large pieces: a log has millions of lines. */
class Lines {
  #text = '';

  print(line: string): void {
    this.#text += `${line}\n`;
    if (this.#text.length > 1 << 16) this.flush();
  }

  flush(): void {
    fs.writeSync(1, this.#text);
    this.#text = '';
  }
}

function show(item: DecodedRecord, from: number, all: boolean, out: Lines): void {
  const { record, batch, file, offset } = item;
  if (record.kind !== 'batch') {
    const text = recordText(record, all);
    if (text !== null) out.print(`[shard ${record.shard}: ${text}]`);
    return;
  }
  if (record.lastLsn < from) return;
  if (batch === null) {
    out.print(
      `[shard ${record.shard}: LSN ${record.firstLsn} to ${record.lastLsn} cannot be read: ${file} at offset ${offset} is damaged]`,
    );
    return;
  }
  const at = new Date(batch.timeMs).toISOString();
  for (const entry of batch.entries()) {
    if (entry.lsn < from) continue;
    const policy = entry.kind === entryKind.effects ? describeAckCode(entry.policy) : '–';
    out.print(`${record.shard}  ${entry.lsn}  ${batch.term}  ${at}  ${policy}  ${entryText(batch, entry)}`);
  }
}

function recordText(record: Exclude<LogRecord, { kind: 'batch' }>, all: boolean): string | null {
  switch (record.kind) {
    case 'cut':
      return `the entries after LSN ${record.end.lsn} are cut; others take their place`;
    case 'reset':
      return `the log begins anew after LSN ${record.base.lsn} of term ${record.base.term}`;
    case 'hardState':
      return all ? `term ${record.hardState.term}, vote ${record.hardState.vote ?? 'for nobody'}` : null;
    case 'checkpointed':
      return all ? `checkpoint at LSN ${record.position.lsn}` : null;
    case 'doubt':
      return `in doubt: ${record.doubt.where}`;
    case 'madeGood':
      return all ? 'what was in doubt was made good' : null;
    case 'state':
      return all ? `segment begins at LSN ${record.state.last.lsn + 1}, base ${record.state.base.lsn}` : null;
  }
}

function entryText(batch: Batch, entry: EntryView): string {
  switch (entry.kind) {
    case entryKind.noop:
      return 'first entry of the term';
    case entryKind.mark:
      return 'checkpoint mark';
    case entryKind.membership: {
      const membership = decodeMembership(batch.bytes.subarray(entry.start, entry.end));
      if (membership === null) return 'a membership that cannot be read';
      return `membership: voters ${membership.voters.join(', ')}; learners ${membership.learners.join(', ') || 'none'}`;
    }
    default: {
      const text = new EffectText();
      decodeEffects(batch.bytes, entry.start, entry.end, text);
      return text.parts.join('; ');
    }
  }
}
