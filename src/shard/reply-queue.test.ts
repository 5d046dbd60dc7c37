import { expect, test } from 'vitest';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { AckPolicy } from './ack-policy.ts';
import { AllKeepers } from './all-keepers.ts';
import type { Gate, Gatekeeper } from './reply-queue.ts';
import { ReplyQueue } from './reply-queue.ts';

const policy: AckPolicy = { who: 'majority', stage: 'flushed', timeoutMs: 1000 };

/** A keeper at a commit position that the test sets. */
class Keeper implements Gatekeeper {
  commit = 0;
  leads = true;

  isOpen(_policy: AckPolicy, lsn: number): boolean {
    return this.commit >= lsn;
  }

  wait(_policy?: AckPolicy, _lsn?: number): void {}

  wasLeaderAt(): boolean {
    return true;
  }

  awaitProof(): void {}

  mayProve(): boolean {
    return true;
  }

  shutBy(ended: Gatekeeper, _policy: AckPolicy, lsn: number): boolean {
    return ended === this && this.commit < lsn;
  }
}

function reply(queue: ReplyQueue, out: ByteWriter, gate: Gate, text: string): void {
  out.raw(text);
  queue.add(out, gate, 0);
}

function released(queue: ReplyQueue): string[] {
  const pieces: string[] = [];
  queue.release((bytes) => pieces.push(bytes.toString('latin1')));
  return pieces;
}

test('replies of one turn that wait for the same leave as one piece', () => {
  const queue = new ReplyQueue({ gateOpened: () => {} });
  const keeper = new Keeper();
  const out = new ByteWriter(1024);
  for (const lsn of [1, 2, 3])
    reply(queue, out, { keeper, policy, lsn, readMs: -1, confirmed: false }, `${lsn};`);
  expect(released(queue)).toEqual([]);
  keeper.commit = 3;
  expect(released(queue)).toEqual(['1;2;3;']);
});

test('a reply does not wait for the writes of later turns of its connection', () => {
  const queue = new ReplyQueue({ gateOpened: () => {} });
  const keeper = new Keeper();
  const out = new ByteWriter(1024);
  // Writes come in faster than they commit: there is always a later one under way.
  const left: string[] = [];
  for (let lsn = 1; lsn <= 5; lsn++) {
    reply(queue, out, { keeper, policy, lsn, readMs: -1, confirmed: false }, `${lsn};`);
    keeper.commit = lsn - 1;
    left.push(...released(queue));
  }
  expect(left).toEqual(['1;', '2;', '3;', '4;']);
});

test('after a handover what the commit does not open is hopeless, what it opens leaves', () => {
  const queue = new ReplyQueue({ gateOpened: () => {} });
  const keeper = new Keeper();
  const out = new ByteWriter(1024);
  for (const lsn of [1, 2]) {
    reply(queue, out, { keeper, policy, lsn, readMs: -1, confirmed: false }, `${lsn};`);
    released(queue);
  }
  keeper.leads = false;
  keeper.commit = 1;
  expect(released(queue)).toEqual(['1;']);
  expect(queue.hopeless).toBe(true);
});

test('pitfall 40: replies whose time is over are errors in their place, and later ones still leave in order', () => {
  const asked: number[] = [];
  const queue = new ReplyQueue({ gateOpened: () => {} });
  const keeper = new Keeper();
  keeper.wait = (_policy?: AckPolicy, lsn?: number) => void asked.push(lsn ?? 0);
  const out = new ByteWriter(1024);
  const patient: AckPolicy = { ...policy, timeoutMs: 0 };
  const gate = { keeper, readMs: -1, confirmed: false };
  reply(queue, out, { ...gate, policy, lsn: 1 }, 'one;');
  reply(queue, out, { ...gate, policy, lsn: 2 }, 'two;');
  reply(queue, out, { ...gate, policy: patient, lsn: 3 }, 'three;');
  out.raw('four;');
  queue.add(out, null, 0);
  expect(released(queue)).toEqual([]);
  const line = ({ lsn }: { lsn: number }): string => `ACKTIMEOUT at ${lsn}`;
  expect(queue.expire(policy.timeoutMs - 1, line)).toBe(false);
  expect(queue.expire(policy.timeoutMs, line)).toBe(true);
  expect(queue.timeouts).toBe(2);
  // One error for each of the two, and what waits behind them asks for its own gate.
  expect(released(queue)).toEqual(['-ACKTIMEOUT at 2\r\n-ACKTIMEOUT at 2\r\n']);
  expect(asked).toEqual([2, 3]);
  queue.opened();
  keeper.commit = 3;
  expect(released(queue)).toEqual(['three;', 'four;']);
  expect(queue.pendingBytes).toBe(0);
});

test('a write that was lost behind a reply of another shard is not answered when its LSN is committed anew', () => {
  const queue = new ReplyQueue({ gateOpened: () => {} });
  const [one, other] = [new Keeper(), new Keeper()];
  const out = new ByteWriter(1024);
  reply(queue, out, { keeper: one, policy, lsn: 1, readMs: -1, confirmed: false }, 'one;');
  reply(queue, out, { keeper: other, policy, lsn: 5, readMs: -1, confirmed: false }, 'early;');
  reply(queue, out, { keeper: other, policy, lsn: 7, readMs: -1, confirmed: false }, 'lost;');
  other.commit = 5;
  expect(released(queue)).toEqual([]);
  // Another node leads that shard now, and commits an entry of its own at LSN 7. Then it leads here again.
  other.leads = false;
  expect(queue.leadershipEnded(other)).toBe(true);
  other.commit = 7;
  other.leads = true;
  one.commit = 1;
  expect(released(queue)).toEqual(['one;']);
  expect(queue.hopeless).toBe(true);
});

test('a write to all shards that was lost in one of them is not answered by what comes there later', () => {
  const queue = new ReplyQueue({ gateOpened: () => {} });
  const [one, other] = [new Keeper(), new Keeper()];
  const out = new ByteWriter(1024);
  const kept = [
    { keeper: one, lsn: 1 },
    { keeper: other, lsn: 7 },
  ];
  reply(queue, out, { keeper: new AllKeepers(kept), policy, lsn: 7, readMs: -1, confirmed: false }, 'all;');
  expect(released(queue)).toEqual([]);
  expect(queue.leadershipEnded(other)).toBe(true);
  one.commit = 1;
  other.commit = 7;
  expect(released(queue)).toEqual([]);
  expect(queue.hopeless).toBe(true);
});
