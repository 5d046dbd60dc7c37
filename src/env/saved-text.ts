import type { Disk, DiskFile } from './disk.ts';
import { runTask, step, stepVoid, type Task } from './task.ts';

/** A small file that is written as a whole, in the background: after a crash it holds what was saved last, or before. */
export class SavedText {
  readonly #disk: Disk;
  readonly #file: string;
  #saving = false;
  #next: string | null = null;

  constructor(disk: Disk, file: string) {
    this.#disk = disk;
    this.#file = file;
  }

  /** Null when nothing was saved, or it cannot be read. */
  *load(): Task<string | null> {
    try {
      const opened = (yield* step<DiskFile | null>((done) =>
        this.#disk.open(this.#file, 'read', done),
      )) as DiskFile;
      const bytes = Buffer.alloc(yield* step<number>((done) => opened.size(done)));
      yield* step<number>((done) => opened.read(bytes, 0, done));
      yield* stepVoid((done) => opened.close(done));
      return bytes.toString();
    } catch {
      return null;
    }
  }

  /** Of what is saved while a write is under way, the last is written after it. */
  save(text: string): void {
    this.#next = text;
    if (this.#saving) return;
    this.#saving = true;
    runTask(this.#write(), () => {
      this.#saving = false;
    });
  }

  *#write(): Task<void> {
    const temporary = `${this.#file}.new`;
    while (this.#next !== null) {
      const bytes = Buffer.from(this.#next);
      this.#next = null;
      yield* stepVoid((done) => this.#disk.remove(temporary, done));
      const created = (yield* step<DiskFile | null>((done) =>
        this.#disk.open(temporary, 'create', done),
      )) as DiskFile;
      yield* step<number>((done) => created.write(bytes, 0, done));
      yield* stepVoid((done) => created.sync(done));
      yield* stepVoid((done) => created.close(done));
      yield* stepVoid((done) => this.#disk.rename(temporary, this.#file, done));
      yield* stepVoid((done) => this.#disk.syncDirectory('', done));
    }
  }
}
