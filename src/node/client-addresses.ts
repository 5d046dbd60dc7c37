import type { Disk } from '../env/disk.ts';
import { SavedText } from '../env/saved-text.ts';
import type { Task } from '../env/task.ts';

/** Where clients reach each node, learnt from the peers and remembered over restarts. */
export class ClientAddresses {
  readonly #saved: SavedText;
  readonly #known = new Map<string, string>();

  constructor(disk: Disk) {
    this.#saved = new SavedText(disk, 'client-addresses.json');
  }

  get(node: string): string | null {
    return this.#known.get(node) ?? null;
  }

  learn(node: string, address: string): void {
    if (address === '' || this.#known.get(node) === address) return;
    this.#known.set(node, address);
    this.#saved.save(JSON.stringify(Object.fromEntries(this.#known)));
  }

  *load(): Task<void> {
    const text = yield* this.#saved.load();
    try {
      for (const [node, address] of Object.entries(JSON.parse(text ?? '{}') as Record<string, unknown>))
        if (typeof address === 'string') this.#known.set(node, address);
    } catch {
      // It cannot be read: the peers will tell.
    }
  }
}
