/**
 * A sequence with access by position: a counted B-tree. Reading, inserting and removing at any position take
 * O(log n) steps. Nodes belong to one sequence; a copy shares all of them, and whoever changes one first takes a
 * copy of the path to it. So a copy costs nothing, and a checkpoint can read one while the original goes on. Each node
 * knows what its items weigh, so that a long range goes without a look at every item of it.
 */

/** Items in a leaf, children of a branch. Bounds what one change copies. */
const leafWidth = 128;
const branchWidth = 64;

class Leaf<T> {
  owner: object;
  readonly items: T[];
  /** What its items weigh together. */
  weight: number;

  constructor(owner: object, items: T[], weight: number) {
    this.owner = owner;
    this.items = items;
    this.weight = weight;
  }

  get size(): number {
    return this.items.length;
  }
}

class Branch<T> {
  owner: object;
  readonly children: Node<T>[];
  /** Items below, and what they weigh together. */
  size = 0;
  weight = 0;

  constructor(owner: object, children: Node<T>[]) {
    this.owner = owner;
    this.children = children;
    for (const child of children) {
      this.size += child.size;
      this.weight += child.weight;
    }
  }
}

type Node<T> = Leaf<T> | Branch<T>;

export class Sequence<T> {
  #owner: object = {};
  #root: Node<T>;
  readonly #weigh: (item: T) => number;

  /** @param weigh an integer, the same whenever it is asked for an item */
  constructor(weigh: (item: T) => number) {
    this.#weigh = weigh;
    this.#root = new Leaf<T>(this.#owner, [], 0);
  }

  get size(): number {
    return this.#root.size;
  }

  /** What all items weigh together. */
  get weight(): number {
    return this.#root.weight;
  }

  /** The same items, to be changed apart from these. */
  copy(): Sequence<T> {
    const twin = new Sequence<T>(this.#weigh);
    twin.#root = this.#root;
    this.#owner = {};
    return twin;
  }

  /** The item at a position in [0, size). */
  get(index: number): T {
    this.#check(index, this.size);
    let node = this.#root;
    let left = index;
    while (node instanceof Branch) {
      let at = 0;
      let child = node.children[0] as Node<T>;
      while (left >= child.size) {
        left -= child.size;
        at += 1;
        child = node.children[at] as Node<T>;
      }
      node = child;
    }
    return node.items[left] as T;
  }

  /** The last item; undefined when there is none. */
  get last(): T | undefined {
    return this.size === 0 ? undefined : lastOf(this.#root);
  }

  set(index: number, item: T): void {
    this.#check(index, this.size);
    const more = this.#weigh(item) - this.#weigh(this.get(index));
    let node = this.#own(this.#root);
    this.#root = node;
    let left = index;
    while (node instanceof Branch) {
      node.weight += more;
      let at = 0;
      while (left >= (node.children[at] as Node<T>).size) {
        left -= (node.children[at] as Node<T>).size;
        at += 1;
      }
      const child = this.#own(node.children[at] as Node<T>);
      node.children[at] = child;
      node = child;
    }
    node.items[left] = item;
    node.weight += more;
  }

  /** Puts an item before the one at `index`; at `size`, behind all. */
  insert(index: number, item: T): void {
    this.#check(index, this.size + 1);
    const root = this.#own(this.#root);
    const split = this.#insert(root, index, item, this.#weigh(item));
    this.#root = split === null ? root : new Branch<T>(this.#owner, [root, split]);
  }

  push(item: T): void {
    this.insert(this.size, item);
  }

  /** Removes `count` items from `index` on. */
  remove(index: number, count = 1): void {
    if (count <= 0) return;
    this.#check(index, this.size);
    this.#check(index + count - 1, this.size);
    if (count === this.size) {
      this.#root = new Leaf<T>(this.#owner, [], 0);
      return;
    }
    let root = this.#own(this.#root);
    this.#remove(root, index, count);
    while (root instanceof Branch && root.children.length === 1) root = root.children[0] as Node<T>;
    this.#root = root;
  }

  /**
   * In a sequence that is ordered by `compare`: the position of the first item for which it is 0 or above, `size` if
   * there is none. `compare` says how an item stands to what is looked for: below 0 before it.
   */
  find(compare: (item: T) => number): number {
    let node = this.#root;
    let before = 0;
    while (node instanceof Branch) {
      const { children } = node;
      let low = 0;
      let high = children.length - 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (compare(lastOf(children[middle] as Node<T>)) < 0) low = middle + 1;
        else high = middle;
      }
      for (let at = 0; at < low; at++) before += (children[at] as Node<T>).size;
      node = children[low] as Node<T>;
    }
    const { items } = node;
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(items[middle] as T) < 0) low = middle + 1;
      else high = middle;
    }
    return before + low;
  }

  /** Items from a position to the end. The sequence must not change meanwhile; a copy does not. */
  *from(index = 0): Generator<T, void, undefined> {
    if (index < this.size) yield* forward(this.#root, index);
  }

  /** Items from a position to the beginning, the one at `index` first. */
  *backFrom(index = this.size - 1): Generator<T, void, undefined> {
    if (index >= 0) yield* backward(this.#root, index);
  }

  /**
   * The position of the first item from `index` on for which `visit` says true; -1 when it never does. Over many items
   * this is several times as fast as `from`. The sequence must not change meanwhile.
   */
  search(index: number, visit: (item: T, index: number) => boolean): number {
    return index < this.size ? searchForward(this.#root, index, 0, visit) : -1;
  }

  /** The same from `index` to the beginning. */
  searchBack(index: number, visit: (item: T, index: number) => boolean): number {
    return index >= 0 ? searchBackward(this.#root, index, 0, visit) : -1;
  }

  #check(index: number, bound: number): void {
    if (!(index >= 0 && index < bound)) throw new RangeError(`position ${index} of ${this.size}`);
  }

  /** The node itself when it is this sequence's own, else a copy that is. */
  #own(node: Node<T>): Node<T> {
    if (node.owner === this.#owner) return node;
    return node instanceof Leaf
      ? new Leaf<T>(this.#owner, node.items.slice(), node.weight)
      : new Branch<T>(this.#owner, node.children.slice());
  }

  /** Inserts below a node that is owned; returns the part that was split off behind it. */
  #insert(node: Node<T>, index: number, item: T, weight: number): Node<T> | null {
    if (node instanceof Leaf) {
      const { items } = node;
      if (items.length < leafWidth) {
        if (index === items.length) items.push(item);
        else items.splice(index, 0, item);
        node.weight += weight;
        return null;
      }
      // What grows at an end leaves full leaves behind; inside, both halves get room.
      if (index === items.length) return new Leaf<T>(this.#owner, [item], weight);
      const half = index === 0 ? 0 : leafWidth / 2;
      const moved = items.splice(half);
      const behind = new Leaf<T>(this.#owner, moved, this.#weightOf(moved));
      node.weight -= behind.weight;
      const [target, at] = index <= half ? [node, index] : [behind, index - half];
      target.items.splice(at, 0, item);
      target.weight += weight;
      return behind;
    }
    const { children } = node;
    let at = 0;
    let left = index;
    while (left > (children[at] as Node<T>).size) {
      left -= (children[at] as Node<T>).size;
      at += 1;
    }
    const child = this.#own(children[at] as Node<T>);
    children[at] = child;
    const split = this.#insert(child, left, item, weight);
    node.size += 1;
    node.weight += weight;
    if (split === null) return null;
    children.splice(at + 1, 0, split);
    if (children.length <= branchWidth) return null;
    const cut = at + 2 === children.length ? children.length - 1 : children.length / 2;
    const behind = new Branch<T>(this.#owner, children.splice(Math.floor(cut)));
    node.size -= behind.size;
    node.weight -= behind.weight;
    return behind;
  }

  #weightOf(items: readonly T[]): number {
    let weight = 0;
    for (const item of items) weight += this.#weigh(item);
    return weight;
  }

  /** Removes items below a node that is owned; some stay. Returns what those that went weighed. */
  #remove(node: Node<T>, index: number, count: number): number {
    if (node instanceof Leaf) {
      let weight: number;
      if (count === 1 && index === node.items.length - 1) weight = this.#weigh(node.items.pop() as T);
      else weight = this.#weightOf(node.items.splice(index, count));
      node.weight -= weight;
      return weight;
    }
    const { children } = node;
    let at = 0;
    let from = index;
    while (from >= (children[at] as Node<T>).size) {
      from -= (children[at] as Node<T>).size;
      at += 1;
    }
    const first = at;
    let left = count;
    let gone = 0;
    let weight = 0;
    while (left > 0) {
      const child = children[at + gone] as Node<T>;
      const taken = Math.min(left, child.size - from);
      if (taken === child.size) {
        gone += 1;
        weight += child.weight;
      } else {
        const own = this.#own(child);
        children[at + gone] = own;
        weight += this.#remove(own, from, taken);
        // The children that go stand together: this one is before them, or behind them and the last.
        if (gone === 0) at += 1;
      }
      left -= taken;
      from = 0;
    }
    if (gone > 0) children.splice(at, gone);
    node.size -= count;
    node.weight -= weight;
    for (const near of [first + 1, first, first - 1]) this.#join(children, near);
    return weight;
  }

  /** Makes one node of two neighbours that have become small. */
  #join(children: Node<T>[], at: number): void {
    const left = children[at];
    const right = children[at + 1];
    if (left === undefined || right === undefined) return;
    if (left instanceof Leaf && right instanceof Leaf) {
      if (left.size + right.size > leafWidth / 2) return;
      const items = left.items.concat(right.items);
      children.splice(at, 2, new Leaf<T>(this.#owner, items, left.weight + right.weight));
    } else if (left instanceof Branch && right instanceof Branch) {
      if (left.children.length + right.children.length > branchWidth / 2) return;
      children.splice(at, 2, new Branch<T>(this.#owner, left.children.concat(right.children)));
    }
  }
}

function lastOf<T>(node: Node<T>): T {
  let last = node;
  while (last instanceof Branch) last = last.children[last.children.length - 1] as Node<T>;
  return last.items[last.items.length - 1] as T;
}

function* forward<T>(node: Node<T>, index: number): Generator<T, void, undefined> {
  if (node instanceof Leaf) {
    for (let at = index; at < node.items.length; at++) yield node.items[at] as T;
    return;
  }
  let skip = index;
  for (const child of node.children) {
    if (skip < child.size) {
      yield* forward(child, skip);
      skip = 0;
    } else skip -= child.size;
  }
}

function* backward<T>(node: Node<T>, index: number): Generator<T, void, undefined> {
  if (node instanceof Leaf) {
    for (let at = index; at >= 0; at--) yield node.items[at] as T;
    return;
  }
  const { children } = node;
  let at = 0;
  let left = index;
  while (left >= (children[at] as Node<T>).size) {
    left -= (children[at] as Node<T>).size;
    at += 1;
  }
  yield* backward(children[at] as Node<T>, left);
  while (--at >= 0) yield* backward(children[at] as Node<T>, (children[at] as Node<T>).size - 1);
}

type Visit<T> = (item: T, index: number) => boolean;

/** @param before number of items before the node */
function searchForward<T>(node: Node<T>, index: number, before: number, visit: Visit<T>): number {
  if (node instanceof Leaf) {
    for (let at = index; at < node.items.length; at++)
      if (visit(node.items[at] as T, before + at)) return before + at;
    return -1;
  }
  let skip = index;
  let passed = before;
  for (const child of node.children) {
    const { size } = child;
    if (skip < size) {
      const found = searchForward(child, skip, passed, visit);
      if (found >= 0) return found;
      skip = 0;
    } else skip -= size;
    passed += size;
  }
  return -1;
}

function searchBackward<T>(node: Node<T>, index: number, before: number, visit: Visit<T>): number {
  if (node instanceof Leaf) {
    for (let at = index; at >= 0; at--) if (visit(node.items[at] as T, before + at)) return before + at;
    return -1;
  }
  const { children } = node;
  let behind = node.size;
  for (let at = children.length - 1; at >= 0; at--) {
    const child = children[at] as Node<T>;
    behind -= child.size;
    if (index < behind) continue;
    const found = searchBackward(child, Math.min(index - behind, child.size - 1), before + behind, visit);
    if (found >= 0) return found;
  }
  return -1;
}
