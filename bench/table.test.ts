import { expect, it } from 'vitest';
import { rows } from './rows.ts';
import type { Sample } from './sample.ts';
import type { Row } from './system.ts';
import { aheadBy, decimal, markdownTable, percent, rowLines, whole } from './table.ts';

function sample(system: string, round: number, more: Partial<Sample>): Sample {
  return {
    row: 'c50',
    system,
    round,
    operations: 1000,
    perSecond: 1000,
    p50: 1,
    p99: 2,
    p999: 3,
    writeP99: null,
    latenessP99: null,
    cpuPerMillion: null,
    bytesPerOperation: null,
    diskBytesPerOperation: null,
    flushesPerThousand: null,
    flushSource: null,
    diskFlushesPerSecond: null,
    generatorBusy: null,
    ...more,
  };
}

const rowNamed = (name: string): Row => rows.find((row) => row.name === name) as Row;

it('numbers', () => {
  expect(whole(1234567.4)).toBe('1,234,567');
  expect(whole(999)).toBe('999');
  expect(whole(null)).toBe('–');
  expect(decimal(1.234)).toBe('1.23');
  expect(decimal(Number.NaN)).toBe('–');
  expect(percent(0.456)).toBe('46 %');
});

it('columns of numbers are right-aligned', () => {
  expect(
    markdownTable([
      ['name', 'rate'],
      ['a', '1,000'],
      ['bcdef', '–'],
    ]),
  ).toEqual(['| name  |  rate |', '| ----- | ----: |', '| a     | 1,000 |', '| bcdef |     – |']);
});

it('ahead in throughput is own by other; at a fixed rate it is how much lower the own p99 is', () => {
  const fast = [sample('bellwether', 0, { perSecond: 3000, p99: 2 })];
  const slow = [sample('redis', 0, { perSecond: 1500, p99: 8 })];
  expect(aheadBy(rowNamed('c50'), fast, slow)).toBe(2);
  expect(aheadBy(rowNamed('mixed'), fast, slow)).toBe(4);
});

it('a row shows medians, what is not known as a dash, and no ratio against itself or the bare responder', () => {
  const samples = [
    sample('bellwether', 0, { perSecond: 2000, flushesPerThousand: 100, flushSource: 'own' }),
    sample('redis', 0, { perSecond: 1000 }),
    sample('responder', 0, { perSecond: 9000, generatorBusy: 0.5 }),
    sample('bellwether', 1, { perSecond: 2400, flushesPerThousand: 120, flushSource: 'own' }),
    sample('redis', 1, { perSecond: 800 }),
    sample('responder', 1, { perSecond: 9000, generatorBusy: 0.7 }),
    sample('bellwether', 2, { perSecond: 2200, flushesPerThousand: 110, flushSource: 'own' }),
  ];
  const lines = rowLines(rowNamed('c50'), samples, ['valkey is left out.']);
  const cells = (system: string): string[] =>
    (lines.find((line) => line.startsWith(`| ${system}`)) ?? '').split('|').map((cell) => cell.trim());
  expect(cells('bellwether').slice(1, 4)).toEqual(['bellwether', '2,200', '']);
  expect(cells('bellwether')).toContain('110.0');
  expect(cells('redis').slice(1, 4)).toEqual(['redis', '1,000', '3.00×']);
  expect(cells('redis')).toContain('–');
  expect(cells('responder').slice(1, 4)).toEqual(['responder', '9,000', '']);
  expect(cells('responder')).toContain('70 %');
  expect(lines).toContain('- valkey is left out.');
});

it('every row names systems once, with us first', () => {
  for (const { systems, name } of rows) {
    expect(new Set(systems).size, name).toBe(systems.length);
    expect(systems[0]).toBe('bellwether');
  }
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});
