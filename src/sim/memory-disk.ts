import type { Disk, DiskFile, Done, OpenMode } from '../env/disk.ts';
import type { Random } from '../env/random.ts';
import { MemoryFile } from './memory-file.ts';

/** One operation on its way, as the scheduler and the fault plan see it. */
export interface DiskOperation {
  readonly kind:
    | 'open'
    | 'create'
    | 'write'
    | 'read'
    | 'size'
    | 'truncate'
    | 'sync'
    | 'close'
    | 'list'
    | 'makeDirectory'
    | 'rename'
    | 'remove'
    | 'syncDirectory'
    | 'freeBytes';
  readonly path: string;
  /** Of a read or write. */
  readonly position: number;
  readonly bytes: number;
}

/** What goes wrong with an operation: an error, fewer bytes than asked for (writes), or no answer ever. */
export type DiskFault = { readonly error: Error } | { readonly short: number } | 'hang';

export interface MemoryDiskOptions {
  /** Takes the completion of each operation and calls it once, later. */
  readonly schedule: (complete: () => void, operation: DiskOperation) => void;
  /** Asked for every operation; null when nothing goes wrong. */
  readonly fault?: (operation: DiskOperation) => DiskFault | null;
  /** Bytes that all files together may have. Default: no limit. */
  readonly capacityBytes?: number;
  /** Called when there is a limit and somebody asks for room, or finds none. */
  readonly full?: () => void;
}

/** A file, or a directory (null), under a path. */
type Entries = Map<string, MemoryFile | null>;

/** A change of directory entries: `path` then names the file (undefined: nothing), `from` names nothing. */
interface EntryChange {
  readonly path: string;
  readonly file: MemoryFile | null | undefined;
  readonly from: string | null;
}

/**
 * A disk in memory that knows what is on stable storage and what is only cached, per sector and per directory entry.
 * `afterCrash` gives what a loss of power may leave, `afterKill` what the death of the process leaves.
 */
export class MemoryDisk implements Disk {
  readonly #options: MemoryDiskOptions;
  readonly #entries: Entries;
  readonly #durableEntries: Entries;
  #changes: EntryChange[] = [];
  /** Operations begun so far. */
  operations = 0;
  capacityBytes: number;

  constructor(options: MemoryDiskOptions, entries: ReadonlyMap<string, MemoryFile | null> = new Map()) {
    this.#options = options;
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
    this.#entries = new Map(entries);
    this.#durableEntries = new Map(entries);
  }

  /** Starts an operation; `run` is called at its completion, unless it fails. */
  perform(
    operation: DiskOperation,
    failed: (error: Error) => void,
    run: (short: number | null) => void,
  ): void {
    this.operations += 1;
    const fault = this.#options.fault?.(operation) ?? null;
    if (fault === 'hang') return;
    this.#options.schedule(() => {
      if (fault !== null && 'error' in fault) failed(fault.error);
      else run(fault === null ? null : fault.short);
    }, operation);
  }

  #change(path: string, file: MemoryFile | null | undefined, from: string | null = null): void {
    const change = { path, file, from };
    applyChange(this.#entries, change);
    this.#changes.push(change);
  }

  full(): void {
    this.#options.full?.();
  }

  /** What files may still grow by. */
  get roomBytes(): number {
    return this.capacityBytes === Number.POSITIVE_INFINITY
      ? this.capacityBytes
      : this.capacityBytes - this.usedBytes;
  }

  get usedBytes(): number {
    let bytes = 0;
    for (const file of new Set(this.#entries.values())) bytes += file?.size ?? 0;
    return bytes;
  }

  open(path: string, mode: OpenMode, done: (error: Error | null, file: DiskFile | null) => void): void {
    this.perform(
      operation(mode === 'create' ? mode : 'open', path),
      (error) => done(error, null),
      () => {
        const found = this.#entries.get(path);
        if (mode === 'create') {
          if (found !== undefined) return done(systemError('EEXIST', path), null);
          if (this.#entries.get(parentOf(path)) === undefined && parentOf(path) !== '') {
            return done(systemError('ENOENT', path), null);
          }
          const created = new MemoryFile();
          this.#change(path, created);
          return done(null, new MemoryHandle(this, path, created, false));
        }
        if (!found) return done(systemError('ENOENT', path), null);
        return done(null, new MemoryHandle(this, path, found, mode === 'durable'));
      },
    );
  }

  list(directory: string, done: (error: Error | null, names: string[]) => void): void {
    this.perform(
      operation('list', directory),
      (error) => done(error, []),
      () => {
        done(null, this.names(directory));
      },
    );
  }

  names(directory: string): string[] {
    const names: string[] = [];
    for (const path of this.#entries.keys()) {
      if (path !== '' && parentOf(path) === directory)
        names.push(path.slice(directory === '' ? 0 : directory.length + 1));
    }
    return names.sort();
  }

  makeDirectory(directory: string, done: Done): void {
    this.perform(operation('makeDirectory', directory), done, () => {
      for (let path = directory; path !== ''; path = parentOf(path)) {
        if (!this.#entries.has(path)) this.#change(path, null);
      }
      done(null);
    });
  }

  rename(from: string, to: string, done: Done): void {
    this.perform(operation('rename', from), done, () => {
      const file = this.#entries.get(from);
      if (file === undefined) return done(systemError('ENOENT', from));
      this.#change(to, file, from);
      return done(null);
    });
  }

  remove(path: string, done: Done): void {
    this.perform(operation('remove', path), done, () => {
      if (this.#entries.has(path)) this.#change(path, undefined);
      done(null);
    });
  }

  syncDirectory(directory: string, done: Done): void {
    const covered = new Set(this.#changes.filter((change) => parentOf(change.path) === directory));
    this.perform(operation('syncDirectory', directory), done, () => {
      for (const change of covered)
        if (this.#changes.includes(change)) applyChange(this.#durableEntries, change);
      this.#changes = this.#changes.filter((change) => !covered.has(change));
      done(null);
    });
  }

  durableBuffer(bytes: number): Buffer {
    return Buffer.alloc(bytes);
  }

  freeBytes(done: (error: Error | null, bytes: number) => void): void {
    this.perform(
      operation('freeBytes', ''),
      (error) => done(error, 0),
      () => {
        if (this.capacityBytes !== Number.POSITIVE_INFINITY) this.full();
        done(null, Math.max(0, this.capacityBytes - this.usedBytes));
      },
    );
  }

  /** A file's bytes as processes see them; a view. */
  bytesOf(path: string): Buffer {
    const file = this.#entries.get(path);
    if (!file) throw systemError('ENOENT', path);
    return file.bytes;
  }

  /** Rot: changes one byte, in the cache and on stable storage. */
  flip(path: string, position: number, mask: number): void {
    const file = this.#entries.get(path);
    if (!file) throw systemError('ENOENT', path);
    file.flip(position, mask);
  }

  /**
   * The disk after power was lost now: what had been made durable, and of everything else any part, writes that are in
   * flight included. `keep` is about how much: some crashes lose everything that was not durable, some nothing, most a
   * part.
   */
  afterCrash(
    random: Random,
    options: MemoryDiskOptions,
    keep = [0, 1, 0.5, 0.9, 0.1][random.below(5)] as number,
  ): MemoryDisk {
    const entries: Entries = new Map(this.#durableEntries);
    for (const change of this.#changes) if (random.float() < keep) applyChange(entries, change);
    const left: Entries = new Map();
    for (const [path, file] of entries) {
      const parent = parentOf(path);
      if (parent === '' || entries.get(parent) === null)
        left.set(path, file?.afterCrash(random, keep) ?? null);
    }
    return new MemoryDisk(options, left);
  }

  /** The disk after the process died now: all that was written is there, but no more of it is durable than was. */
  afterKill(options: MemoryDiskOptions): MemoryDisk {
    const copies = new Map<MemoryFile, MemoryFile>();
    const copyOf = (file: MemoryFile | null): MemoryFile | null => {
      if (file === null) return null;
      const copy = copies.get(file) ?? file.clone();
      copies.set(file, copy);
      return copy;
    };
    const left = new MemoryDisk(options);
    for (const [path, file] of this.#entries) left.#entries.set(path, copyOf(file));
    for (const [path, file] of this.#durableEntries) left.#durableEntries.set(path, copyOf(file));
    for (const change of this.#changes)
      left.#changes.push({ ...change, file: change.file === undefined ? undefined : copyOf(change.file) });
    return left;
  }
}

class MemoryHandle implements DiskFile {
  readonly #disk: MemoryDisk;
  readonly #path: string;
  readonly #file: MemoryFile;
  readonly #durable: boolean;

  constructor(disk: MemoryDisk, path: string, file: MemoryFile, durable: boolean) {
    this.#disk = disk;
    this.#path = path;
    this.#file = file;
    this.#durable = durable;
  }

  write(bytes: Uint8Array, position: number, done: (error: Error | null, written: number) => void): void {
    // The caller may use its buffer again only after the answer, but what reaches the disk is what it held at the start.
    const growth = Math.max(0, position + bytes.length - this.#file.size);
    if (growth > 0 && growth > this.#disk.roomBytes) {
      this.#disk.perform(
        operation('write', this.#path, position, bytes.length),
        (error) => done(error, 0),
        () => {
          this.#disk.full();
          done(systemError('ENOSPC', this.#path), 0);
        },
      );
      return;
    }
    const write = this.#file.write(bytes, position);
    this.#disk.perform(
      operation('write', this.#path, position, bytes.length),
      (error) => done(error, 0),
      (short) => {
        if (this.#durable && short === null) this.#file.settle(write, position, bytes.length);
        done(null, short ?? bytes.length);
      },
    );
  }

  read(into: Uint8Array, position: number, done: (error: Error | null, bytesRead: number) => void): void {
    this.#disk.perform(
      operation('read', this.#path, position, into.length),
      (error) => done(error, 0),
      () => done(null, this.#file.read(into, position)),
    );
  }

  size(done: (error: Error | null, bytes: number) => void): void {
    this.#disk.perform(
      operation('size', this.#path),
      (error) => done(error, 0),
      () => done(null, this.#file.size),
    );
  }

  truncate(bytes: number, done: Done): void {
    this.#disk.perform(operation('truncate', this.#path, 0, bytes), done, () => {
      this.#file.truncate(bytes);
      done(null);
    });
  }

  sync(done: Done): void {
    const point = this.#file.syncPoint;
    this.#disk.perform(operation('sync', this.#path), done, () => {
      this.#file.sync(point);
      done(null);
    });
  }

  close(done: Done): void {
    this.#disk.perform(operation('close', this.#path), done, () => done(null));
  }
}

function applyChange(entries: Entries, change: EntryChange): void {
  const { path, file, from } = change;
  if (from !== null && entries.get(from) === file) entries.delete(from);
  if (file === undefined) entries.delete(path);
  else entries.set(path, file);
}

function operation(kind: DiskOperation['kind'], path: string, position = 0, bytes = 0): DiskOperation {
  return { kind, path, position, bytes };
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
