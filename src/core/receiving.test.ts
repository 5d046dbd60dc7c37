import { expect, test } from 'vitest';
import { Core } from './core.ts';
import { init, silent } from './core-test-kit.ts';
import { defaultCoreOptions } from './options.ts';
import type { CoreOutput } from './output.ts';
import type { Append, BatchSpan, Message, Position } from './types.ts';

/** Node `a`, with these runs of terms in its log up to LSN 10, and what it sends. */
function follower(...runs: Position[]): { core: Core; sent: Message[] } {
  const sent: Message[] = [];
  const output: CoreOutput = { ...silent, send: (_to, message) => void sent.push(message) };
  const hardState = { term: 4, vote: null };
  const core = new Core({ ...init, hardState, runs, lastLsn: 10 }, defaultCoreOptions, output, () => 0.5);
  return { core, sent };
}

function append(previous: Position, commit: number, batches: BatchSpan[] = []): Append {
  const asks = { wantReceived: false, wantApplied: false };
  return { kind: 'append', term: 5, previous, batches, commit, timeMs: 0, ...asks };
}

test('pitfall 12: an append commits what it shows to agree, not the tail behind that', () => {
  const { core } = follower({ term: 1, lsn: 1 });
  const batch: BatchSpan = { term: 1, firstLsn: 3, lastLsn: 4, bytes: new Uint8Array(0) };
  core.receive('b', append({ term: 1, lsn: 2 }, 9, [batch]), 1000);
  expect(core.commit).toBe(4);
});

test('a follower names the last entry at which its log can agree with what it refuses', () => {
  const refusal = (previous: Position): Position | undefined => {
    const { core, sent } = follower({ term: 1, lsn: 1 }, { term: 3, lsn: 5 }, { term: 4, lsn: 8 });
    core.receive('b', append(previous, 0), 1000);
    const answer = sent.at(-1);
    return answer?.kind === 'appendAck' ? answer.refused?.hint : undefined;
  };
  expect(refusal({ term: 4, lsn: 12 }), 'what it lacks').toEqual({ term: 4, lsn: 10 });
  expect(refusal({ term: 5, lsn: 10 }), 'an entry of an older term may be in that log too').toEqual({
    term: 4,
    lsn: 10,
  });
  expect(refusal({ term: 3, lsn: 9 }), 'one of a newer term cannot').toEqual({ term: 3, lsn: 7 });
  expect(refusal({ term: 2, lsn: 9 })).toEqual({ term: 1, lsn: 4 });
  expect(refusal({ term: 4, lsn: 9 }), 'it agrees').toBeUndefined();
});
