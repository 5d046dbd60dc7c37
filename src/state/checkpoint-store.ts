import { crc32 } from 'node:zlib';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import type { Disk, DiskFile } from '../env/disk.ts';
import type { Task } from '../env/task.ts';
import { step, stepVoid } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import type { CheckpointLoader } from './types.ts';

/**
 * Checkpoint files of one node. A file is: 8 bytes of magic with the format version; slices, each as u32 length, u32
 * crc32, bytes; a slice of length 0; the manifest in the same form. It is written under another name and renamed when
 * it is whole and durable, so a file with the final name is a finished checkpoint or a damaged one.
 */
const formatVersion = '02';
const magic = Buffer.from(`BWCKPT${formatVersion}`, 'latin1');
const frameHeaderBytes = 8;
const maxFrameBytes = 1 << 30;
/** Read at once when a checkpoint is loaded. */
const readAheadBytes = 1 << 20;

export interface CheckpointId {
  readonly shard: number;
  readonly term: number;
  readonly lsn: number;
}

export interface Manifest extends CheckpointId {
  /** First LSN of each run of entries with one term, oldest first, as far as they are known. */
  readonly terms: readonly { readonly term: number; readonly lsn: number }[];
  /** The membership in force, as the core encodes it; base64. */
  readonly membership: string;
  /** Digest of the state, 40 hexadecimal characters. */
  readonly digest: string;
  readonly keys: number;
  /** The leader's shard time at the LSN, ms since the epoch. */
  readonly timeMs: number;
}

function nameOf(id: CheckpointId): string {
  return `shard-${id.shard}-${String(id.lsn).padStart(16, '0')}-${id.term}.checkpoint`;
}

function idOf(name: string): CheckpointId | null {
  const match = /^shard-(\d+)-(\d{16})-(\d+)\.checkpoint$/.exec(name);
  return match === null ? null : { shard: Number(match[1]), lsn: Number(match[2]), term: Number(match[3]) };
}

export class CheckpointStore {
  readonly #disk: Disk;
  readonly #directory: string;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  path(id: CheckpointId): string {
    return `${this.#directory}/${nameOf(id)}`;
  }

  /** Finished checkpoints of a shard, newest first. What was left unfinished is removed, except snapshots on their way in. */
  *list(shard: number): Task<CheckpointId[]> {
    yield* stepVoid((done) => this.#disk.makeDirectory(this.#directory, done));
    // Log is dropped for what lies here: the directory itself must survive a power cut too.
    const parent = this.#directory.slice(0, Math.max(0, this.#directory.lastIndexOf('/')));
    yield* stepVoid((done) => this.#disk.syncDirectory(parent, done));
    const names = yield* step<string[]>((done) => this.#disk.list(this.#directory, done));
    for (const name of names) {
      if (name.startsWith(`shard-${shard}-`) && name.endsWith('.partial')) {
        yield* stepVoid((done) => this.#disk.remove(`${this.#directory}/${name}`, done));
      }
    }
    return names
      .map(idOf)
      .filter((id): id is CheckpointId => id !== null && id.shard === shard)
      .reverse();
  }

  *create(id: CheckpointId): Task<CheckpointWriter> {
    const path = this.path(id);
    const partial = `${path}.partial`;
    yield* stepVoid((done) => this.#disk.makeDirectory(this.#directory, done));
    yield* stepVoid((done) => this.#disk.remove(partial, done));
    const file = (yield* step<DiskFile | null>((done) =>
      this.#disk.open(partial, 'create', done),
    )) as DiskFile;
    return new CheckpointWriter(this.#disk, this.#directory, partial, path, file);
  }

  /** Reads a checkpoint into a state and checks all of it. Damage is BW_CHECKPOINT_DAMAGED naming file and offset. */
  *load(path: string, loader: CheckpointLoader): Task<Manifest> {
    const file = (yield* step<DiskFile | null>((done) => this.#disk.open(path, 'read', done))) as DiskFile;
    try {
      return yield* new CheckpointReader(file, path).load(loader);
    } finally {
      yield* stepVoid((done) => file.close(done));
    }
  }

  *remove(id: CheckpointId): Task<void> {
    yield* stepVoid((done) => this.#disk.remove(this.path(id), done));
    yield* stepVoid((done) => this.#disk.syncDirectory(this.#directory, done));
  }

  /** A piece of a finished checkpoint for a follower, with the size of the whole; null when there is no such file. */
  *readPiece(
    id: CheckpointId,
    offset: number,
    maxBytes: number,
  ): Task<{ bytes: Buffer; totalBytes: number } | null> {
    let file: DiskFile;
    try {
      file = (yield* step<DiskFile | null>((done) =>
        this.#disk.open(this.path(id), 'read', done),
      )) as DiskFile;
    } catch {
      return null;
    }
    try {
      const totalBytes = yield* step<number>((done) => file.size(done));
      const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(maxBytes, totalBytes - offset)));
      const read = yield* step<number>((done) => file.read(bytes, offset, done));
      return { bytes: bytes.subarray(0, read), totalBytes };
    } finally {
      yield* stepVoid((done) => file.close(done));
    }
  }

  /** Opens the file that a snapshot arrives in; what had arrived of it before is kept. */
  *receive(id: CheckpointId): Task<IncomingCheckpoint> {
    yield* stepVoid((done) => this.#disk.makeDirectory(this.#directory, done));
    const path = this.path(id);
    const incoming = `${path}.incoming`;
    const names = yield* step<string[]>((done) => this.#disk.list(this.#directory, done));
    for (const name of names) {
      const other =
        name.endsWith('.incoming') &&
        name.startsWith(`shard-${id.shard}-`) &&
        name !== `${nameOf(id)}.incoming`;
      if (other) yield* stepVoid((done) => this.#disk.remove(`${this.#directory}/${name}`, done));
    }
    const mode = names.includes(`${nameOf(id)}.incoming`) ? 'write' : 'create';
    const file = (yield* step<DiskFile | null>((done) => this.#disk.open(incoming, mode, done))) as DiskFile;
    const size = yield* step<number>((done) => file.size(done));
    return new IncomingCheckpoint(this.#disk, this.#directory, incoming, path, file, size);
  }
}

/** Writes one checkpoint slice by slice; nothing of it counts before `finish`. */
export class CheckpointWriter {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #partial: string;
  readonly #path: string;
  readonly #file: DiskFile;
  #at = 0;

  constructor(disk: Disk, directory: string, partial: string, path: string, file: DiskFile) {
    this.#disk = disk;
    this.#directory = directory;
    this.#partial = partial;
    this.#path = path;
    this.#file = file;
  }

  get bytesWritten(): number {
    return this.#at;
  }

  *write(slice: Buffer): Task<void> {
    const head = this.#at === 0 ? magic.length : 0;
    const frame = Buffer.allocUnsafe(head + frameHeaderBytes + slice.length);
    magic.copy(frame, 0, 0, head);
    frame.writeUInt32LE(slice.length, head);
    frame.writeUInt32LE(crc32(slice), head + 4);
    slice.copy(frame, head + frameHeaderBytes);
    const written = yield* step<number>((done) => this.#file.write(frame, this.#at, done));
    if (written !== frame.length) throw new Error(`short write: ${written} of ${frame.length} bytes`);
    this.#at += frame.length;
  }

  /** Writes the manifest and makes the checkpoint durable under its final name. */
  *finish(manifest: Manifest): Task<void> {
    yield* this.write(Buffer.alloc(0));
    yield* this.write(Buffer.from(JSON.stringify(manifest)));
    yield* stepVoid((done) => this.#file.sync(done));
    yield* stepVoid((done) => this.#file.close(done));
    yield* stepVoid((done) => this.#disk.rename(this.#partial, this.#path, done));
    yield* stepVoid((done) => this.#disk.syncDirectory(this.#directory, done));
  }

  *abandon(): Task<void> {
    yield* stepVoid((done) => this.#file.close(done));
    yield* stepVoid((done) => this.#disk.remove(this.#partial, done));
  }
}

/** A snapshot on its way in. */
export class IncomingCheckpoint {
  /** Bytes that have arrived without a gap: where to go on. */
  received: number;
  readonly path: string;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #final: string;
  readonly #file: DiskFile;

  constructor(disk: Disk, directory: string, path: string, final: string, file: DiskFile, received: number) {
    this.#disk = disk;
    this.#directory = directory;
    this.path = path;
    this.#final = final;
    this.#file = file;
    this.received = received;
  }

  *write(bytes: Uint8Array): Task<void> {
    const written = yield* step<number>((done) => this.#file.write(bytes, this.received, done));
    if (written !== bytes.length) throw new Error(`short write: ${written} of ${bytes.length} bytes`);
    this.received += bytes.length;
  }

  *close(): Task<void> {
    yield* stepVoid((done) => this.#file.close(done));
  }

  /** The whole has arrived and was checked: it becomes a checkpoint like one's own. */
  *install(): Task<void> {
    yield* stepVoid((done) => this.#file.sync(done));
    yield* stepVoid((done) => this.#file.close(done));
    yield* stepVoid((done) => this.#disk.rename(this.path, this.#final, done));
    yield* stepVoid((done) => this.#disk.syncDirectory(this.#directory, done));
  }

  /** What arrived does not hold together: begin anew next time. */
  *discard(): Task<void> {
    yield* stepVoid((done) => this.#file.close(done));
    yield* stepVoid((done) => this.#disk.remove(this.path, done));
  }
}

const numbers = ['shard', 'term', 'lsn', 'keys', 'timeMs'] as const;
const texts = ['membership', 'digest'] as const;

/** Null when the bytes are something else. */
function areTerms(value: unknown): boolean {
  const isRun = (run: Partial<Record<string, unknown>> | null): boolean =>
    Number.isSafeInteger(run?.['term']) && Number.isSafeInteger(run?.['lsn']);
  return Array.isArray(value) && value.every(isRun);
}

function manifestIn(bytes: Buffer): Manifest | null {
  let found: Partial<Record<string, unknown>> | null;
  try {
    found = JSON.parse(bytes.toString()) as typeof found;
  } catch {
    return null;
  }
  if (typeof found !== 'object' || found === null) return null;
  const fields = found;
  const right =
    numbers.every((name) => Number.isFinite(fields[name]) && (fields[name] as number) >= 0) &&
    texts.every((name) => typeof fields[name] === 'string') &&
    areTerms(fields['terms']);
  return right ? (found as unknown as Manifest) : null;
}

class CheckpointReader {
  readonly #file: DiskFile;
  readonly #path: string;
  #at = 0;
  /** What was read ahead; `#at` is the place of its first byte in the file. */
  #ahead: Buffer = Buffer.alloc(0);

  constructor(file: DiskFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  #damaged(at: number, what: string): BellwetherError {
    return new BellwetherError(
      'BW_CHECKPOINT_DAMAGED',
      `${this.#path} at offset ${at}: ${what}`,
      'An older checkpoint or the leader takes its place; if neither can, restore the file.',
    );
  }

  /** The next bytes. Slices are small, so many of them are read at once. */
  *#read(bytes: number): Task<Buffer> {
    if (this.#ahead.length < bytes) {
      const have = this.#ahead.length;
      const into = Buffer.allocUnsafeSlow(Math.max(bytes, readAheadBytes));
      this.#ahead.copy(into);
      const read = yield* step<number>((done) => this.#file.read(into.subarray(have), this.#at + have, done));
      this.#ahead = into.subarray(0, have + read);
      if (this.#ahead.length < bytes)
        throw this.#damaged(this.#at, `the file ends after ${this.#ahead.length} of ${bytes} bytes`);
    }
    const taken = this.#ahead.subarray(0, bytes);
    this.#ahead = this.#ahead.subarray(bytes);
    this.#at += bytes;
    return taken;
  }

  *#frame(size: number): Task<Buffer> {
    const at = this.#at;
    const header = yield* this.#read(frameHeaderBytes);
    const length = header.readUInt32LE(0);
    if (length > maxFrameBytes || at + frameHeaderBytes + length > size)
      throw this.#damaged(at, `a slice of ${length} bytes`);
    const bytes = yield* this.#read(length);
    if (crc32(bytes) !== header.readUInt32LE(4)) throw this.#damaged(at, 'wrong checksum');
    return bytes;
  }

  /** A right checksum does not make a slice one that belongs here. */
  #loadSlice(loader: CheckpointLoader, slice: Buffer): void {
    try {
      loader.load(slice);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      throw this.#damaged(this.#at - slice.length, error.message);
    }
  }

  *load(loader: CheckpointLoader): Task<Manifest> {
    const size = yield* step<number>((done) => this.#file.size(done));
    if (size < magic.length) throw this.#damaged(0, 'too short');
    const head = yield* this.#read(magic.length);
    if (head.compare(magic) !== 0 && /^BWCKPT\d\d$/.test(head.toString('latin1'))) {
      throw new BellwetherError(
        'BW_DATA_VERSION',
        `${this.#path} has checkpoint format ${head.toString('latin1', 6)}, this version reads ${formatVersion}`,
        'Start the version that wrote it.',
      );
    }
    if (head.compare(magic) !== 0) throw this.#damaged(0, 'no checkpoint of this format');
    for (;;) {
      const slice = yield* this.#frame(size);
      if (slice.length === 0) break;
      this.#loadSlice(loader, slice);
    }
    const at = this.#at;
    const manifest = manifestIn(yield* this.#frame(size));
    if (manifest === null) throw this.#damaged(at, 'no manifest of this format');
    if (this.#at !== size) throw this.#damaged(this.#at, 'bytes behind the end');
    if (loader.finish(manifest.lsn) !== manifest.digest)
      throw this.#damaged(at, 'the state has another digest than the manifest');
    return manifest;
  }
}
