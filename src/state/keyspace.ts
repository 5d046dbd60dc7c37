import { ByteReader } from '../bytes/byte-reader.ts';
import type { Bytes } from '../bytes/types.ts';
import type { BitOperation } from './bit-operations.ts';
import { combineStrings } from './bit-operations.ts';
import { KeyspaceSlices } from './checkpoint-slices.ts';
import type { Collection } from './collections.ts';
import { HashValue, ListValue, SetValue, SortedSetValue } from './collections.ts';
import { Digest } from './digest.ts';
import { decodeEffects } from './effect-codec.ts';
import type { EffectSink } from './effects.ts';
import type { StringValue, Value } from './entry.ts';
import { copyOf, Entry, memoryOf, stringValue, valueBytes } from './entry.ts';
import { decodeFences, decodePiece, fencesTag } from './entry-codec.ts';
import type { Due } from './expiry-index.ts';
import { ExpiryIndex } from './expiry-index.ts';
import { KeyWalk } from './key-walk.ts';
import { LongString, plainStringBytes } from './long-string.ts';
import { Scanner } from './scanner.ts';
import { type SlotRange, slotCount, slotOf, slotsIn } from './slot.ts';
import { type SlotChange, SlotFences, slotPhase } from './slot-fences.ts';
import { Tombstones } from './tombstones.ts';
import type { CheckpointLoader, CheckpointSlices, KeyspaceView, StateMachine } from './types.ts';

/** Steps taken inside one slot to find a random key. */
const randomSteps = 4096;
/** Keys in frozen slots that are passed over to find one that is not. */
const fencedSteps = 64;

/**
 * The state of one shard: per slot a map from key to entry. Mutated only through the effects (`EffectSink`), which a
 * leader applies as it executes and followers apply from the log. Before an entry's effects, `writeLsn` must be its LSN.
 */
export class Keyspace implements EffectSink, KeyspaceView, StateMachine {
  /** Stamped into whatever the next effects touch. */
  writeLsn = 0;
  appliedLsn = 0;
  /** Noted at keys that are used: the time, see `useClockAt`. Changes do not count as uses while `countsUses` is false. */
  useClock = 0;
  countsUses = true;
  /** Estimated bytes of keys, values and what holds them. */
  memoryBytes = 0;
  /** What was told of moves of slots: those that are withheld are seen by nobody, and nothing in them is expired or evicted. */
  readonly fences = new SlotFences();
  #slots: (Map<Bytes, Entry> | undefined)[] = new Array(slotCount);
  /** The same array, or as long as slots are withheld one without those. */
  #visible = this.#slots;
  #size = 0;
  #expiring = 0;
  /** Every missing key, and every key, was written no later than here or says so itself. */
  #floorLsn = 0;
  readonly #due = new ExpiryIndex();
  readonly #tombstones = new Tombstones();
  readonly #scanner = new Scanner();
  readonly #walk = new KeyWalk();
  #checkpoint: KeyspaceSlices | null = null;
  /** A walk over some slots, for a shard that is to get them. */
  #copy: { readonly slots: ReadonlySet<number>; readonly slices: KeyspaceSlices } | null = null;
  /** Keys whose expiry has passed while their slot was being moved. */
  readonly #heldBack = new Set<Bytes>();

  get size(): number {
    if (this.#visible === this.#slots) return this.#size;
    let size = 0;
    for (const map of this.#visible) if (map !== undefined) size += map.size;
    return size;
  }

  /** While slots are withheld, at most so many. */
  get expiring(): number {
    return this.#visible === this.#slots ? this.#expiring : Math.min(this.#expiring, this.size);
  }

  peek(key: Bytes): Entry | undefined {
    return this.#slots[slotOf(key)]?.get(key);
  }

  /** The LSN that a reply which looked at the key depends on; for a missing key that of its delete, while that may be taken back. */
  gateOf(key: Bytes, entry = this.peek(key)): number {
    const lsn = entry?.lsn ?? this.#tombstones.lsnOf(key);
    return Math.max(lsn, this.#floorLsn);
  }

  /** Leaders keep the LSNs of deletes until they are committed; followers apply nothing that is not. */
  set keepTombstones(keep: boolean) {
    this.#tombstones.keep = keep;
  }

  /** Everything through `lsn` is committed: no reply waits for it any more. */
  committed(lsn: number): void {
    this.#tombstones.committed(lsn);
  }

  // Effects.

  putString(key: Bytes, value: Bytes, expiresAt: number): void {
    this.#put(key, stringValue(value), expiresAt);
  }

  #put(key: Bytes, value: Value, expiresAt: number): void {
    const slot = slotOf(key);
    const entry = this.#change(slot, key);
    if (entry === undefined) {
      this.#insert(slot, key, new Entry(value, expiresAt, this.writeLsn, this.useClock));
      return;
    }
    this.memoryBytes += valueBytes(value) - valueBytes(entry.value);
    entry.value = value;
    entry.lsn = this.writeLsn;
    if (entry.expiresAt !== 0 || expiresAt !== 0) this.#setExpiry(key, entry, expiresAt);
  }

  appendString(key: Bytes, suffix: Bytes): void {
    const entry = this.#change(slotOf(key), key);
    this.#write(key, entry, entry === undefined ? 0 : stringIn(entry, key).length, suffix);
  }

  setRange(key: Bytes, offset: number, value: Bytes): void {
    this.#write(key, this.#change(slotOf(key), key), offset, value);
  }

  /** Puts bytes into the string of an entry that was asked for to be changed. */
  #write(key: Bytes, entry: Entry | undefined, offset: number, bytes: Bytes): void {
    const old = entry === undefined ? '' : stringIn(entry, key);
    const { length } = old;
    const changed = written(old, offset, bytes);
    if (entry === undefined) {
      this.#insert(slotOf(key), key, new Entry(changed, 0, this.writeLsn, this.useClock));
      return;
    }
    this.memoryBytes += changed.length - length;
    entry.value = changed;
    entry.lsn = this.writeLsn;
  }

  combineBits(operation: BitOperation, target: Bytes, sources: readonly Bytes[]): void {
    const values = sources.map((source) => {
      const entry = this.peek(source);
      return entry === undefined ? '' : stringIn(entry, source);
    });
    const combined = combineStrings(operation, values);
    if (combined.length === 0) this.remove(target);
    else this.#put(target, combined, 0);
  }

  remove(key: Bytes): void {
    const slot = slotOf(key);
    const entry = this.#change(slot, key);
    if (entry === undefined) return;
    const map = this.#slots[slot] as Map<Bytes, Entry>;
    map.delete(key);
    if (map.size === 0) this.#setSlot(slot, undefined);
    this.#size -= 1;
    if (entry.expiresAt !== 0) this.#expiring -= 1;
    this.#unindex(entry);
    this.memoryBytes -= memoryOf(key, entry.value);
    this.#tombstones.add(key, this.writeLsn);
  }

  setExpiry(key: Bytes, expiresAt: number): void {
    const entry = this.#change(slotOf(key), key);
    if (entry === undefined) return;
    entry.lsn = this.writeLsn;
    this.#setExpiry(key, entry, expiresAt);
  }

  rename(from: Bytes, to: Bytes): void {
    const entry = this.peek(from);
    if (entry === undefined || from === to) return;
    const { value, expiresAt } = entry;
    this.remove(from);
    this.#put(to, value, expiresAt);
  }

  copy(from: Bytes, to: Bytes): void {
    const entry = this.peek(from);
    if (entry !== undefined && from !== to) this.#put(to, copyOf(entry.value), entry.expiresAt);
  }

  hashSet(key: Bytes, field: Bytes, value: Bytes): void {
    const hash = this.#open(key, HashValue);
    const before = hash.memoryBytes;
    hash.set(field, value);
    this.memoryBytes += hash.memoryBytes - before;
  }

  hashRemove(key: Bytes, field: Bytes): void {
    const hash = this.#existing(key, HashValue);
    if (hash === undefined) return;
    const before = hash.memoryBytes;
    hash.remove(field);
    this.#removed(key, hash, before);
  }

  setAdd(key: Bytes, member: Bytes): void {
    const set = this.#open(key, SetValue);
    const before = set.memoryBytes;
    set.add(member);
    this.memoryBytes += set.memoryBytes - before;
  }

  setRemove(key: Bytes, member: Bytes): void {
    const set = this.#existing(key, SetValue);
    if (set === undefined) return;
    const before = set.memoryBytes;
    set.remove(member);
    this.#removed(key, set, before);
  }

  sortedSetPut(key: Bytes, member: Bytes, score: number): void {
    const sorted = this.#open(key, SortedSetValue);
    const before = sorted.memoryBytes;
    sorted.put(member, score);
    this.memoryBytes += sorted.memoryBytes - before;
  }

  sortedSetRemove(key: Bytes, member: Bytes): void {
    const sorted = this.#existing(key, SortedSetValue);
    if (sorted === undefined) return;
    const before = sorted.memoryBytes;
    sorted.remove(member);
    this.#removed(key, sorted, before);
  }

  sortedSetRemoveRange(key: Bytes, index: number, count: number): void {
    const sorted = this.#existing(key, SortedSetValue);
    if (sorted === undefined) return;
    const before = sorted.memoryBytes;
    sorted.removeRange(index, Math.min(count, sorted.size - index));
    this.#removed(key, sorted, before);
  }

  listInsert(key: Bytes, index: number, item: Bytes): void {
    const list = this.#open(key, ListValue);
    const before = list.memoryBytes;
    list.insert(Math.min(index, list.size), item);
    this.memoryBytes += list.memoryBytes - before;
  }

  listAppend(key: Bytes, item: Bytes): void {
    const list = this.#open(key, ListValue);
    const before = list.memoryBytes;
    list.insert(list.size, item);
    this.memoryBytes += list.memoryBytes - before;
  }

  listSet(key: Bytes, index: number, item: Bytes): void {
    const list = this.#existing(key, ListValue);
    if (list === undefined || index >= list.size) return;
    const before = list.memoryBytes;
    list.set(index, item);
    this.memoryBytes += list.memoryBytes - before;
  }

  listRemove(key: Bytes, index: number, count: number): void {
    const list = this.#existing(key, ListValue);
    if (list === undefined) return;
    const before = list.memoryBytes;
    list.remove(index, Math.min(count, list.size - index));
    this.#removed(key, list, before);
  }

  /** The collection at a key, to be changed; made when there is none. */
  #open<C extends Collection>(key: Bytes, kind: new () => C): C {
    const existing = this.#existing(key, kind);
    if (existing !== undefined) return existing;
    const value = new kind();
    this.#insert(slotOf(key), key, new Entry(value, 0, this.writeLsn, this.useClock));
    return value;
  }

  /** The collection at a key, to be changed. */
  #existing<C extends Collection>(key: Bytes, kind: new () => C): C | undefined {
    const entry = this.#change(slotOf(key), key);
    if (entry === undefined) return undefined;
    if (!(entry.value instanceof kind)) throw wrongType(key, kind.name);
    entry.lsn = this.writeLsn;
    return entry.value;
  }

  /** Elements went: with the last one the key goes. */
  #removed(key: Bytes, collection: Collection, bytesBefore: number): void {
    this.memoryBytes += collection.memoryBytes - bytesBefore;
    if (collection.size === 0) this.remove(key);
  }

  clear(): void {
    if (this.fences.active) {
      for (let slot = 0; slot < slotCount; slot++)
        if (this.fences.phaseOf(slot) === slotPhase.owned) this.#emptySlot(slot);
      return;
    }
    this.#clearAll();
  }

  #clearAll(): void {
    this.#slots = new Array(slotCount);
    this.#visible = this.#slots;
    this.#size = 0;
    this.#expiring = 0;
    this.memoryBytes = 0;
    this.#floorLsn = this.writeLsn;
    this.#due.clear();
    this.#scanner.reset();
    this.#walk.reset();
    // A checkpoint under way goes on reading the slots as they were; nothing changes them any more.
    this.#checkpoint = null;
    this.#copy = null;
    this.#heldBack.clear();
  }

  // Slots that move.

  changeSlots(change: SlotChange): void {
    const { fences } = this;
    if (change.kind === 'empty') {
      for (const slot of slotsIn(change.slots)) if (fences.withholds(slot)) this.#emptySlot(slot);
      fences.apply(change, this.writeLsn);
      return;
    }
    // Whoever logs this has seen to it that they are empty.
    if (change.kind === 'import') for (const slot of slotsIn(change.slots)) this.#emptySlot(slot);
    const { version } = fences;
    fences.apply(change, this.writeLsn);
    if (fences.version !== version) this.#fencesMoved();
  }

  loadPieces(pieces: Uint8Array): void {
    this.#load(Buffer.from(pieces.buffer, pieces.byteOffset, pieces.length), new Digest());
  }

  #emptySlot(slot: number): void {
    for (const key of [...(this.#slots[slot]?.keys() ?? [])]) this.remove(key);
  }

  #fencesMoved(): void {
    const { fences } = this;
    let withheld = false;
    const visible = this.#slots.slice();
    for (let slot = 0; slot < slotCount; slot++) {
      if (!fences.withholds(slot)) continue;
      withheld = true;
      visible[slot] = undefined;
    }
    this.#visible = withheld ? visible : this.#slots;
    this.#walk.reset();
    for (const key of this.#heldBack) {
      const entry = this.peek(key);
      if (entry !== undefined && this.isFenced(key)) continue;
      this.#heldBack.delete(key);
      if (entry !== undefined && entry.expiresAt !== 0 && entry.due === null)
        entry.due = this.#due.add(key, entry.expiresAt);
    }
  }

  /** The key is in a slot that this shard may not change. */
  isFenced(key: Bytes): boolean {
    return this.fences.active && this.fences.phaseOf(slotOf(key)) !== slotPhase.owned;
  }

  /** Slots of other shards that still hold keys here, with how many. */
  *leftBehind(): Generator<readonly [slot: number, keys: Map<Bytes, Entry>], void, undefined> {
    for (let slot = 0; slot < slotCount; slot++) {
      const keys = this.#slots[slot];
      if (keys !== undefined && this.fences.phaseOf(slot) === slotPhase.gone) yield [slot, keys];
    }
  }

  /** Keys in a slot, whether it is withheld or not. */
  heldInSlot(slot: number): number {
    return this.#slots[slot]?.size ?? 0;
  }

  /** Begins the one walk over some slots as they are now; it ends like a checkpoint, which it does not disturb. */
  beginCopy(ranges: readonly SlotRange[]): CheckpointSlices {
    if (this.#copy !== null) throw new Error('a copy of slots is under way');
    const slots = new Set(slotsIn(ranges));
    const some = this.#slots.map((map, slot) => (slots.has(slot) ? map : undefined));
    const slices: KeyspaceSlices = new KeyspaceSlices(some, () => {
      if (this.#copy?.slices === slices) this.#copy = null;
    });
    this.#copy = { slots, slices };
    return slices;
  }

  #setSlot(slot: number, map: Map<Bytes, Entry> | undefined): void {
    this.#slots[slot] = map;
    if (this.#visible !== this.#slots && !this.fences.withholds(slot)) this.#visible[slot] = map;
  }

  /** The entry as it is, after a running checkpoint has taken note of it. */
  #change(slot: number, key: Bytes): Entry | undefined {
    const entry = this.#slots[slot]?.get(key);
    if (this.#checkpoint !== null) this.#checkpoint.beforeChange(slot, key, entry);
    if (this.#copy?.slots.has(slot) === true) this.#copy.slices.beforeChange(slot, key, entry);
    if (entry !== undefined && this.countsUses) entry.usedAt = this.useClock;
    return entry;
  }

  #insert(slot: number, key: Bytes, entry: Entry): void {
    let map = this.#slots[slot];
    if (map === undefined) {
      map = new Map();
      this.#setSlot(slot, map);
    }
    map.set(key, entry);
    this.#size += 1;
    this.memoryBytes += memoryOf(key, entry.value);
    if (entry.expiresAt === 0) return;
    this.#expiring += 1;
    entry.due = this.#due.add(key, entry.expiresAt);
  }

  #setExpiry(key: Bytes, entry: Entry, expiresAt: number): void {
    if (entry.expiresAt === expiresAt) return;
    this.#expiring += (expiresAt !== 0 ? 1 : 0) - (entry.expiresAt !== 0 ? 1 : 0);
    entry.expiresAt = expiresAt;
    if (expiresAt === 0) this.#unindex(entry);
    else if (entry.due === null) entry.due = this.#due.add(key, expiresAt);
    else this.#due.move(entry.due, expiresAt);
  }

  #unindex(entry: Entry): void {
    if (entry.due === null) return;
    this.#due.remove(entry.due);
    entry.due = null;
  }

  /** Keys whose expiry has passed, at most `limit` and no more once they reach `maxBytes`; each is named once, so the caller must delete it. */
  nextDue(now: number, limit: number, maxBytes = Number.POSITIVE_INFINITY): Bytes[] {
    const keys: Bytes[] = [];
    let bytes = 0;
    while (keys.length < limit && bytes < maxBytes) {
      const due = this.#firstDue(now);
      if (due === null) break;
      this.#due.remove(due);
      (this.peek(due.key) as Entry).due = null;
      keys.push(due.key);
      bytes += due.key.length;
    }
    return keys;
  }

  /** What is due first of what may expire here; null when nothing is until then. */
  #firstDue(until: number): Due | null {
    while (this.#due.nextAt <= until) {
      const due = this.#due.first;
      if (due === undefined) return null;
      if (!this.isFenced(due.key)) return due;
      this.#due.remove(due);
      (this.peek(due.key) as Entry).due = null;
      this.#heldBack.add(due.key);
    }
    return null;
  }

  /** The next key of a walk around all of them that never ends; undefined when there is none. */
  walk(): readonly [Bytes, Entry] | undefined {
    for (let tries = 0; tries < fencedSteps; tries++) {
      const next = this.#walk.next(this.#visible);
      if (next === undefined || !this.isFenced(next[0])) return next;
    }
    return undefined;
  }

  /** A random key of those that expire; undefined when there is none. */
  someExpiring(random: { below(bound: number): number }): readonly [Bytes, Entry] | undefined {
    for (let tries = 0; tries < fencedSteps && this.#due.size > 0; tries++) {
      const { key } = this.#due.at(random.below(this.#due.size));
      if (!this.isFenced(key)) return [key, this.peek(key) as Entry];
    }
    return undefined;
  }

  /** The key that expires first; undefined when none does. */
  soonestToExpire(): Bytes | undefined {
    return this.#firstDue(Number.MAX_VALUE)?.key;
  }

  // The whole keyspace.

  *keys(): IterableIterator<Bytes> {
    for (const map of this.#visible) if (map !== undefined) yield* map.keys();
  }

  randomKey(random: { below(bound: number): number }): Bytes | undefined {
    if (this.size === 0) return undefined;
    // The first slot with keys behind a random one: not quite even when slots are, as in Redis.
    let slot = random.below(slotCount);
    while (this.#visible[slot] === undefined) slot = (slot + 1) % slotCount;
    const map = this.#visible[slot] as Map<Bytes, Entry>;
    let left = Math.min(random.below(map.size), randomSteps);
    for (const key of map.keys()) if (left-- === 0) return key;
    return undefined;
  }

  scan(cursor: number, count: number, visit: (key: Bytes, entry: Entry) => void): number {
    return this.#scanner.scan(this.#visible, cursor, count, visit);
  }

  countInSlot(slot: number): number {
    return this.#visible[slot]?.size ?? 0;
  }

  keysInSlot(slot: number, limit: number): Bytes[] {
    const keys: Bytes[] = [];
    for (const key of this.#visible[slot]?.keys() ?? []) {
      if (keys.length >= limit) break;
      keys.push(key);
    }
    return keys;
  }

  // The state machine.

  applyEntry(bytes: Buffer, start: number, end: number, lsn: number): void {
    this.writeLsn = lsn;
    decodeEffects(bytes, start, end, this);
    this.appliedLsn = lsn;
  }

  beginCheckpoint(): CheckpointSlices {
    if (this.#checkpoint !== null) throw new Error('a checkpoint is under way');
    const slices: KeyspaceSlices = new KeyspaceSlices(
      this.#slots,
      () => {
        if (this.#checkpoint === slices) this.#checkpoint = null;
      },
      this.fences,
    );
    this.#checkpoint = slices;
    return slices;
  }

  restore(): CheckpointLoader {
    this.writeLsn = 0;
    this.fences.reset();
    this.#clearAll();
    const digest = new Digest();
    return {
      load: (slice) => this.#load(slice, digest),
      finish: (appliedLsn) => {
        this.appliedLsn = appliedLsn;
        return digest.hex;
      },
    };
  }

  /** Keys as a checkpoint has them. */
  #load(slice: Buffer, digest: Digest): void {
    const reader = new ByteReader(slice);
    while (reader.remaining > 0) {
      if (slice[reader.offset] === fencesTag) {
        decodeFences(reader, digest, this.fences);
        this.#fencesMoved();
        continue;
      }
      // Not `+=` at once: keys that come in meanwhile count themselves.
      const grown = decodePiece(reader, digest, (key, expiresAt, make) => {
        const slot = slotOf(key);
        const entry = this.#change(slot, key);
        if (entry !== undefined) {
          entry.lsn = this.writeLsn;
          return entry.value;
        }
        const value = make();
        this.#insert(slot, key, new Entry(value, expiresAt, this.writeLsn, this.useClock));
        return value;
      });
      this.memoryBytes += grown;
    }
  }

  digest(): string {
    const slices = new KeyspaceSlices(this.#slots, () => {}, this.fences);
    while (slices.next(1 << 20) !== null);
    return slices.digest;
  }
}

function stringIn(entry: Entry, key: Bytes): StringValue {
  const { value } = entry;
  if (typeof value === 'string' || value instanceof LongString) return value;
  throw wrongType(key, 'string');
}

/** A string with bytes put at an offset: a long one itself, changed. */
function written(old: StringValue, offset: number, bytes: Bytes): StringValue {
  if (typeof old === 'string' && Math.max(old.length, offset + bytes.length) <= plainStringBytes) {
    const padded = old.length < offset ? old + '\0'.repeat(offset - old.length) : old;
    return padded.slice(0, offset) + bytes + padded.slice(offset + bytes.length);
  }
  const long = typeof old === 'string' ? LongString.of(old) : old;
  long.write(offset, bytes);
  return long;
}

/** Commands look at the type before they have an effect: this is a fault of the program or a log of another version. */
function wrongType(key: Bytes, wanted: string): Error {
  return new TypeError(
    `an effect for a ${wanted} meets a value of another type at a key of ${key.length} bytes`,
  );
}
