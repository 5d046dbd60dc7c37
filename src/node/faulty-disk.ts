import type { Disk, DiskFile, Done, OpenMode } from '../env/disk.ts';
import { BellwetherError } from '../errors.ts';

/** Something that goes wrong with a disk, once, in ms since the process started. */
interface DiskTrouble {
  /** `fail`: one write or sync ends with EIO. `hang`: what begins meanwhile ends afterwards. `full`: no file can grow. */
  readonly kind: 'fail' | 'hang' | 'full';
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Reads what `BELLWETHER_DISK_FAULTS` asks for, such as `hang@2000+1500 fail@9000`: kind, start and length in ms.
 * Throws BW_CONFIG_INVALID.
 */
function parseDiskFaults(text: string): DiskTrouble[] {
  const words = text.split(' ').filter((word) => word !== '');
  return words.map((word) => {
    const match = /^(fail|hang|full)@(\d{1,9})(?:\+(\d{1,9}))?$/.exec(word);
    if (match === null) {
      throw new BellwetherError(
        'BW_CONFIG_INVALID',
        `BELLWETHER_DISK_FAULTS has '${word}'`,
        'Use fail@MS, hang@MS+MS or full@MS+MS, or leave it unset.',
      );
    }
    const fromMs = Number(match[2]);
    return { kind: match[1] as DiskTrouble['kind'], fromMs, untilMs: fromMs + Number(match[3] ?? 0) };
  });
}

/** What is wrong now, asked before each operation. */
class Troubles {
  readonly #left: DiskTrouble[];

  constructor(troubles: readonly DiskTrouble[]) {
    this.#left = [...troubles];
  }

  /** Ms until a hanging disk answers again. */
  hangsMs(): number {
    const now = performance.now();
    const hang = this.#left.find(
      ({ kind, fromMs, untilMs }) => kind === 'hang' && fromMs <= now && now < untilMs,
    );
    return hang === undefined ? 0 : hang.untilMs - now;
  }

  get full(): boolean {
    const now = performance.now();
    return this.#left.some(({ kind, fromMs, untilMs }) => kind === 'full' && fromMs <= now && now < untilMs);
  }

  /** True once for each `fail` that is due. */
  fails(): boolean {
    const due = this.#left.findIndex(({ kind, fromMs }) => kind === 'fail' && fromMs <= performance.now());
    if (due >= 0) this.#left.splice(due, 1);
    return due >= 0;
  }
}

function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}, injected`), { code });
}

/** A disk with which things go wrong as told, so that tests need no broken one. */
export class FaultyDisk implements Disk {
  readonly #disk: Disk;
  readonly #troubles: Troubles;

  constructor(disk: Disk, faults: string) {
    this.#disk = disk;
    this.#troubles = new Troubles(parseDiskFaults(faults));
  }

  open(path: string, mode: OpenMode, done: (error: Error | null, file: DiskFile | null) => void): void {
    this.#disk.open(path, mode, (error, file) =>
      done(error, file === null ? null : new FaultyFile(file, this.#troubles)),
    );
  }

  list(directory: string, done: (error: Error | null, names: string[]) => void): void {
    this.#disk.list(directory, done);
  }

  makeDirectory(directory: string, done: Done): void {
    this.#disk.makeDirectory(directory, done);
  }

  rename(from: string, to: string, done: Done): void {
    this.#disk.rename(from, to, done);
  }

  remove(path: string, done: Done): void {
    this.#disk.remove(path, done);
  }

  syncDirectory(directory: string, done: Done): void {
    afterHang(this.#troubles, () => this.#disk.syncDirectory(directory, done));
  }

  durableBuffer(bytes: number): Buffer {
    return this.#disk.durableBuffer(bytes);
  }

  freeBytes(done: (error: Error | null, bytes: number) => void): void {
    this.#disk.freeBytes((error, bytes) => done(error, this.#troubles.full ? 0 : bytes));
  }
}

function afterHang(troubles: Troubles, begin: () => void): void {
  const ms = troubles.hangsMs();
  if (ms > 0) setTimeout(begin, ms);
  else begin();
}

class FaultyFile implements DiskFile {
  readonly #file: DiskFile;
  readonly #troubles: Troubles;

  constructor(file: DiskFile, troubles: Troubles) {
    this.#file = file;
    this.#troubles = troubles;
  }

  write(bytes: Uint8Array, position: number, done: (error: Error | null, written: number) => void): void {
    if (this.#troubles.fails()) {
      setImmediate(() => done(systemError('EIO', 'write'), 0));
      return;
    }
    afterHang(this.#troubles, () => this.#writeNow(bytes, position, done));
  }

  #writeNow(bytes: Uint8Array, position: number, done: (error: Error | null, written: number) => void): void {
    if (!this.#troubles.full) {
      this.#file.write(bytes, position, done);
      return;
    }
    this.#file.size((error, size) => {
      if (error === null && position + bytes.length <= size) this.#file.write(bytes, position, done);
      else done(error ?? systemError('ENOSPC', 'write'), 0);
    });
  }

  read(into: Uint8Array, position: number, done: (error: Error | null, bytesRead: number) => void): void {
    this.#file.read(into, position, done);
  }

  size(done: (error: Error | null, bytes: number) => void): void {
    this.#file.size(done);
  }

  truncate(bytes: number, done: Done): void {
    this.#file.truncate(bytes, done);
  }

  sync(done: Done): void {
    if (this.#troubles.fails()) setImmediate(() => done(systemError('EIO', 'sync')));
    else afterHang(this.#troubles, () => this.#file.sync(done));
  }

  close(done: Done): void {
    this.#file.close(done);
  }
}
