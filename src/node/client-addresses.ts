import type { Disk, DiskFile } from '../env/disk.ts';
import { runTask, step, stepVoid, type Task } from '../env/task.ts';

const file = 'client-addresses.json';

/** Where clients reach each node, learnt from the peers and remembered over restarts. */
export class ClientAddresses {
  readonly #disk: Disk;
  readonly #known = new Map<string, string>();
  #saving = false;
  #changed = false;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  get(node: string): string | null {
    return this.#known.get(node) ?? null;
  }

  learn(node: string, address: string): void {
    if (address === '' || this.#known.get(node) === address) return;
    this.#known.set(node, address);
    this.#changed = true;
    this.#save();
  }

  *load(): Task<void> {
    try {
      const opened = (yield* step<DiskFile | null>((done) =>
        this.#disk.open(file, 'read', done),
      )) as DiskFile;
      const bytes = Buffer.alloc(yield* step<number>((done) => opened.size(done)));
      yield* step<number>((done) => opened.read(bytes, 0, done));
      yield* stepVoid((done) => opened.close(done));
      for (const [node, address] of Object.entries(JSON.parse(bytes.toString()) as Record<string, unknown>))
        if (typeof address === 'string') this.#known.set(node, address);
    } catch {
      // Nothing was remembered, or it cannot be read: the peers will tell.
    }
  }

  #save(): void {
    if (this.#saving) return;
    this.#saving = true;
    this.#changed = false;
    runTask(this.#write(), () => {
      this.#saving = false;
      if (this.#changed) this.#save();
    });
  }

  *#write(): Task<void> {
    const bytes = Buffer.from(JSON.stringify(Object.fromEntries(this.#known)));
    yield* stepVoid((done) => this.#disk.remove(`${file}.new`, done));
    const created = (yield* step<DiskFile | null>((done) =>
      this.#disk.open(`${file}.new`, 'create', done),
    )) as DiskFile;
    yield* step<number>((done) => created.write(bytes, 0, done));
    yield* stepVoid((done) => created.sync(done));
    yield* stepVoid((done) => created.close(done));
    yield* stepVoid((done) => this.#disk.rename(`${file}.new`, file, done));
    yield* stepVoid((done) => this.#disk.syncDirectory('', done));
  }
}
