import type { Random } from '../env/random.ts';

export const sectorBytes = 512;

/** What one write left in its sectors, not yet known to be on stable storage. */
interface Version {
  /** Which write; ascending. */
  readonly write: number;
  /** The sectors that the write touched, as they were after it, and the first of them. */
  readonly sectors: Buffer;
  readonly first: number;
}

/** What a sync, begun now, will make durable. */
export interface SyncPoint {
  readonly write: number;
  readonly size: number;
}

/**
 * A file's bytes, twice: as processes see them, and as they are on stable storage; and what lies in between. Buffers are
 * shared with what a crash or a kill leaves, until somebody changes them.
 */
export class MemoryFile {
  #seen: Buffer;
  #seenShared = true;
  #durable: Buffer;
  #durableShared = true;
  #size: number;
  #durableSize: number;
  /** Per sector, oldest first. */
  readonly #pending = new Map<number, Version[]>();
  #writes = 0;

  /** @param bytes must not change any more */
  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#seen = bytes;
    this.#durable = bytes;
    this.#size = bytes.length;
    this.#durableSize = bytes.length;
  }

  get size(): number {
    return this.#size;
  }

  /** What processes read. A view. */
  get bytes(): Buffer {
    return this.#seen.subarray(0, this.#size);
  }

  read(into: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.#size - position));
    into.set(this.#seen.subarray(position, position + count));
    return count;
  }

  /** Before what processes see changes, up to `size`. */
  #changeSeen(size: number): void {
    this.#seen = changeable(this.#seen, size, this.#seenShared);
    this.#seenShared = false;
  }

  #changeDurable(size: number): void {
    this.#durable = changeable(this.#durable, size, this.#durableShared);
    this.#durableShared = false;
  }

  /** Puts bytes into the cache. Returns the number of the write, for `settle`. */
  write(bytes: Uint8Array, position: number): number {
    const end = position + bytes.length;
    const first = Math.floor(position / sectorBytes);
    const count = Math.ceil(end / sectorBytes) - first;
    const from = first * sectorBytes;
    this.#changeSeen(from + count * sectorBytes);
    this.#seen.set(bytes, position);
    this.#size = Math.max(this.#size, end);
    const sectors = Buffer.from(this.#seen.subarray(from, from + count * sectorBytes));
    const write = ++this.#writes;
    const version = { write, sectors, first };
    for (let sector = first; sector < first + count; sector++) {
      const versions = this.#pending.get(sector);
      if (versions === undefined) this.#pending.set(sector, [version]);
      else versions.push(version);
    }
    return write;
  }

  truncate(size: number): void {
    this.#changeSeen(size);
    this.#seen.fill(0, Math.min(size, this.#size));
    this.#size = size;
  }

  /** What a sync that begins now covers. */
  get syncPoint(): SyncPoint {
    return { write: this.#writes, size: this.#size };
  }

  /** A sync that began at `point` has completed. */
  sync(point: SyncPoint): void {
    for (const sector of this.#pending.keys()) this.#settleSector(sector, point.write);
    this.#durableSize = point.size;
  }

  /** A write that is durable by itself (O_DSYNC) has completed. */
  settle(write: number, position: number, length: number): void {
    const end = Math.ceil((position + length) / sectorBytes);
    for (let sector = Math.floor(position / sectorBytes); sector < end; sector++)
      this.#settleSector(sector, write);
    this.#durableSize = Math.max(this.#durableSize, position + length);
  }

  #settleSector(sector: number, write: number): void {
    const versions = this.#pending.get(sector);
    if (versions === undefined) return;
    let settled = versions.length;
    while (settled > 0 && (versions[settled - 1] as Version).write > write) settled -= 1;
    if (settled === 0) return;
    this.#changeDurable((sector + 1) * sectorBytes);
    put(this.#durable, sector, versions[settled - 1] as Version);
    if (settled === versions.length) this.#pending.delete(sector);
    else versions.splice(0, settled);
  }

  /** Changes bytes behind everybody's back, as rot does. */
  flip(position: number, mask: number): void {
    this.#changeSeen(position + 1);
    this.#changeDurable(position + 1);
    this.#seen[position] = (this.#seen[position] as number) ^ mask;
    this.#durable[position] = this.#seen[position] as number;
  }

  /** What may be left after power was lost: of every sector what is durable or any later state. */
  afterCrash(random: Random, keep: number): MemoryFile {
    let bytes = this.#durable;
    let shared = true;
    let size = this.#durableSize;
    for (const [sector, versions] of this.#pending) {
      if (random.float() >= keep) continue;
      bytes = changeable(bytes, (sector + 1) * sectorBytes, shared);
      shared = false;
      put(bytes, sector, versions[random.below(versions.length)] as Version);
      size = Math.max(size, Math.min(this.#size, (sector + 1) * sectorBytes));
    }
    this.#durableShared ||= shared;
    if (size > bytes.length) bytes = changeable(bytes, size, shared);
    return new MemoryFile(bytes.subarray(0, size));
  }

  /** The same file for another life of the process: what was cached still is, and is still not durable. */
  clone(): MemoryFile {
    this.#seenShared = true;
    this.#durableShared = true;
    const copy = new MemoryFile(this.#durable);
    copy.#seen = this.#seen;
    copy.#size = this.#size;
    copy.#durableSize = this.#durableSize;
    copy.#writes = this.#writes;
    for (const [sector, versions] of this.#pending) copy.#pending.set(sector, [...versions]);
    return copy;
  }
}

function put(bytes: Buffer, sector: number, version: Version): void {
  const offset = (sector - version.first) * sectorBytes;
  version.sectors.copy(bytes, sector * sectorBytes, offset, offset + sectorBytes);
}

/** Room for at least `size` bytes that nobody else sees. */
function changeable(bytes: Buffer, size: number, shared: boolean): Buffer {
  const grows = bytes.length < size;
  if (!grows && !shared) return bytes;
  const own = Buffer.alloc(grows ? Math.max(size, bytes.length * 2) : bytes.length);
  bytes.copy(own);
  return own;
}
