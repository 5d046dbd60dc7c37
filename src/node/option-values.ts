import { z } from 'zod';
import type { OptionKind, OptionName, OptionSpec } from './options.ts';
import { optionTable } from './options.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface PeerAddress extends Address {
  readonly node: string;
}

/** Two times in milliseconds. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

type ValueOf<K extends OptionKind> = K extends 'flag'
  ? boolean
  : K extends 'integer' | 'milliseconds' | 'seconds' | 'bytes'
    ? number
    : K extends 'range'
      ? Range
      : K extends 'address'
        ? Address
        : K extends 'peers'
          ? readonly PeerAddress[]
          : string;

/** Checked values of all options; null only where an option without a default was not given. */
export type OptionValues = {
  readonly [N in OptionName]: (typeof optionTable)[N]['default'] extends null
    ? ValueOf<(typeof optionTable)[N]['kind']> | null
    : ValueOf<(typeof optionTable)[N]['kind']>;
};

export type OptionValue = OptionValues[OptionName];

const timeUnits: Record<string, number> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
/** As Redis has them: without the b they are decimal. */
const sizeUnits: Record<string, number> = {
  ...{ b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40 },
  ...{ k: 1e3, m: 1e6, g: 1e9 },
};
export const nodeName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** Number and unit; null when it is neither. */
function quantity(text: string, units: Record<string, number>, plain: number): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim().toLowerCase());
  if (match === null) return null;
  const unit = match[2] === '' ? plain : units[match[2] as string];
  const value = unit === undefined ? Number.NaN : Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(value) ? value : null;
}

function time(text: string, plain = 1): number | null {
  return quantity(text, timeUnits, plain);
}

/** A size in bytes, with a unit or without; null when it is none. */
export function parseBytes(text: string): number | null {
  return quantity(text, sizeUnits, 1);
}

/** A schema from a parser that answers null for what it does not take. */
function parsed<T>(parse: (text: string) => T | null, form: string) {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue(form);
    return z.NEVER;
  });
}

/** `host:port`, IPv6 in brackets; null when it is none. */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  return match === null || port < 1 || port > 65_535
    ? null
    : { host: (match[1] ?? match[2]) as string, port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseRange(text: string): Range | null {
  const [from = '', to = '', ...rest] = text.split('..');
  const min = time(from);
  const max = time(to);
  return min === null || max === null || max <= min || rest.length > 0 ? null : { min, max };
}

const words: Record<string, boolean> = {
  on: true,
  true: true,
  yes: true,
  off: false,
  false: false,
  no: false,
};

const peersSchema = z.string().transform((text, context) => {
  const peers: PeerAddress[] = [];
  for (const part of text.split(',').filter((piece) => piece.trim() !== '')) {
    const [node = '', place = ''] = part.trim().split('=');
    const address = parseAddress(place);
    const twice = peers.some((peer) => peer.node === node);
    if (address === null || !nodeName.test(node) || twice) {
      context.addIssue(
        twice
          ? `names ${node} twice`
          : `holds '${part.trim()}'; expected is id=host:port, such as n2=127.0.0.1:7102`,
      );
      return z.NEVER;
    }
    peers.push({ node, ...address });
  }
  return peers;
});

const schemas = {
  text: z.string(),
  flag: parsed((text) => words[text.trim().toLowerCase()] ?? null, 'expected is on or off'),
  integer: parsed(
    (text) => (/^\d{1,15}$/.test(text.trim()) ? Number(text) : null),
    'expected is a whole number',
  ),
  milliseconds: parsed((text) => time(text), 'expected is a time such as 500ms, 2s or 12h'),
  seconds: parsed((text) => {
    const ms = time(text, 1000);
    return ms === null || ms % 1000 !== 0 ? null : ms / 1000;
  }, 'expected is a time in whole seconds such as 30s or 5min'),
  range: parsed(parseRange, 'expected are two times, the second greater, such as 300ms..600ms'),
  bytes: parsed(parseBytes, 'expected is a size such as 64mb or 1gb'),
  address: parsed(parseAddress, 'expected is host:port, such as 127.0.0.1:7001'),
  peers: peersSchema,
} as const;

/** The value that a text stands for, or what is wrong with it: a clause that follows the text. */
export function parseOption(name: OptionName, text: string): { value: OptionValue } | { problem: string } {
  const spec: OptionSpec = optionTable[name];
  const result = schemas[spec.kind].safeParse(text);
  if (!result.success) return { problem: result.error.issues[0]?.message ?? 'it cannot be used' };
  const value = result.data as OptionValue;
  if (spec.words !== undefined && !spec.words.includes(value as string))
    return { problem: `expected is one of ${spec.words.join(', ')}` };
  const numbers =
    typeof value === 'number' ? [value] : spec.kind === 'range' ? Object.values(value as Range) : [];
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  if (numbers.some((number) => number < min || number > max)) {
    const limit = (number: number): string =>
      formatOption(name, spec.kind === 'range' ? { min: number, max: number } : number).split(
        '..',
      )[0] as string;
    const upTo = spec.max === undefined ? '' : ` to ${limit(max)}`;
    return { problem: `expected is a value from ${limit(min)}${upTo}` };
  }
  return { value };
}

const shown: readonly (readonly [unit: string, size: number])[] = [
  ['tb', 2 ** 40],
  ['gb', 2 ** 30],
  ['mb', 2 ** 20],
  ['kb', 2 ** 10],
];

/** A value in the form in which it could have been written. */
export function formatOption(name: OptionName, value: OptionValue): string {
  const { kind }: OptionSpec = optionTable[name];
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (kind === 'milliseconds') return `${value as number}ms`;
  if (kind === 'seconds') return `${value as number}s`;
  if (kind === 'range') return `${(value as Range).min}ms..${(value as Range).max}ms`;
  if (kind === 'bytes') {
    const unit = shown.find(([, size]) => (value as number) >= size && (value as number) % size === 0);
    return unit === undefined ? `${value as number}b` : `${(value as number) / unit[1]}${unit[0]}`;
  }
  if (kind === 'address') return formatAddress(value as Address);
  if (kind === 'peers')
    return (value as readonly PeerAddress[]).map((peer) => `${peer.node}=${formatAddress(peer)}`).join(',');
  return String(value);
}
