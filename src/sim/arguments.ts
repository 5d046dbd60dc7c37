export const usage = `usage: npm run simulate -- [options]

  --from SEED       the first seed (1)
  --seeds COUNT     how many seeds to run (100)
  --minutes M       run fresh seeds for M minutes instead
  --forever         run seeds until stopped
  --campaign FILE   keep in FILE how far this came, and go on from there
  --processes N     how many processes share the work (one per processor)
  --timeline        print what happened in each run, not only in those that fail; one process
  --faults LIST     of one seed, only these faults of its plan: 3,7:200 is the third, and the seventh for 200 ms
  --until MS        of one seed, let faults end at this virtual time
  --no-shrink       do not look for fewer faults that make a failing seed fail`;

export interface Arguments {
  readonly from: number;
  /** Infinity when only time or somebody ends it. */
  readonly seeds: number;
  readonly minutes: number;
  readonly campaign: string | null;
  readonly processes: number | null;
  readonly timeline: boolean;
  readonly faults: string | null;
  readonly untilMs: number | null;
  readonly shrink: boolean;
}

const takesNumber = ['--from', '--seeds', '--minutes', '--processes', '--until'] as const;
const takesText = ['--campaign', '--faults'] as const;
const takesNothing = ['--forever', '--timeline', '--no-shrink'] as const;

function isOneOf<T extends string>(names: readonly T[], word: string): word is T {
  return (names as readonly string[]).includes(word);
}

/** Null when the words make no sense. */
export function parseArguments(words: readonly string[]): Arguments | null {
  const numbers = new Map<(typeof takesNumber)[number], number>();
  const texts = new Map<(typeof takesText)[number], string>();
  const given = new Set<(typeof takesNothing)[number]>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (isOneOf(takesNothing, word)) {
      given.add(word);
      continue;
    }
    const value = words[++i];
    if (value === undefined) return null;
    if (isOneOf(takesText, word)) texts.set(word, value);
    else if (isOneOf(takesNumber, word) && Number(value) > 0) numbers.set(word, Number(value));
    else return null;
  }
  const endless = given.has('--forever') || numbers.has('--minutes');
  const faults = texts.get('--faults') ?? null;
  const untilMs = numbers.get('--until') ?? null;
  const seeds = numbers.get('--seeds') ?? (endless ? Number.POSITIVE_INFINITY : 100);
  if ((faults !== null || untilMs !== null) && seeds !== 1) return null;
  return {
    from: numbers.get('--from') ?? 1,
    seeds,
    minutes: numbers.get('--minutes') ?? Number.POSITIVE_INFINITY,
    campaign: texts.get('--campaign') ?? null,
    processes: numbers.get('--processes') ?? null,
    timeline: given.has('--timeline'),
    faults,
    untilMs,
    shrink: !given.has('--no-shrink'),
  };
}
