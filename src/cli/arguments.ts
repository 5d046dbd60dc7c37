import { BellwetherError } from '../errors.ts';
import { nearest } from '../node/nearest.ts';

/** One flag of a command. */
export interface Flag {
  /** What stands for its value in the help; null when it takes none, `on|off` when the value may be left out. */
  readonly form: string | null;
  readonly help: string;
  /** Shown in the help; what holds when the flag is not given. */
  readonly default?: string;
}

export type Flags = Readonly<Record<string, Flag>>;

export interface ParsedArguments {
  /** By flag name without dashes; a flag without a value is `on`. */
  readonly flags: Readonly<Record<string, string>>;
  /** What is no flag. */
  readonly rest: readonly string[];
}

export function usageError(what: string, command: string): BellwetherError {
  return new BellwetherError('BW_CONFIG_INVALID', what, `See bellwether ${command} --help.`);
}

/** Reads `--name value` and `--name=value`. Throws BW_CONFIG_INVALID on a flag that the command does not know. */
export function parseArguments(argv: readonly string[], known: Flags, command: string): ParsedArguments {
  const flags: Record<string, string> = {};
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] as string;
    if (!argument.startsWith('--')) {
      rest.push(argument);
      continue;
    }
    const equals = argument.indexOf('=');
    const name = argument.slice(2, equals === -1 ? undefined : equals);
    const flag = Object.hasOwn(known, name) ? known[name] : undefined;
    if (flag === undefined) {
      const near = nearest(name, Object.keys(known));
      throw usageError(
        `there is no flag --${name}${near === null ? '' : `; did you mean --${near}?`}`,
        command,
      );
    }
    if (Object.hasOwn(flags, name)) throw usageError(`--${name} is given twice`, command);
    if (equals !== -1) {
      if (flag.form === null) throw usageError(`--${name} takes no value`, command);
      flags[name] = argument.slice(equals + 1);
      continue;
    }
    const next = argv[i + 1];
    const missing = next === undefined || next.startsWith('--');
    if (flag.form === null || (missing && flag.form === 'on|off')) flags[name] = 'on';
    else if (missing) throw usageError(`--${name} needs a value <${flag.form}>`, command);
    else {
      flags[name] = next;
      i += 1;
    }
  }
  return { flags, rest };
}

/** A whole number within bounds. Throws BW_CONFIG_INVALID. */
export function integerFlag(text: string, name: string, min: number, max: number, command: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw usageError(`--${name} is '${text}' and must be a whole number from ${min} to ${max}`, command);
  return value;
}

const flagColumn = 28;

/** The flags of a command as lines of its help. */
export function flagHelp(flags: Flags): string {
  return Object.entries(flags)
    .map(([name, { form, help, default: fallback }]) => {
      const left = `  --${name}${form === null ? '' : ` <${form}>`}`;
      const gap =
        left.length >= flagColumn ? `\n${' '.repeat(flagColumn)}` : ' '.repeat(flagColumn - left.length);
      return `${left}${gap}${help}${fallback === undefined ? '' : ` (default ${fallback})`}`;
    })
    .join('\n');
}
