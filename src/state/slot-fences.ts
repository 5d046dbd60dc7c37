import type { ByteReader } from '../bytes/byte-reader.ts';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import { type SlotRange, slotCount, slotsIn } from './slot.ts';

/**
 * What a shard's own history says of a slot. Owned: the shard may serve it, if the metadata says so too. Frozen: nobody
 * changes it until a move is decided. Importing, imported: it is being filled, or was, from the shard that owns it.
 * Gone: another shard has it, what is left here is to be deleted. Numbers never change their meaning.
 */
export const slotPhase = { owned: 0, frozen: 1, importing: 2, imported: 3, gone: 4 } as const;
export type SlotPhase = (typeof slotPhase)[keyof typeof slotPhase];

/** In the order of their numbers in the log, which never change. */
export const slotChangeKinds = [
  'import',
  'progress',
  'imported',
  'adopt',
  'drop',
  'freeze',
  'thaw',
  'surrender',
  'empty',
] as const;

/** One step of a move in the log of one of its two shards. */
export interface SlotChange {
  /**
   * The shard that takes the slots: `import` begins a copy anew, `progress` says how far it is, `imported` that it has
   * everything, `adopt` that it owns them, `drop` that it does not. The one that gives them: `freeze`, then `thaw` when
   * they stay, or `surrender`. Either: `empty` deletes what is left in some slots.
   */
  readonly kind: (typeof slotChangeKinds)[number];
  /** The epoch of the metadata that began the move: its name. */
  readonly began: number;
  /** The other shard (import, freeze). */
  readonly other: number;
  /** The term of the other shard's leader that copies, and which of its attempts this is (import). */
  readonly term: number;
  /** That attempt; the last step that was taken in (progress); the other shard's LSN (imported). */
  readonly count: number;
  /** Import, freeze, empty; elsewhere those of the move. */
  readonly slots: readonly SlotRange[];
}

/** A move that this shard's history knows of and that is not over for it. */
export interface MoveMark {
  readonly began: number;
  /** It gives the slots away; else it takes them. */
  readonly gives: boolean;
  readonly other: number;
  readonly slots: readonly SlotRange[];
  /** Who copies, and which attempt of its own that is. */
  readonly term: number;
  readonly attempt: number;
  /** The last step of the copy that is in this state. */
  readonly sequence: number;
  /** Where this history froze the slots, or where the other one did when all of that is here; else 0. */
  readonly lsn: number;
}

/** Of all shards in which nothing ever moved. */
const allOwned = new Uint8Array(slotCount);
const fromTheBeginning = new Uint32Array(slotCount);

/** What the history of one shard says of moves of its slots. Part of the state: every replica has the same. */
export class SlotFences {
  /** False as long as no slot was ever moved: then nothing else here needs to be asked. */
  active = false;
  /** Rises with every change but progress. */
  version = 0;
  #phases = allOwned;
  #since = fromTheBeginning;
  readonly #marks = new Map<number, MoveMark>();

  get marks(): ReadonlyMap<number, MoveMark> {
    return this.#marks;
  }

  phaseOf(slot: number): SlotPhase {
    return this.#phases[slot] as SlotPhase;
  }

  /** The move that brought a slot here; 0 when none did. */
  sinceOf(slot: number): number {
    return this.#since[slot] as number;
  }

  /** The shard may serve the slot, when the metadata says that it owns it since that move. */
  serves(slot: number, since: number): boolean {
    return this.#phases[slot] === slotPhase.owned && this.#since[slot] === since;
  }

  /**
   * The slot is all here and will be served, or is already by what metadata says that is newer than the given move of
   * it.
   */
  isArriving(slot: number, since: number): boolean {
    const phase = this.#phases[slot];
    return phase === slotPhase.imported || (phase === slotPhase.owned && this.sinceOf(slot) > since);
  }

  /** Its keys are nobody's business but the move's. */
  withholds(slot: number): boolean {
    return (this.#phases[slot] as number) >= slotPhase.importing;
  }

  /** Some slots are frozen. */
  get freezing(): boolean {
    for (const { gives } of this.#marks.values()) if (gives) return true;
    return false;
  }

  reset(): void {
    this.active = false;
    this.version += 1;
    this.#phases = allOwned;
    this.#since = fromTheBeginning;
    this.#marks.clear();
  }

  #activate(): void {
    if (this.active) return;
    this.active = true;
    this.#phases = new Uint8Array(slotCount);
    this.#since = new Uint32Array(slotCount);
  }

  /** Takes a change that stands at this LSN of the shard's own history. */
  apply(change: SlotChange, lsn: number): void {
    this.#activate();
    const { kind, began, other, term, count } = change;
    const mark = this.#marks.get(began);
    if (kind === 'progress') {
      if (mark !== undefined) this.#marks.set(began, { ...mark, sequence: count });
      return;
    }
    this.version += 1;
    const slots = [...change.slots];
    const fresh = { began, other, slots, term, attempt: count, sequence: 0 };
    switch (kind) {
      case 'import':
        this.#forget(slots);
        this.#marks.set(began, { ...fresh, gives: false, lsn: 0 });
        this.#set(slots, slotPhase.importing, 0);
        return;
      case 'freeze':
        this.#marks.set(began, { ...fresh, gives: true, lsn });
        for (const slot of slotsIn(slots)) this.#phases[slot] = slotPhase.frozen;
        return;
      case 'imported':
        if (mark === undefined) return;
        this.#marks.set(began, { ...mark, lsn: count });
        for (const slot of slotsIn(mark.slots)) this.#phases[slot] = slotPhase.imported;
        return;
      case 'adopt':
      case 'drop':
      case 'thaw':
      case 'surrender':
        if (mark !== undefined) this.#end(mark, kind);
        return;
      case 'empty':
        return;
    }
  }

  #end({ began, slots }: MoveMark, kind: 'adopt' | 'drop' | 'thaw' | 'surrender'): void {
    this.#marks.delete(began);
    if (kind === 'adopt') this.#set(slots, slotPhase.owned, began);
    else if (kind === 'thaw') for (const slot of slotsIn(slots)) this.#phases[slot] = slotPhase.owned;
    else this.#set(slots, slotPhase.gone, 0);
  }

  #set(slots: readonly SlotRange[], phase: SlotPhase, since: number): void {
    for (const { from, to } of slots) {
      this.#phases.fill(phase, from, to + 1);
      this.#since.fill(since, from, to + 1);
    }
  }

  /** Another copy of these slots begins: what was known of an earlier one is void. */
  #forget(slots: readonly SlotRange[]): void {
    for (const mark of [...this.#marks.values()])
      if (mark.slots.some((one) => slots.some(({ from, to }) => one.from <= to && from <= one.to)))
        this.#end(mark, 'drop');
  }

  // In a checkpoint: runs of slots that are not as at the beginning, then the marks. All u32 but the phase and LSNs.

  write(out: ByteWriter): void {
    const runs = [...this.#runs()];
    out.u32(runs.length);
    for (const { from, to, phase, since } of runs) {
      out.u32(from);
      out.u32(to);
      out.u8(phase);
      out.u32(since);
    }
    const marks = [...this.#marks.values()].sort((a, b) => a.began - b.began);
    out.u32(marks.length);
    for (const { began, gives, other, slots, term, attempt, sequence, lsn } of marks) {
      out.u8(gives ? 1 : 0);
      for (const part of [began, other, term, attempt, sequence, lsn]) out.u64(part);
      writeRanges(out, slots);
    }
  }

  read(from: ByteReader): void {
    this.reset();
    this.#activate();
    for (let left = from.u32(); left > 0; left--) {
      const range = readRange(from);
      const phase = from.u8();
      if (phase > slotPhase.gone) throw new MalformedBytes('slots in an unknown phase', from.offset - 1);
      this.#set([range], phase as SlotPhase, from.u32());
    }
    for (let left = from.u32(); left > 0; left--) {
      const gives = from.u8() === 1;
      const [began, other, term, attempt, sequence, lsn] = [1, 2, 3, 4, 5, 6].map(() => from.u64()) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const slots = readRanges(from);
      this.#marks.set(began, { began, gives, other, slots, term, attempt, sequence, lsn });
    }
  }

  *#runs(): Generator<SlotRange & { readonly phase: SlotPhase; readonly since: number }> {
    for (let from = 0; from < slotCount; ) {
      const phase = this.phaseOf(from);
      const since = this.sinceOf(from);
      let to = from;
      while (to + 1 < slotCount && this.phaseOf(to + 1) === phase && this.sinceOf(to + 1) === since) to += 1;
      if (phase !== slotPhase.owned || since !== 0) yield { from, to, phase, since };
      from = to + 1;
    }
  }
}

export function writeRanges(out: ByteWriter, ranges: readonly SlotRange[]): void {
  out.u32(ranges.length);
  for (const { from, to } of ranges) {
    out.u32(from);
    out.u32(to);
  }
}

export function readRanges(from: ByteReader): SlotRange[] {
  const ranges: SlotRange[] = [];
  for (let left = from.u32(); left > 0; left--) ranges.push(readRange(from));
  return ranges;
}

function readRange(reader: ByteReader): SlotRange {
  const at = reader.offset;
  const from = reader.u32();
  const to = reader.u32();
  if (from > to || to >= slotCount) throw new MalformedBytes('slots that are none', at);
  return { from, to };
}
