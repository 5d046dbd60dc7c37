import type { Bytes } from '../bytes/types.ts';
import { HashTable } from './hash-table.ts';
import { Sequence } from './sequence.ts';

/**
 * The values that hold elements. Changed only by the keyspace, through effects; commands read. Each copies itself at
 * next to no cost, and knows about how much memory it takes.
 */
export type Collection = HashValue | ListValue | SetValue | SortedSetValue;

/** Estimates of what an element takes beside its bytes. */
const tableItemBytes = 60;
const listItemBytes = 30;
const sortedItemBytes = 110;

/** Field to value. */
export class HashValue {
  readonly type = 'hash';
  readonly fields: HashTable<Bytes>;
  memoryBytes = 0;
  /** Bytes of the longest field or value that was ever here: what OBJECT ENCODING goes by. */
  longest = 0;
  /** Most fields that were ever here at once. */
  most = 0;

  constructor(fields = new HashTable<Bytes>()) {
    this.fields = fields;
  }

  get size(): number {
    return this.fields.size;
  }

  copy(): HashValue {
    return carry(this, new HashValue(this.fields.copy()));
  }

  set(field: Bytes, value: Bytes): void {
    const old = this.fields.get(field);
    this.fields.set(field, value);
    this.memoryBytes +=
      old === undefined ? tableItemBytes + field.length + value.length : value.length - old.length;
    this.longest = Math.max(this.longest, field.length, value.length);
    this.most = Math.max(this.most, this.size);
  }

  remove(field: Bytes): void {
    const old = this.fields.get(field);
    if (old === undefined) return;
    this.fields.delete(field);
    this.memoryBytes -= tableItemBytes + field.length + old.length;
  }
}

export class SetValue {
  readonly type = 'set';
  readonly members: HashTable<true>;
  memoryBytes = 0;
  /** Bytes of the longest member that was ever here. */
  longest = 0;
  /** Most members that were ever here at once, from the first on that is no integer. */
  most = 0;
  /** The same, before. */
  mostIntegers = 0;
  /** True as long as every member that was ever here is the usual text of a 64-bit integer. */
  integers = true;

  constructor(members = new HashTable<true>()) {
    this.members = members;
  }

  get size(): number {
    return this.members.size;
  }

  copy(): SetValue {
    const twin = carry(this, new SetValue(this.members.copy()));
    twin.integers = this.integers;
    twin.mostIntegers = this.mostIntegers;
    return twin;
  }

  add(member: Bytes): void {
    if (!this.members.set(member, true)) return;
    this.memoryBytes += tableItemBytes + member.length;
    this.longest = Math.max(this.longest, member.length);
    if (this.integers) this.integers = isInteger(member);
    if (this.integers) this.mostIntegers = Math.max(this.mostIntegers, this.size);
    else this.most = Math.max(this.most, this.size);
  }

  remove(member: Bytes): void {
    if (this.members.delete(member)) this.memoryBytes -= tableItemBytes + member.length;
  }
}

export class ListValue {
  readonly type = 'list';
  readonly items: Sequence<Bytes>;

  constructor(items = new Sequence<Bytes>(lengthOf)) {
    this.items = items;
  }

  get size(): number {
    return this.items.size;
  }

  get memoryBytes(): number {
    return listItemBytes * this.items.size + this.items.weight;
  }

  copy(): ListValue {
    return new ListValue(this.items.copy());
  }

  insert(index: number, item: Bytes): void {
    this.items.insert(index, item);
  }

  set(index: number, item: Bytes): void {
    this.items.set(index, item);
  }

  remove(index: number, count: number): void {
    this.items.remove(index, count);
  }
}

function lengthOf(item: Bytes): number {
  return item.length;
}

export interface ScoredMember {
  readonly member: Bytes;
  /** Any double but NaN. */
  readonly score: number;
}

/** Members of a range no longer than this leave the table by name at once. */
const sweptAtOnce = 256;
/** How many members that went with a longer one leave it at each change that follows. */
const sweptPerChange = 16;

/**
 * Members by name, and in order of score, members of equal score in order of their bytes. The order says who is a
 * member. A range leaves it at once, however long it is; the table by name forgets its members little by little, with
 * the changes that follow, and until then what it finds is looked up in the order.
 */
export class SortedSetValue {
  readonly type = 'zset';
  /** What stands next to each other has like scores. */
  readonly scattered = false;
  readonly order: Sequence<ScoredMember>;
  readonly #members: HashTable<ScoredMember>;
  /** Ranges that went and are not forgotten yet. */
  #gone: Sequence<ScoredMember>[] = [];
  /** Bytes of the longest member that was ever here. */
  longest = 0;
  /** Most members that were ever here at once. */
  most = 0;

  constructor(members = new HashTable<ScoredMember>(), order = new Sequence<ScoredMember>(nameLength)) {
    this.#members = members;
    this.order = order;
  }

  get size(): number {
    return this.order.size;
  }

  get memoryBytes(): number {
    return sortedItemBytes * this.order.size + this.order.weight;
  }

  copy(): SortedSetValue {
    const twin = new SortedSetValue(this.#members.copy(), this.order.copy());
    twin.longest = this.longest;
    twin.most = this.most;
    twin.#gone = this.#gone.map((range) => range.copy());
    return twin;
  }

  scoreOf(member: Bytes): number | undefined {
    return this.#get(member)?.score;
  }

  /** Position in order, from 0; undefined for what is not a member. */
  rankOf(member: Bytes): number | undefined {
    const found = this.#get(member);
    return found === undefined ? undefined : this.#find(found);
  }

  put(member: Bytes, score: number): void {
    this.#sweep();
    const old = this.#get(member);
    if (old !== undefined) {
      if (Object.is(old.score, score)) return;
      this.order.remove(this.#find(old));
    } else this.longest = Math.max(this.longest, member.length);
    const item = { member, score };
    this.#members.set(member, item);
    // What comes in order, as from a checkpoint, needs no search.
    const { last, size } = this.order;
    const behind = last === undefined || compareScored(last, item) < 0;
    this.order.insert(behind ? size : this.#find(item), item);
    this.most = Math.max(this.most, this.size);
  }

  remove(member: Bytes): void {
    this.#sweep();
    const old = this.#get(member);
    if (old === undefined) return;
    this.order.remove(this.#find(old));
    this.#members.delete(member);
  }

  /** Removes `count` members from a position in order on. */
  removeRange(index: number, count: number): void {
    if (count <= 0) return;
    if (count <= sweptAtOnce) {
      this.order.search(index, (item, at) => {
        this.#forget(item);
        return at === index + count - 1;
      });
      this.order.remove(index, count);
    } else {
      const range = this.order.copy();
      if (index + count < range.size) range.remove(index + count, range.size - index - count);
      range.remove(0, index);
      this.order.remove(index, count);
      this.#gone.push(range);
    }
    this.#sweep();
  }

  /** All members by name, in order. */
  *entries(): Generator<[Bytes, ScoredMember], void, undefined> {
    for (const item of this.order.from()) yield [item.member, item];
  }

  /** All members in no order that means anything: as a rule the one in which other tables find them fastest. */
  *unordered(): Generator<ScoredMember, void, undefined> {
    if (this.#gone.length > 0) yield* this.order.from();
    else for (const [, item] of this.#members.entries()) yield item;
  }

  /** Some member, each with the same chance; there must be one. */
  random(random: { below(bound: number): number }): [Bytes, ScoredMember] {
    const item = this.order.get(random.below(this.size));
    return [item.member, item];
  }

  /** As `HashTable.pick`. */
  *pick(
    positions: Float64Array,
    visit: (member: Bytes, item: ScoredMember, nth: number) => void,
  ): Generator<undefined, void, undefined> {
    for (let nth = 0; nth < positions.length; nth++) {
      const item = this.order.get(positions[nth] as number);
      visit(item.member, item, nth);
      if (nth % 64 === 63) yield;
    }
  }

  /** As `HashTable.scan`. */
  scan(cursor: number, count: number, visit: (member: Bytes, item: ScoredMember) => void): number {
    return this.#members.scan(cursor, count, (member, item) => {
      if (this.#isMember(item)) visit(member, item);
    });
  }

  #get(member: Bytes): ScoredMember | undefined {
    const found = this.#members.get(member);
    return found !== undefined && this.#isMember(found) ? found : undefined;
  }

  #isMember(item: ScoredMember): boolean {
    if (this.#gone.length === 0) return true;
    const at = this.#find(item);
    return at < this.order.size && this.order.get(at) === item;
  }

  #sweep(): void {
    for (let left = sweptPerChange; left > 0; left--) {
      const range = this.#gone.at(-1);
      if (range === undefined) return;
      const last = range.get(range.size - 1);
      range.remove(range.size - 1);
      if (range.size === 0) this.#gone.pop();
      this.#forget(last);
    }
  }

  #forget(item: ScoredMember): void {
    // What came back meanwhile is another item under the same name.
    if (this.#members.get(item.member) === item) this.#members.delete(item.member);
  }

  #find(wanted: ScoredMember): number {
    return this.order.find((item) => compareScored(item, wanted));
  }
}

function nameLength({ member }: ScoredMember): number {
  return member.length;
}

/** The order of sorted sets. Byte strings hold a byte per character, so comparing them compares bytes. */
export function compareScored(a: ScoredMember, b: ScoredMember): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  return a.member < b.member ? -1 : a.member === b.member ? 0 : 1;
}

function carry<C extends { memoryBytes: number; longest: number; most: number }>(from: C, to: C): C {
  to.memoryBytes = from.memoryBytes;
  to.longest = from.longest;
  to.most = from.most;
  return to;
}

const largestInteger = 9223372036854775807n;

function isInteger(text: Bytes): boolean {
  if (text.length > 20 || !/^(0|-?[1-9]\d*)$/.test(text)) return false;
  if (text.length < 19) return true;
  const value = BigInt(text);
  return value <= largestInteger && value >= -largestInteger - 1n;
}
