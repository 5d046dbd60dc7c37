import { describe, expect, it, test } from 'vitest';
import { Keyspace } from '../state/keyspace.ts';
import { rangesOf } from '../state/slot.ts';
import { type Metadata, readMetadata, type SlotMove } from './metadata.ts';
import { changeMetadata } from './metadata-change.ts';
import { metadataFrom, metadataObject } from './metadata-file.ts';
import type { Decision } from './placement.ts';
import { evenShardMap, slotsAsBegun } from './shard-map.ts';
import {
  abandonMove,
  beginMove,
  cancelMoves,
  finishMove,
  nextBatch,
  outcomeFor,
  wantElsewhere,
  wantOwners,
} from './slot-moves.ts';

/** A metadata shard that is told what was decided. */
class Decided {
  readonly #keyspace = new Keyspace();

  constructor(shards: number) {
    const map = evenShardMap(shards, ['n1', 'n2', 'n3']);
    const records = map.placements.map(
      ({ shard, members, preferred }) => [shard, { members, preferred }] as const,
    );
    this.#write({ change: { nodes: new Map(), shards: new Map(records), ...slotsAsBegun(map) } }, 0);
  }

  get now(): Metadata {
    return readMetadata(this.#keyspace) as Metadata;
  }

  /** The epoch that it made. */
  does(decide: (metadata: Metadata) => Decision): number {
    this.#write(decide(this.now), this.now.epoch);
    return this.now.epoch;
  }

  #write(decision: Decision, epoch: number): void {
    if ('refused' in decision) throw new Error(decision.refused);
    const keyspace = this.#keyspace;
    changeMetadata({ hidden: (key) => keyspace.peek(key), effects: keyspace }, epoch, decision.change);
  }
}

/** To be compared: an array of 16,384 numbers takes its time, a text does not. */
function shown(metadata: Metadata | null): unknown {
  if (metadata === null) return null;
  const { owners, wanted, since, ...rest } = metadata;
  return { ...rest, owners: owners.join(), wanted: wanted.join(), since: since.join() };
}

const always = (): boolean => true;
const noKeys = (): number => 0;
const founded = (): number => 0;
const many = { slots: 100_000, keys: 1 };

function batchOf(metadata: Metadata, from: number): SlotMove {
  return nextBatch(metadata, from, always, noKeys, many) as SlotMove;
}

function refusal(decision: Decision): string {
  return 'refused' in decision ? decision.refused : 'it was not refused';
}

test('slots are wanted elsewhere, moved, and owned there since that move', () => {
  const decided = new Decided(2);
  decided.does((metadata) => wantElsewhere(metadata, 100, 1, 2));
  const move = batchOf(decided.now, 1);
  expect(move).toEqual({ from: 1, to: 2, slots: [{ from: 8092, to: 8191 }] });
  const began = decided.does((metadata) => beginMove(metadata, move));
  expect(decided.now.moves).toEqual(new Map([[began, move]]));
  expect(batchOf(decided.now, 1)).toBeNull();
  decided.does((metadata) => finishMove(metadata, began));
  const { owners, wanted, since, moves } = decided.now;
  expect([owners[8091], owners[8092], owners[8191]]).toEqual([1, 2, 2]);
  expect([since[8091], since[8092], since[8192]]).toEqual([0, began, 0]);
  expect(wanted.join()).toBe(owners.join());
  expect(moves.size).toBe(0);
  expect(shown(metadataFrom(JSON.parse(JSON.stringify(metadataObject(decided.now)))))).toEqual(
    shown(decided.now),
  );
});

test('what is under way is in the file of the metadata, and files without it are read', () => {
  const decided = new Decided(2);
  decided.does((metadata) => wantElsewhere(metadata, 100, 1, 2));
  decided.does((metadata) => beginMove(metadata, batchOf(metadata, 1)));
  const told = JSON.parse(JSON.stringify(metadataObject(decided.now)));
  expect(shown(metadataFrom(told))).toEqual(shown(decided.now));
  const { wanted: _, since: __, moves: ___, ...older } = told;
  expect(metadataFrom(older)?.wanted.join()).toBe(decided.now.owners.join());
});

describe('a batch', () => {
  it('goes to one shard, and leaves what the shard has not taken over', () => {
    const { now } = new Decided(3);
    const wanted = now.owners.slice().fill(2, 0, 5).fill(3, 5, 9);
    const metadata = { ...now, wanted };
    expect(nextBatch(metadata, 1, (slot) => slot !== 2, noKeys, many)?.slots).toEqual([
      { from: 0, to: 1 },
      { from: 3, to: 4 },
    ]);
  });

  it('has few slots or few keys, but always one', () => {
    const { now } = new Decided(2);
    const metadata = { ...now, wanted: now.owners.slice().fill(2) };
    const size = (keys: number, most: { slots: number; keys: number }) =>
      nextBatch(metadata, 1, always, () => keys, most)?.slots;
    expect(size(0, { slots: 7, keys: 10 })).toEqual([{ from: 0, to: 6 }]);
    expect(size(3, { slots: 7, keys: 10 })).toEqual([{ from: 0, to: 2 }]);
    expect(size(30, { slots: 7, keys: 10 })).toEqual([{ from: 0, to: 0 }]);
  });
});

test('nothing is moved that is not there, not wanted elsewhere, or being moved', () => {
  const decided = new Decided(3);
  const slots = rangesOf([0, 1]);
  const { now } = decided;
  expect(refusal(wantElsewhere(now, 1, 1, 4))).toBe('there is no shard 4');
  expect(refusal(wantElsewhere(now, 1, 1, 1))).toBe('a shard has its slots already');
  expect(refusal(wantElsewhere(now, slots, 2, 3))).toBe('slot 0 is in shard 1, not in 2');
  expect(refusal(wantElsewhere(now, 9000, 1, 2))).toBe('shard 1 has 5462 slots that stay, not 9000');
  expect(refusal(beginMove(now, { from: 1, to: 2, slots }))).toBe('slot 0 is not to go from shard 1 to 2');
  expect(refusal(beginMove(now, { from: 1, to: 2, slots: [] }))).toBe('a move of no slots');
  expect(refusal(finishMove(now, 7))).toBe('no move began with epoch 7');
  decided.does((metadata) => wantElsewhere(metadata, slots, 1, 2));
  decided.does((metadata) => beginMove(metadata, batchOf(metadata, 1)));
  expect(refusal(wantElsewhere(decided.now, slots, 1, 3))).toBe(
    'slot 0 is being moved: cancel that, or wait',
  );
  expect(refusal(beginMove(decided.now, { from: 1, to: 2, slots }))).toBe('slots of shard 1 are being moved');
  expect(refusal(wantOwners(now, now.owners.slice().fill(9, 0, 1)))).toBe('there is no shard 9');
});

test('a move is cancelled or has moved, whichever the metadata is told first', () => {
  const decided = new Decided(2);
  decided.does((metadata) => wantElsewhere(metadata, 10, 1, 2));
  const began = decided.does((metadata) => beginMove(metadata, batchOf(metadata, 1)));
  decided.does((metadata) => cancelMoves(metadata, 1));
  expect(refusal(finishMove(decided.now, began))).toBe(`no move began with epoch ${began}`);
  expect(decided.now.wanted.join()).toBe(decided.now.owners.join());
  expect(batchOf(decided.now, 1)).toBeNull();
  expect(refusal(cancelMoves(decided.now, null))).toBe('no slots are to be moved');
});

test('a batch that is abandoned is still wanted', () => {
  const decided = new Decided(2);
  decided.does((metadata) => wantElsewhere(metadata, 10, 1, 2));
  const move = batchOf(decided.now, 1);
  const began = decided.does((metadata) => beginMove(metadata, move));
  decided.does((metadata) => abandonMove(metadata, began));
  expect(batchOf(decided.now, 1)).toEqual(move);
});

describe('what became of a move', () => {
  const slots = rangesOf([8190, 8191]);

  function moved(there: boolean) {
    const decided = new Decided(2);
    decided.does((metadata) => wantElsewhere(metadata, slots, 1, 2));
    const before = decided.now;
    const began = decided.does((metadata) => beginMove(metadata, batchOf(metadata, 1)));
    const during = decided.now;
    decided.does((metadata) => (there ? finishMove(metadata, began) : cancelMoves(metadata, null)));
    const giver = { began, slots, gives: true };
    const taker = { began, slots, gives: false };
    return { decided, before, during, giver, taker };
  }

  it('is unknown to metadata from before it, and open while it is there', () => {
    const { before, during, giver, taker } = moved(true);
    expect(outcomeFor(before, 1, giver, founded)).toBeNull();
    expect(outcomeFor(during, 1, giver, founded)).toBe('under way');
    expect(outcomeFor(during, 2, taker, founded)).toBe('under way');
  });

  it.each([true, false])('is the same for both sides, also when the slots have moved on: %s', (there) => {
    const { decided, giver, taker } = moved(there);
    const both = (): unknown[] => [
      outcomeFor(decided.now, 1, giver, founded),
      outcomeFor(decided.now, 2, taker, founded),
    ];
    const expected = there ? 'moved' : 'cancelled';
    expect(both()).toEqual([expected, expected]);
    if (!there) return;
    // Back again: the first shard has long known, the other one gives them now.
    decided.does((metadata) => wantElsewhere(metadata, slots, 2, 1));
    const back = decided.does((metadata) => beginMove(metadata, batchOf(metadata, 2)));
    expect(both()).toEqual(['moved', 'moved']);
    decided.does((metadata) => finishMove(metadata, back));
    expect(outcomeFor(decided.now, 1, giver, founded)).toBe('moved');
    expect(outcomeFor(decided.now, 1, { began: back, slots, gives: false }, founded)).toBe('moved');
    expect(outcomeFor(decided.now, 2, { began: back, slots, gives: true }, () => giver.began)).toBe('moved');
  });
});
