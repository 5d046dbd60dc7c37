import type { Disk, DiskFile, Done, OpenMode } from '../env/disk.ts';
import { NodeDisk } from '../env/node-disk.ts';

interface Write {
  readonly position: number;
  readonly bytes: Buffer;
}

/** A file as this process sees it: what is on disk, and what it wrote since. */
class Contents {
  /** Its name on disk; null until its directory was synced. */
  path: string | null;
  size: number;
  /** Written and not synced. */
  pending: Write[] = [];
  /** Synced while the file had no name on disk. */
  synced: Write[] = [];

  constructor(path: string | null, size: number) {
    this.path = path;
    this.size = size;
  }

  put(bytes: Uint8Array, position: number): void {
    this.pending.push({ position, bytes: Buffer.from(bytes) });
    this.size = Math.max(this.size, position + bytes.length);
  }

  /** Writes what was synced to disk, as far as the file has a name there. */
  settle(disk: NodeDisk, done: Done): void {
    if (this.path === null || this.synced.length === 0) {
      setImmediate(() => done(null));
      return;
    }
    const writes = this.synced;
    this.synced = [];
    disk.open(this.path, 'write', (error, file) => {
      if (file === null) {
        done(error);
        return;
      }
      const next = (i: number): void => {
        const write = writes[i];
        if (write === undefined)
          file.sync((syncError) => file.close((closeError) => done(syncError ?? closeError)));
        else
          file.write(write.bytes, write.position, (writeError) =>
            writeError === null ? next(i + 1) : done(writeError),
          );
      };
      next(0);
    });
  }
}

class VolatileFile implements DiskFile {
  readonly #disk: NodeDisk;
  readonly #contents: Contents;
  readonly #honoursSync: boolean;
  readonly #durable: boolean;

  constructor(disk: NodeDisk, contents: Contents, honoursSync: boolean, durable: boolean) {
    this.#disk = disk;
    this.#contents = contents;
    this.#honoursSync = honoursSync;
    this.#durable = durable;
  }

  write(bytes: Uint8Array, position: number, done: (error: Error | null, written: number) => void): void {
    this.#contents.put(bytes, position);
    if (this.#durable) this.sync((error) => done(error, error === null ? bytes.length : 0));
    else setImmediate(() => done(null, bytes.length));
  }

  read(into: Uint8Array, position: number, done: (error: Error | null, bytesRead: number) => void): void {
    const { path, size, synced, pending } = this.#contents;
    const length = Math.max(0, Math.min(into.length, size - position));
    into.fill(0, 0, length);
    const overlay = (): void => {
      for (const write of [...synced, ...pending]) {
        const from = Math.max(write.position, position);
        const to = Math.min(write.position + write.bytes.length, position + length);
        if (from < to)
          into.set(write.bytes.subarray(from - write.position, to - write.position), from - position);
      }
      done(null, length);
    };
    if (path === null) {
      setImmediate(overlay);
      return;
    }
    this.#disk.open(path, 'read', (error, file) => {
      if (file === null) done(error, 0);
      else
        file.read(into.subarray(0, length), position, (readError) =>
          file.close(() => (readError === null ? overlay() : done(readError, 0))),
        );
    });
  }

  size(done: (error: Error | null, bytes: number) => void): void {
    setImmediate(() => done(null, this.#contents.size));
  }

  truncate(bytes: number, done: Done): void {
    this.#contents.size = bytes;
    setImmediate(() => done(null));
  }

  sync(done: Done): void {
    if (!this.#honoursSync) {
      setImmediate(() => done(null));
      return;
    }
    this.#contents.synced.push(...this.#contents.pending);
    this.#contents.pending = [];
    this.#contents.settle(this.#disk, done);
  }

  close(done: Done): void {
    setImmediate(() => done(null));
  }
}

/**
 * A disk that forgets: what was written and not reported durable lives in memory only, so a killed process leaves just
 * what a power cut would. For tests.
 */
export class VolatileDisk implements Disk {
  readonly #disk: NodeDisk;
  readonly #honoursSync: boolean;
  /** Files that differ from what is on disk, by the name that this process sees. */
  readonly #files = new Map<string, Contents>();
  /** Names that this process removed or renamed away and that are still on disk. */
  readonly #gone = new Set<string>();

  constructor(root: string, honoursSync: boolean) {
    this.#disk = new NodeDisk(root);
    this.#honoursSync = honoursSync;
  }

  open(path: string, mode: OpenMode, done: (error: Error | null, file: DiskFile | null) => void): void {
    const known = this.#files.get(path);
    if (mode === 'create') {
      if (known !== undefined) {
        setImmediate(() => done(new Error(`EEXIST: ${path}`), null));
        return;
      }
      const file = new Contents(null, 0);
      this.#files.set(path, file);
      setImmediate(() => done(null, new VolatileFile(this.#disk, file, this.#honoursSync, false)));
      return;
    }
    if (known !== undefined) {
      setImmediate(() =>
        done(null, new VolatileFile(this.#disk, known, this.#honoursSync, mode === 'durable')),
      );
      return;
    }
    if (this.#gone.has(path)) {
      setImmediate(() => done(new Error(`ENOENT: ${path}`), null));
      return;
    }
    this.#disk.open(path, 'read', (error, real) => {
      if (real === null) {
        done(error, null);
        return;
      }
      real.size((sizeError, size) =>
        real.close(() => {
          if (sizeError !== null) {
            done(sizeError, null);
            return;
          }
          const file = this.#files.get(path) ?? new Contents(path, size);
          this.#files.set(path, file);
          done(null, new VolatileFile(this.#disk, file, this.#honoursSync, mode === 'durable'));
        }),
      );
    });
  }

  list(directory: string, done: (error: Error | null, names: string[]) => void): void {
    this.#disk.list(directory, (error, names) => {
      const prefix = directory === '' ? '' : `${directory}/`;
      const seen = new Set(names.filter((name) => !this.#gone.has(prefix + name)));
      for (const path of this.#files.keys()) {
        const name = path.slice(prefix.length);
        if (path.startsWith(prefix) && !name.includes('/')) seen.add(name);
      }
      done(error, [...seen].sort());
    });
  }

  makeDirectory(directory: string, done: Done): void {
    this.#disk.makeDirectory(directory, done);
  }

  rename(from: string, to: string, done: Done): void {
    this.open(from, 'write', (error) => {
      const file = this.#files.get(from);
      if (error !== null || file === undefined) {
        done(error ?? new Error(`ENOENT: ${from}`));
        return;
      }
      this.#files.delete(from);
      this.#files.set(to, file);
      this.#gone.add(from);
      this.#gone.delete(to);
      done(null);
    });
  }

  remove(path: string, done: Done): void {
    this.#files.delete(path);
    this.#gone.add(path);
    setImmediate(() => done(null));
  }

  /** Brings names on disk in line with what this process sees: creations, renames, removals. */
  syncDirectory(directory: string, done: Done): void {
    if (!this.#honoursSync) {
      setImmediate(() => done(null));
      return;
    }
    const below = (path: string): boolean => path.slice(0, Math.max(path.lastIndexOf('/'), 0)) === directory;
    const moved = [...this.#files].filter(([path, file]) => below(path) && file.path !== path);
    const removed = [...this.#gone].filter((path) => below(path) && !this.#files.has(path));
    this.#move(moved, () => this.#drop(removed, () => this.#disk.syncDirectory(directory, done)));
  }

  #move(files: [string, Contents][], done: () => void): void {
    const next = files.pop();
    if (next === undefined) {
      done();
      return;
    }
    const [path, file] = next;
    const settled = (): void => {
      file.path = path;
      file.settle(this.#disk, () => this.#move(files, done));
    };
    if (file.path !== null) this.#disk.rename(file.path, path, settled);
    else
      this.#disk.open(path, 'create', (_error, created) =>
        created === null ? settled() : created.close(settled),
      );
  }

  #drop(paths: string[], done: () => void): void {
    const path = paths.pop();
    if (path === undefined) {
      done();
      return;
    }
    this.#gone.delete(path);
    this.#disk.remove(path, () => this.#drop(paths, done));
  }

  durableBuffer(bytes: number): Buffer {
    return Buffer.alloc(bytes);
  }

  freeBytes(done: (error: Error | null, bytes: number) => void): void {
    this.#disk.freeBytes(done);
  }
}
