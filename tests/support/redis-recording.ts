import fs from 'node:fs';
import { ReplyParser } from '../../src/resp/reply-parser.ts';
import type { Answers, Heard, Step } from './redis-script.ts';

/** Replies longer than this are not kept: they are compared only with a Redis that runs. */
const longestKept = 4000;
/** What a step sends is kept up to this length, to notice when a scenario has changed. */
const longestName = 200;

interface Header {
  readonly redis: readonly [number, number, number];
}

interface Line {
  readonly scenario: string;
  /** What is sent and what Redis answered, one character per byte; null for what was not kept. */
  readonly replies: readonly (readonly [step: string, wire: string | null])[];
}

/**
 * What a Redis answered to scenarios, kept in a file, a line each, so that Bellwether is held to it where no Redis is
 * at hand.
 */
export class Recording {
  readonly version: readonly [number, number, number];
  readonly #lines = new Map<string, Line>();

  constructor(version: readonly [number, number, number]) {
    this.version = version;
  }

  static read(file: URL): Recording {
    const [header, ...lines] = fs.readFileSync(file, 'utf8').trim().split('\n');
    const recording = new Recording((JSON.parse(header as string) as Header).redis);
    for (const text of lines) {
      const line = JSON.parse(text) as Line;
      recording.#lines.set(line.scenario, line);
    }
    return recording;
  }

  write(file: URL): void {
    const lines = [{ redis: this.version }, ...this.#lines.values()];
    fs.writeFileSync(file, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
  }

  keep(scenario: string, steps: readonly Step[], wires: readonly string[]): void {
    const replies = steps.map(
      (step, i) =>
        [nameOf(step), (wires[i] as string).length > longestKept ? null : (wires[i] as string)] as const,
    );
    this.#lines.set(scenario, { scenario, replies });
  }

  /** Answers as Redis did. Throws when the scenario has changed since. */
  answers(scenario: string): Answers {
    const line = this.#lines.get(scenario);
    let at = 0;
    return {
      perform: async (step) => {
        const [text, wire] = line?.replies[at++] ?? [];
        if (text !== nameOf(step) || wire === undefined)
          throw new Error(
            `"${scenario}" is not in the recording as it is: record it anew with BELLWETHER_RECORD=1`,
          );
        return wire === null ? { wire: '', value: null, unknown: true } : heardFrom(wire);
      },
      close: async () => undefined,
    };
  }
}

function nameOf({ text }: Step): string {
  return text.slice(0, longestName);
}

function heardFrom(wire: string): Heard {
  const parser = new ReplyParser();
  parser.push(Buffer.from(wire, 'latin1'));
  return { wire, value: parser.next() ?? null };
}
