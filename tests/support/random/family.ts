import type { Agreement } from '../redis-script.ts';
import type { Draw } from './draw.ts';

/** Random commands of one kind. To add one, write a file beside this one and name it in `families.ts`. */
export interface Family {
  /** How often its commands come, compared with the other families. */
  readonly weight: number;
  /** Keys where mostly its values are; all begin with {r}, so that they share a slot. */
  readonly keys: readonly string[];
  /** Other families leave its keys alone, and they are shown by its own commands only, and by those for keys of all types. */
  readonly apart?: true;
  /** Draws one command. Its outcome must not be left to chance unless `agreementOf` says so and no state changes. */
  command(draw: Draw): string[];
  /** How the replies to a command must agree, by its name in upper case; without an answer, byte by byte. */
  readonly agreements: Readonly<Record<string, Agreement>>;
  /** Commands that show all that is at a key, whatever is there; they are compared by `agreements` too. */
  shown(key: string): readonly string[][];
}
