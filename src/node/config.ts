import { readFileSync } from 'node:fs';
import { parse as parseToml } from 'smol-toml';
import type { LeastCopies } from '../cluster/placement.ts';
import { BellwetherError } from '../errors.ts';
import type { AckPolicy } from '../shard/ack-policy.ts';
import { parseAckPolicy } from '../shard/ack-policy.ts';
import type { ReadLevel } from '../shard/read-level.ts';
import { parseReadLevel } from '../shard/read-level.ts';
import { nearest } from './nearest.ts';
import type { Address, OptionValue, OptionValues } from './option-values.ts';
import { formatOption, nodeName, parseOption } from './option-values.ts';
import type { OptionName, OptionSpec } from './options.ts';
import { environmentName, isOptionName, optionForm, optionNames, optionTable } from './options.ts';

/** A checked configuration. Times are in milliseconds (`timeout`, `tcp-keepalive`: seconds), sizes in bytes. */
export interface NodeConfig extends OptionValues {
  readonly id: string;
  readonly dir: string;
  readonly ackPolicy: AckPolicy;
  readonly readLevels: { readonly usual: ReadLevel; readonly readOnly: ReadLevel };
  /** What an operator should know of how the configuration was read. */
  readonly warnings: readonly string[];
}

/** Options by name, as text. */
export type OptionTexts = Partial<Record<OptionName, string>>;

/** Variables that begin like those of options and are none. */
const otherVariables = ['BELLWETHER_DISK', 'BELLWETHER_DISK_FAULTS', 'BELLWETHER_SUPERVISED'];

function invalid(what: string, advice: string): BellwetherError {
  return new BellwetherError('BW_CONFIG_INVALID', what, advice);
}

/** Where an option was given, for messages. */
interface Given {
  readonly text: string;
  readonly source: string;
}

/**
 * Puts a configuration together: flag over environment over file over default. Throws BW_CONFIG_INVALID naming the
 * option, where it was given and what is expected.
 * @param flags options as given on the command line
 */
export function loadConfig(flags: OptionTexts, environment: NodeJS.ProcessEnv): NodeConfig {
  const file = flags.config ?? nonEmpty(environment[environmentName('config')]);
  const fromFile = file === undefined ? {} : readConfigFile(file);
  const values: Record<string, OptionValue> = {};
  const given = new Map<OptionName, string>();
  for (const name of optionNames) {
    const found = find(name, flags, environment, fromFile, file);
    if (found !== null) given.set(name, found.source);
    const text = found?.text ?? optionTable[name].default;
    values[name] = text === null ? null : readOption(name, text, found?.source ?? `the default of --${name}`);
  }
  readSecretFile(values, given, 'secret', 'secret-file');
  readSecretFile(values, given, 'password', 'password-file');
  limitRequests(values, given);
  return checkConfig(values as unknown as OptionValues, unknownVariables(environment));
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function find(
  name: OptionName,
  flags: OptionTexts,
  environment: NodeJS.ProcessEnv,
  fromFile: OptionTexts,
  file: string | undefined,
): Given | null {
  const flag = flags[name];
  if (flag !== undefined) return { text: flag, source: `--${name}` };
  const variable = nonEmpty(environment[environmentName(name)]);
  if (variable !== undefined) return { text: variable, source: environmentName(name) };
  const entry = fromFile[name];
  return entry === undefined ? null : { text: entry, source: `${name} in ${file}` };
}

function readConfigFile(path: string): OptionTexts {
  let parsed: Record<string, unknown>;
  try {
    parsed = parseToml(readFileSync(path, 'utf8'));
  } catch (error) {
    throw invalid(
      `the configuration file ${path} cannot be read (${(error as Error).message.split('\n')[0]})`,
      'Correct it or leave --config out.',
    );
  }
  const texts: OptionTexts = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (!isOptionName(name) || name === 'config') {
      const near = nearest(name, optionNames);
      const hint = near === null ? 'See docs/configuration.md for the names.' : `Did you mean '${near}'?`;
      throw invalid(`${path} sets '${name}', which is no option`, hint);
    }
    const text = tomlText(name, value);
    if (text === null) {
      const form = optionForm(optionTable[name]);
      throw invalid(`${name} in ${path} is no plain value`, `Write it as <${form}>.`);
    }
    texts[name] = text;
  }
  return texts;
}

/** The text of a TOML value; peers may be a list or a table. Null for what no option takes. */
function tomlText(name: OptionName, value: unknown): string | null {
  if (optionTable[name].kind === 'peers' && typeof value === 'object' && value !== null) {
    if (Array.isArray(value)) return value.join(',');
    return Object.entries(value)
      .map(([node, address]) => `${node}=${String(address)}`)
      .join(',');
  }
  return typeof value === 'object' ? null : String(value);
}

/** Throws BW_CONFIG_INVALID. */
function readOption(name: OptionName, text: string, source: string): OptionValue {
  const result = parseOption(name, text);
  if ('value' in result) return result.value;
  const { hidden, help }: OptionSpec = optionTable[name];
  throw invalid(`${source} is '${hidden ? '…' : text}', but ${result.problem}`, `--${name}: ${help}`);
}

function readSecretFile(
  values: Record<string, OptionValue>,
  given: ReadonlyMap<OptionName, string>,
  name: 'secret' | 'password',
  fileOption: 'secret-file' | 'password-file',
): void {
  const file = values[fileOption] as string | null;
  if (file === null) return;
  const source = given.get(fileOption);
  if (given.has(name)) throw invalid(`both ${given.get(name)} and ${source} are given`, 'Give one of them.');
  let text: string;
  try {
    text = (readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? '').trim();
  } catch (error) {
    throw invalid(
      `${source} names a file that cannot be read (${(error as Error).message})`,
      'Correct the path.',
    );
  }
  if (text === '')
    throw invalid(`${source} names ${file}, whose first line is empty`, `Put the ${name} there.`);
  values[name] = text;
}

/** The largest write must fit into the log's segments whatever else is written with it. */
function limitRequests(values: Record<string, OptionValue>, given: ReadonlyMap<OptionName, string>): void {
  const most = Math.floor((values['segment-bytes'] as number) / 4);
  const request = values['max-request-bytes'] as number;
  if (request <= most) return;
  const source = given.get('max-request-bytes');
  if (source === undefined) values['max-request-bytes'] = most;
  else
    throw invalid(
      `${source} is ${formatOption('max-request-bytes', request)}, more than a quarter of --segment-bytes (${formatOption('segment-bytes', values['segment-bytes'] as number)})`,
      'Choose smaller requests or larger segments.',
    );
}

function unknownVariables(environment: NodeJS.ProcessEnv): string[] {
  const known = [...optionNames.map(environmentName), ...otherVariables];
  return Object.keys(environment)
    .filter((name) => name.startsWith('BELLWETHER_') && !known.includes(name))
    .map((name) => {
      const near = nearest(name, known);
      return `the environment variable ${name} is no option${near === null ? '' : `; did you mean ${near}?`}`;
    });
}

/** Checks what no single option can tell. Throws BW_CONFIG_INVALID. */
export function checkConfig(values: OptionValues, warnings: readonly string[]): NodeConfig {
  const { id, dir } = values;
  if (id === null) throw invalid('no --id was given', 'Give the node a name, such as --id n1.');
  if (!nodeName.test(id))
    throw invalid(
      `the id '${id}' is not usable`,
      'Use up to 64 letters, digits, dots, dashes and underscores.',
    );
  if (dir === null || dir === '')
    throw invalid('no --dir was given', 'Say where the data goes, such as --dir data/n1.');
  if (!nodeName.test(values.cluster))
    throw invalid(
      `the cluster name '${values.cluster}' is not usable`,
      'Use up to 64 letters, digits, dots, dashes and underscores.',
    );
  if (!/^[\w.-]{0,64}$/.test(values.zone))
    throw invalid(
      `the zone '${values.zone}' is not usable`,
      'Use up to 64 letters, digits, dots, dashes and underscores.',
    );
  const ackPolicy = ackPolicyOf(values);
  if (ackPolicy === null)
    throw invalid(`--ack is '${values.ack}'`, 'Use none, leader, majority, all or a number of copies.');
  const copies = new Set([...values.peers.map((peer) => peer.node), id]).size;
  // Who joins learns from the cluster how many copies there are.
  if (values.join === null)
    checkCopies({ ...values, ackPolicy }, Math.min(copies, values.replicas ?? copies));
  else if (values.peers.length > 0)
    throw invalid('both --join and --peers were given', 'A node that joins is told who the others are.');
  const readLevels = {
    usual: readLevelOf(values, 'read-level'),
    readOnly: readLevelOf(values, 'readonly-level'),
  };
  checkTimes(values);
  if (values['segment-bytes'] % 4096 !== 0)
    throw invalid('--segment-bytes is no multiple of 4096', 'Use a size such as 64mb.');
  checkAddresses(values);
  return { ...values, id, dir, ackPolicy, readLevels, warnings };
}

/** Throws BW_CONFIG_INVALID when more copies are asked for than each shard has. */
export function checkCopies(config: Pick<NodeConfig, 'ackPolicy' | 'min-in-sync'>, copies: number): void {
  const { who } = config.ackPolicy;
  if (typeof who === 'number' && who > copies)
    throw invalid(`--ack asks for ${who} copies of ${copies}`, 'Ask for fewer or name more --peers.');
  if (config['min-in-sync'] > copies)
    throw invalid(
      `--min-in-sync is ${config['min-in-sync']} and there are ${copies} nodes`,
      'Every write would be refused: choose fewer.',
    );
}

/** How many replicas of a shard writes need by these settings, and which one asks for most. */
export function leastCopies(config: Pick<NodeConfig, 'ackPolicy' | 'min-in-sync'>): LeastCopies {
  const { who } = config.ackPolicy;
  const inSync = config['min-in-sync'];
  if (typeof who === 'number' && who > inSync) return { copies: who, why: '--ack' };
  return { copies: inSync, why: '--min-in-sync' };
}

/** The policy that the three ack options make; null when they make none. */
function ackPolicyOf(values: Pick<OptionValues, 'ack' | 'ack-stage' | 'ack-timeout'>): AckPolicy | null {
  const base: AckPolicy = { who: 'majority', stage: 'flushed', timeoutMs: values['ack-timeout'] };
  const policy = parseAckPolicy([values.ack, values['ack-stage']], base);
  return typeof policy === 'string' ? null : policy;
}

function readLevelOf(values: OptionValues, name: 'read-level' | 'readonly-level'): ReadLevel {
  const level = parseReadLevel(values[name].split(' '));
  if (typeof level !== 'string') return level;
  throw invalid(
    `--${name} is '${values[name]}'`,
    'Use linearizable, strict, local, bounded <ms>, bounded lsn <lsn>, session or eventual.',
  );
}

function checkTimes(values: OptionValues): void {
  const { heartbeat, lease } = values;
  const election = values['election-timeout'];
  if (lease >= values['vote-refusal'])
    throw invalid(
      '--lease is not below --vote-refusal',
      'Leave room between them for clocks that run at different speeds.',
    );
  if (values['vote-refusal'] >= election.min)
    throw invalid(
      '--vote-refusal is not below the least --election-timeout',
      'A campaign within the refusal window only disturbs.',
    );
  if (heartbeat * 2 > election.min)
    throw invalid(
      '--heartbeat is more than half of the least --election-timeout',
      'One lost heartbeat would start an election: choose a shorter one.',
    );
}

/** An address that only says "every interface" of this machine. */
function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '*';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

function checkAddresses(values: OptionValues): void {
  const places: readonly (readonly [OptionName, Address])[] = [
    ['listen', values.listen],
    ['peer-listen', values['peer-listen']],
    ['admin-listen', values['admin-listen']],
  ];
  for (const [name, place] of places) {
    const twin = places.find(
      ([other, at]) => other !== name && at.port === place.port && at.host === place.host,
    );
    if (twin !== undefined)
      throw invalid(`--${name} and --${twin[0]} are the same address`, 'Give each a port of its own.');
  }
  if (values.announce === null && isWildcard(values.listen.host))
    throw invalid(
      `--listen ${values.listen.host} is no address that clients can be told`,
      'Say with --announce how clients reach this node, such as --announce 10.0.0.5:7001.',
    );
  if (!values['protected-mode']) return;
  for (const [name, place] of places) {
    if (isLoopback(place.host)) continue;
    const [wanted, option] =
      name === 'peer-listen' ? ['secret', values.secret] : ['password', values.password];
    if (option === '')
      throw invalid(
        `--${name} ${place.host} is reachable from other machines and there is no --${wanted}`,
        `Set a ${wanted}, listen on 127.0.0.1, or say --protected-mode off.`,
      );
  }
}
