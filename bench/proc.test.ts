import { expect, it } from 'vitest';
import { parseDiskCounts, parseStat, parseWrittenBytes } from './proc.ts';

it('processor time of a process includes its children that ended, whatever its name', () => {
  const text = '42 (a (very) odd name) S 7 42 42 0 -1 4194560 100 200 0 0 11 12 13 14 20 0 1 0 500 1000 50';
  expect(parseStat(text)).toEqual({ parent: 7, ticks: 50 });
});

it('bytes written', () => {
  expect(parseWrittenBytes('rchar: 1\nwchar: 2\nread_bytes: 3\nwrite_bytes: 4096\n')).toBe(4096);
  expect(parseWrittenBytes('')).toBeNull();
});

it('whole disks are counted, partitions and stacked devices are not counted again', () => {
  const line = (name: string, sectors: number, flushes: number): string =>
    `   8 0 ${name} 1 2 3 4 5 6 ${sectors} 8 9 10 11 12 13 14 15 ${flushes} 17`;
  const text = [
    line('sda', 100, 5),
    line('sda1', 60, 0),
    line('nvme0n1', 10, 2),
    line('nvme0n1p1', 10, 0),
    line('dm-0', 60, 3),
    line('loop0', 1, 1),
  ].join('\n');
  expect(parseDiskCounts(text)).toEqual({ writtenBytes: 110 * 512, flushes: 7 });
  expect(parseDiskCounts('   8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n')).toBeNull();
});
