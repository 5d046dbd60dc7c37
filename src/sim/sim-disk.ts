import type { EventLoop } from './event-loop.ts';
import type { FatalOperation, Fault } from './fault-plan.ts';
import type { DiskFault, DiskOperation, MemoryDiskOptions } from './memory-disk.ts';
import { MemoryDisk } from './memory-disk.ts';
import type { Process } from './process.ts';
import { SeededRandom } from './seeded-random.ts';
import type { Trace } from './trace.ts';

/** How a process ended, as its disk feels it. */
export type Death = 'kill' | 'power loss';

export type DiskTrouble = Extract<
  Fault,
  { kind: 'disk hangs' | 'disk fails' | 'reads fail' | 'disk full' | 'disk slow' }
>;

/** Trouble that lasts, and who hears when it changed something. */
interface Lasting {
  readonly fault: DiskTrouble;
  readonly untilMs: number;
  readonly hit: () => void;
}

/** One machine's disk, through all lives of its process: how long operations take, and what goes wrong with them. */
export class SimDisk {
  /** Bytes changed that nobody wrote. */
  rotten = false;
  /** An operation of this life of the process failed. */
  failed = false;
  /** Told of each operation of a kind that faults wait for, when it begins. */
  onOperation: (operation: FatalOperation) => void = () => {};
  readonly #name: string;
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  /** About how long a durable write takes. */
  readonly #usualMs: number;
  #disk: MemoryDisk | null = null;
  readonly #troubles = new Set<Lasting>();

  constructor(name: string, loop: EventLoop, random: SeededRandom, trace: Trace) {
    this.#name = name;
    this.#loop = loop;
    this.#random = random;
    this.#trace = trace;
    this.#usualMs = random.pick([0.3, 0.3, 2, 10]);
  }

  /** The disk for a new life, as the last one left it. */
  openFor(process: Process, lastDeath: Death): MemoryDisk {
    this.failed = false;
    const options: MemoryDiskOptions = {
      capacityBytes: this.#disk?.capacityBytes ?? Number.POSITIVE_INFINITY,
      full: () => this.#full(),
      schedule: (complete, operation) => {
        const fatal = fatalOperationOf(operation);
        if (fatal !== null) this.onOperation(fatal);
        this.#loop.after(this.#tookMs(operation), () => {
          if (!process.alive) return;
          this.#trace.mix(`${this.#name} ${operation.kind} ${operation.path} ${operation.bytes}`);
          process.enter(complete);
        });
      },
      fault: (operation) => this.#faultOf(operation),
    };
    const last = this.#disk;
    if (last === null) this.#disk = new MemoryDisk(options);
    else this.#disk = lastDeath === 'kill' ? last.afterKill(options) : last.afterCrash(this.#random, options);
    return this.#disk;
  }

  wipe(): void {
    this.#disk = null;
    this.rotten = false;
  }

  /** Changes some bytes of some files, beneath everybody. Answers where. */
  rot(): string[] {
    const disk = this.#disk;
    if (disk === null) return [];
    this.rotten = true;
    const files = ['log', 'checkpoints'].flatMap((name) => disk.names(name).map((file) => `${name}/${file}`));
    const places: string[] = [];
    for (let count = 1 + this.#random.below(3); count > 0 && files.length > 0; count--) {
      const file = this.#random.pick(files);
      const bytes = disk.bytesOf(file);
      // Most of a segment may still be empty: look for a place where something stands.
      let at = this.#random.below(Math.max(1, bytes.length));
      for (let tries = 0; tries < 50 && bytes[at] === 0; tries++) at = this.#random.below(bytes.length);
      if (bytes.length === 0) continue;
      disk.flip(file, at, 1 << this.#random.below(8));
      places.push(`${file} at ${at}`);
    }
    return places;
  }

  /** Changes a bit wherever the log holds this text. Answers in how many places that was. */
  rotText(text: string): number {
    const disk = this.#disk;
    let places = 0;
    if (disk === null) return places;
    this.rotten = true;
    for (const name of disk.names('log')) {
      const file = `log/${name}`;
      const bytes = disk.bytesOf(file);
      const found: number[] = [];
      for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) found.push(at);
      for (const at of found) disk.flip(file, at, 1);
      places += found.length;
    }
    return places;
  }

  /** A copy of what is durable now, on a disk that answers at once; null when nothing was ever there. */
  durableCopy(schedule: MemoryDiskOptions['schedule']): MemoryDisk | null {
    return this.#disk?.afterCrash(new SeededRandom(0), { schedule }, 0) ?? null;
  }

  /** Begins trouble; answers what ends it. `hit` hears when it changed something. */
  disturb(fault: DiskTrouble, hit: () => void): () => void {
    const trouble = { fault, untilMs: this.#loop.nowMs + fault.forMs, hit };
    this.#troubles.add(trouble);
    if (fault.kind === 'disk full') this.#limit((this.#disk?.usedBytes ?? 0) + fault.bytes);
    return () => {
      this.#troubles.delete(trouble);
      if (fault.kind === 'disk full') this.#limit(Number.POSITIVE_INFINITY);
    };
  }

  /** True while files cannot grow as they like. */
  get limited(): boolean {
    return this.#disk !== null && this.#disk.capacityBytes !== Number.POSITIVE_INFINITY;
  }

  #limit(bytes: number): void {
    if (this.#disk !== null) this.#disk.capacityBytes = bytes;
  }

  /** Somebody was told that there is little room, or none. */
  #full(): void {
    for (const { fault, hit } of this.#troubles) if (fault.kind === 'disk full') hit();
  }

  #tookMs({ kind }: DiskOperation): number {
    const durable = kind === 'write' || kind === 'sync' || kind === 'syncDirectory';
    const usual = durable ? this.#usualMs * this.#random.between(0.5, 2) : this.#random.between(0.02, 0.1);
    const late = this.#random.chance(0.005) ? this.#random.between(0, 30) : 0;
    let waits = 0;
    let slow = 0;
    for (const { fault, untilMs, hit } of this.#troubles) {
      if (fault.kind === 'disk hangs') waits = Math.max(waits, untilMs - this.#loop.nowMs);
      else if (fault.kind === 'disk slow' && durable) slow += fault.ms;
      else continue;
      hit();
    }
    return waits + usual + late + slow;
  }

  #faultOf({ kind }: DiskOperation): DiskFault | null {
    const wanted = kind === 'read' ? 'reads fail' : 'disk fails';
    if (kind !== 'read' && kind !== 'write' && kind !== 'sync') return null;
    for (const trouble of this.#troubles) {
      if (trouble.fault.kind !== wanted) continue;
      this.#troubles.delete(trouble);
      trouble.hit();
      this.failed = true;
      if (kind === 'write' && this.#random.chance(0.3)) return { short: 100 };
      return { error: Object.assign(new Error('EIO: i/o error, simulated'), { code: 'EIO' }) };
    }
    return null;
  }
}

function fatalOperationOf({ kind, path }: DiskOperation): FatalOperation | null {
  const ofCheckpoint = path.startsWith('checkpoints/');
  switch (kind) {
    case 'create':
    case 'rename':
    case 'remove':
    case 'syncDirectory':
      return kind;
    case 'write':
      return ofCheckpoint ? 'checkpoint write' : null;
    case 'sync':
      return ofCheckpoint ? 'checkpoint sync' : null;
    default:
      return null;
  }
}
