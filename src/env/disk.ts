/**
 * The disk, as the rooms that persist see it. Paths are relative to the node's data directory and use '/'.
 * Every operation is asynchronous and answers exactly once, never inside the call that started it.
 */

export type Done = (error: Error | null) => void;

/**
 * - `read`: the file exists and is only read.
 * - `write`: the file exists; writes reach stable storage when `sync` answers.
 * - `create`: like `write`, the file must not exist yet.
 * - `durable`: the file exists; each write is on stable storage when it answers (O_DSYNC).
 */
export type OpenMode = 'read' | 'write' | 'create' | 'durable';

export interface DiskFile {
  /** Writes all bytes at `position`. `written` below `bytes.length` is a failed write. */
  write(bytes: Uint8Array, position: number, done: (error: Error | null, written: number) => void): void;
  /** Reads up to `into.length` bytes; fewer only at the end of the file. */
  read(into: Uint8Array, position: number, done: (error: Error | null, bytesRead: number) => void): void;
  /** Size in bytes. */
  size(done: (error: Error | null, bytes: number) => void): void;
  truncate(bytes: number, done: Done): void;
  sync(done: Done): void;
  close(done: Done): void;
}

export interface Disk {
  open(path: string, mode: OpenMode, done: (error: Error | null, file: DiskFile | null) => void): void;
  /** Names in a directory, sorted; an absent directory is an empty one. */
  list(directory: string, done: (error: Error | null, names: string[]) => void): void;
  /** Creates the directory and its parents; an existing one is fine. */
  makeDirectory(directory: string, done: Done): void;
  /** Atomically replaces `to`. Durable only after `syncDirectory` of the parent. */
  rename(from: string, to: string, done: Done): void;
  /** Removes a file; an absent one is fine. */
  remove(path: string, done: Done): void;
  /** Makes creations, renames and removals in the directory durable. */
  syncDirectory(directory: string, done: Done): void;
  /**
   * Memory from which writes to a `durable` file take the shortest way: `bytes` and more, aligned to blocks, when `bytes`
   * and positions are multiples of one. Any other memory does as well, only not as fast.
   */
  durableBuffer(bytes: number): Buffer;
  /** Bytes that this process may still write on the file system of the data directory. */
  freeBytes(done: (error: Error | null, bytes: number) => void): void;
}
