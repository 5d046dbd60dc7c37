/** A stage that a copy of a write passes on a node: it arrived, it is durable, it is visible to readers there. */
export type Stage = 'received' | 'flushed' | 'applied';

/** Whose copies count before the client hears OK. A number counts voters, the leader included. */
export type AckWho = 'none' | 'leader' | 'majority' | 'all' | number;

/** When a write is acknowledged. See docs/guarantees.md for what each combination promises. */
export interface AckPolicy {
  readonly who: AckWho;
  readonly stage: Stage;
  /** After this the client is told that the outcome is unknown, in ms; 0 waits for ever. */
  readonly timeoutMs: number;
}

const stages: readonly Stage[] = ['received', 'flushed', 'applied'];
/** Largest number of copies that a policy may ask for. */
const maxCopies = 1000;

/**
 * Reads the words of `REPL ACK`: who, then optionally a stage, then optionally `TIMEOUT ms`. What is left out is taken
 * from `base`. A string is what is wrong with the words.
 */
export function parseAckPolicy(words: readonly string[], base: AckPolicy): AckPolicy | string {
  const [first, ...rest] = words.map((word) => word.toLowerCase());
  const who = parseWho(first ?? '');
  if (who === null)
    return `ERR '${words[0] ?? ''}' is no acknowledgement: use none, leader, majority, all or a number of copies`;
  let stage: Stage = 'flushed';
  let timeoutMs = base.timeoutMs;
  const named = stages.find((name) => name === rest[0]);
  if (named !== undefined) {
    stage = named;
    rest.shift();
  }
  if (rest[0] === 'timeout') {
    timeoutMs = Number(rest[1]);
    if (!/^\d{1,9}$/.test(rest[1] ?? '')) return 'ERR timeout is not an integer or out of range';
    rest.splice(0, 2);
  }
  if (rest.length > 0)
    return `ERR syntax error near '${rest[0]}': REPL ACK who [RECEIVED | FLUSHED | APPLIED] [TIMEOUT ms]`;
  return { who, stage, timeoutMs };
}

function parseWho(word: string): AckWho | null {
  if (word === 'none' || word === 'leader' || word === 'majority' || word === 'all') return word;
  if (!/^[1-9]\d{0,3}$/.test(word) || Number(word) > maxCopies) return null;
  return Number(word);
}

export function formatAckPolicy(policy: AckPolicy): string {
  return `${policy.who} ${policy.stage} timeout ${policy.timeoutMs}`;
}

const whoCodes = { none: 0, leader: 1, majority: 2, all: 3 } as const;

/** The policy in 16 bits, as entries carry it: stage, then who; a number of copies from 4 on. */
export function encodeAckPolicy(policy: AckPolicy): number {
  const who = typeof policy.who === 'number' ? 3 + policy.who : whoCodes[policy.who];
  return who * 4 + stages.indexOf(policy.stage);
}

export function describeAckCode(code: number): string {
  const who = Math.floor(code / 4);
  const names = ['none', 'leader', 'majority', 'all'];
  return `${names[who] ?? String(who - 3)} ${stages[code % 4] ?? 'unknown'}`;
}
