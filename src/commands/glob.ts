import type { Bytes } from '../bytes/types.ts';

/** Patterns of KEYS, SCAN and CONFIG GET: `*`, `?`, `[a-z]`, `[^x]`, and a backslash before a literal. */
export function globMatches(pattern: Bytes, text: Bytes): boolean {
  let p = 0;
  let t = 0;
  /** Where to go on after the last `*`, and how far it reaches. One star is enough to come back to: the last one. */
  let starAt = -1;
  let starText = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      starAt = p++;
      starText = t;
      continue;
    }
    const end = p < pattern.length ? matchOne(pattern, p, text[t] as string) : -1;
    if (end >= 0) {
      p = end;
      t += 1;
    } else if (starAt >= 0) {
      p = starAt + 1;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** Where the pattern goes on when its element at `p` matches the character; -1 when it does not. */
function matchOne(pattern: Bytes, p: number, char: string): number {
  const element = pattern[p];
  if (element === '?') return p + 1;
  if (element === '\\' && p + 1 < pattern.length) return pattern[p + 1] === char ? p + 2 : -1;
  if (element !== '[') return element === char ? p + 1 : -1;
  let at = p + 1;
  const negated = pattern[at] === '^';
  if (negated) at += 1;
  let found = false;
  for (; at < pattern.length && pattern[at] !== ']'; at++) {
    if (pattern[at] === '\\' && at + 1 < pattern.length) {
      at += 1;
      found ||= pattern[at] === char;
    } else if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const [low, high] = [pattern[at] as string, pattern[at + 2] as string].sort() as [string, string];
      found ||= char >= low && char <= high;
      at += 2;
    } else {
      found ||= pattern[at] === char;
    }
  }
  if (found === negated) return -1;
  return Math.min(at + 1, pattern.length);
}
