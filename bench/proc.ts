import fs from 'node:fs';
import path from 'node:path';

/** What a set of processes has used so far. */
export interface Usage {
  /** Processor time of all threads, children that ended included; null where there is no /proc. */
  readonly cpuSeconds: number | null;
  /** Bytes handed to the storage layer; null where the system does not tell. */
  readonly writtenBytes: number | null;
}

/** The unit of the times in /proc/PID/stat is fixed for user space. */
const ticksPerSecond = 100;

export const hasProc = fs.existsSync('/proc/self/stat');

/** Parent, and processor time in ticks with children that ended, from the text of /proc/PID/stat. */
export function parseStat(text: string): { parent: number; ticks: number } {
  // The name in brackets may hold anything, brackets and blanks included.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const at = (index: number): number => Number(fields[index]);
  return { parent: at(1), ticks: at(11) + at(12) + at(13) + at(14) };
}

/** Bytes handed to the storage layer, from the text of /proc/PID/io. */
export function parseWrittenBytes(text: string): number | null {
  const match = /^write_bytes: (\d+)$/m.exec(text);
  return match === null ? null : Number(match[1]);
}

function read(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** The processes and all their descendants. */
export function withDescendants(roots: readonly number[]): number[] {
  if (!hasProc) return [...roots];
  const children = new Map<number, number[]>();
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = read(path.join('/proc', name, 'stat'));
    if (text === null) continue;
    const { parent } = parseStat(text);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const all = [...roots];
  for (let i = 0; i < all.length; i++) all.push(...(children.get(all[i] as number) ?? []));
  return all;
}

export function usageOf(roots: readonly number[]): Usage {
  if (!hasProc) return { cpuSeconds: null, writtenBytes: null };
  let ticks = 0;
  let writtenBytes: number | null = 0;
  for (const pid of withDescendants(roots)) {
    const stat = read(`/proc/${pid}/stat`);
    if (stat !== null) ticks += parseStat(stat).ticks;
    const io = read(`/proc/${pid}/io`);
    const bytes = io === null ? null : parseWrittenBytes(io);
    if (bytes === null) writtenBytes = stat === null ? writtenBytes : null;
    else if (writtenBytes !== null) writtenBytes += bytes;
  }
  return { cpuSeconds: ticks / ticksPerSecond, writtenBytes };
}

/** System calls that read or write, and bytes in the writes, from the text of /proc/PID/io. */
export function parseIo(text: string): { calls: number; bytes: number } {
  const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1]);
  return { calls: field('syscr') + field('syscw'), bytes: field('wchar') };
}

/** The same, summed over processes; NaN where the system does not tell. */
export function ioCounts(pids: readonly number[]): { calls: number; bytes: number } {
  const all = pids.map((pid) => parseIo(read(`/proc/${pid}/io`) ?? ''));
  const sum = (value: (one: { calls: number; bytes: number }) => number): number =>
    all.reduce((total, one) => total + value(one), 0);
  return { calls: sum(({ calls }) => calls), bytes: sum(({ bytes }) => bytes) };
}

/** What the disks of this machine have done, whoever asked for it. */
export interface DiskCounts {
  readonly writtenBytes: number;
  /** Flush requests completed. */
  readonly flushes: number;
}

const sectorBytes = 512;

/** Sums over whole disks, from the text of /proc/diskstats; null before Linux 5.5, which does not count flushes. */
export function parseDiskCounts(text: string): DiskCounts | null {
  let writtenBytes = 0;
  let flushes = 0;
  let disk: string | null = null;
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const name = fields[2] ?? '';
    if (fields.length < 20 || /^(loop|ram|dm-|md|zram)/.test(name)) continue;
    // A partition stands behind its disk and counts the same bytes again.
    if (disk !== null && name.startsWith(disk) && /^p?\d+$/.test(name.slice(disk.length))) continue;
    disk = name;
    writtenBytes += Number(fields[9]) * sectorBytes;
    flushes += Number(fields[18]);
  }
  return disk === null ? null : { writtenBytes, flushes };
}

export function diskCounts(): DiskCounts | null {
  return parseDiskCounts(read('/proc/diskstats') ?? '');
}
/** Resident bytes of the processes; null where the system does not tell. */
export function residentBytes(roots: readonly number[]): number | null {
  let sum = 0;
  for (const pid of withDescendants(roots)) {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '');
    if (match === null) return null;
    sum += Number(match[1]) * 1024;
  }
  return sum;
}
