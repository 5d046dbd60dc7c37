import type { KeyVersions } from './key-versions.ts';
import type { SessionStep } from './level-history.ts';
import { describeRead } from './level-history.ts';

/** What was acknowledged to a session and never committed. */
interface Lost {
  readonly key: string;
  readonly value: string;
  readonly term: number;
}

/**
 * `session`: a session sees its own writes, and takes no step back, whichever replicas it asks. What it wrote may be
 * lost if it was acknowledged by too few; then it is told before it is shown what a later leader did, and begins anew.
 * Answers what is wrong; null when nothing is.
 */
export function checkSession(
  client: number,
  steps: readonly SessionStep[],
  versions: KeyVersions,
): string | null {
  /** The least LSN that the session may be shown. */
  let least = 0;
  let lost: Lost | null = null;
  for (const step of steps) {
    if (step.kind === 'told') {
      const problem = checkTold(client, step.line, versions);
      if (problem !== null) return problem;
      least = 0;
      lost = null;
    } else if (step.kind === 'wrote') {
      const lsn = versions.shownAt(step.key, step.value, 0);
      if (lsn === null) lost = step;
      else least = Math.max(least, lsn);
    } else {
      const { read } = step;
      const lsn = versions.shownAt(read.key, read.result, least);
      if (lsn === null) return `${describeRead(read)}: the session had seen LSN ${least}`;
      // The leader that lost the write may go on to show what it holds itself of other keys.
      if (lost !== null && (lost.key === read.key || (versions.termAt(lsn) ?? 0) > lost.term))
        return `${describeRead(read)}: nobody had told it that its write ${lost.key} = ${lost.value.slice(0, 60)} was lost`;
      least = lsn;
    }
  }
  return null;
}

/** What is called lost must not be committed. */
function checkTold(client: number, line: string, versions: KeyVersions): string | null {
  const match = /\bLOSTWRITE LSN (\d+) of term (\d+) /.exec(line);
  if (match === null || versions.termAt(Number(match[1])) !== Number(match[2])) return null;
  return `client ${client} was told '${line}', and it is committed`;
}
