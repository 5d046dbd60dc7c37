import type { EncodingLimits } from '../commands/encoding.ts';
import { defaultEncodingLimits } from '../commands/encoding.ts';
import { parseInteger } from '../commands/parse.ts';
import { parseBytes } from './option-values.ts';

/** Nothing is compressed and there are no scripts: these are taken, since programs set them, and without effect. */
const idle = { 'list-compress-depth': 0, 'busy-reply-threshold': 5000 };

type Name = keyof EncodingLimits | keyof typeof idle;

interface Parameter {
  /** What it was called before, which is still understood. */
  readonly alias?: string;
  /** Taken with a unit, such as 1kb. */
  readonly bytes?: true;
  readonly min: bigint;
  readonly max: bigint;
}

const long = { min: 0n, max: 2n ** 63n - 1n };
const int32 = { min: -(2n ** 31n), max: 2n ** 31n - 1n };

const known: Readonly<Record<Name, Parameter>> = {
  'hash-max-listpack-entries': { ...long, alias: 'hash-max-ziplist-entries' },
  'hash-max-listpack-value': { ...long, alias: 'hash-max-ziplist-value', bytes: true },
  'list-max-listpack-size': { ...int32, alias: 'list-max-ziplist-size' },
  'list-compress-depth': { ...int32, min: 0n },
  'hll-sparse-max-bytes': { ...long, bytes: true },
  'busy-reply-threshold': { ...long, alias: 'lua-time-limit' },
  'set-max-intset-entries': long,
  'set-max-listpack-entries': long,
  'set-max-listpack-value': long,
  'zset-max-listpack-entries': { ...long, alias: 'zset-max-ziplist-entries' },
  'zset-max-listpack-value': { ...long, alias: 'zset-max-ziplist-value', bytes: true },
};
const byAnyName = new Map<string, Name>();
for (const [name, { alias }] of Object.entries(known)) {
  byAnyName.set(name, name as Name);
  if (alias !== undefined) byAnyName.set(alias, name as Name);
}

/** Redis's parameters about encodings. But for that of HyperLogLogs, they change nothing here but the answers of OBJECT ENCODING. */
export class EncodingParameters {
  readonly #values: Record<Name, number> = { ...defaultEncodingLimits, ...idle };

  get limits(): EncodingLimits {
    return this.#values;
  }

  has(name: string): boolean {
    return byAnyName.has(name);
  }

  /** Names, those of old too, and values. */
  *parameters(): Generator<readonly [string, string]> {
    for (const [shown, name] of byAnyName) yield [shown, String(this.#values[name])];
  }

  /** What Redis says is wrong with a text, or null when it holds from now on. */
  set(parameter: string, text: string): string | null {
    const name = byAnyName.get(parameter) as Name;
    const { bytes = false, min, max } = known[name];
    const value = bytes ? parseBytes(text) : parseInteger(text);
    if (value === null)
      return bytes ? 'argument must be a memory value' : "argument couldn't be parsed into an integer";
    if (value < min || value > max) return `argument must be between ${min} and ${max} inclusive`;
    this.#values[name] = Number(value);
    return null;
  }
}
