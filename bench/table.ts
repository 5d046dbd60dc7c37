import type { Sample } from './sample.ts';
import { median, medianKnown, medianRatio } from './statistics.ts';
import type { Row } from './system.ts';

/** Cells as a table in Markdown, columns aligned; the first row is the heading, numbers are right-aligned. */
export function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 3, cell.length);
    });
  const left = (i: number): boolean =>
    rows.slice(1).every((row) => !/^[\d–]/.test(row[i] ?? '') || row[i] === '');
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (left(i) ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (left(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [heading, ...rest] = rows;
  return heading === undefined ? [] : [line(heading), rule, ...rest.map(line)];
}

export function whole(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '–';
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

export function decimal(value: number | null, digits = 2): string {
  return value === null || Number.isNaN(value) ? '–' : value.toFixed(digits);
}

export function percent(value: number | null): string {
  return value === null ? '–' : `${Math.round(value * 100)} %`;
}

/** By how much the first system is ahead of another: in throughput, or at a fixed rate in p99. */
export function aheadBy(row: Row, own: readonly Sample[], other: readonly Sample[]): number | null {
  const by = (samples: readonly Sample[], value: (sample: Sample) => number): ReadonlyMap<number, number> =>
    new Map(samples.map((sample) => [sample.round, value(sample)]));
  if (row.kind === 'mixed')
    return medianRatio(
      by(other, ({ p99 }) => p99),
      by(own, ({ p99 }) => p99),
    );
  return medianRatio(
    by(own, ({ perSecond }) => perSecond),
    by(other, ({ perSecond }) => perSecond),
  );
}

export const heading = [
  'system',
  'operations/s',
  'ahead by',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
  'CPU s per million',
  'written B per operation',
  'disk B per operation',
  'flushes per 1,000',
  'counted by',
  'disk flushes/s',
  'generator busy',
];

/** One line of a row's table: medians over the rounds. */
export function systemCells(row: Row, samples: readonly Sample[], own: readonly Sample[]): string[] {
  const [first] = samples as readonly [Sample, ...Sample[]];
  const of = (value: (sample: Sample) => number): number => median(samples.map(value));
  const known = (value: (sample: Sample) => number | null): number | null => medianKnown(samples.map(value));
  const compared = first.system !== own[0]?.system && first.system !== 'responder';
  return [
    first.system,
    whole(of(({ perSecond }) => perSecond)),
    compared ? ratio(aheadBy(row, own, samples)) : '',
    decimal(of(({ p50 }) => p50)),
    decimal(of(({ p99 }) => p99)),
    decimal(of(({ p999 }) => p999)),
    decimal(
      known(({ cpuPerMillion }) => cpuPerMillion),
      1,
    ),
    whole(known(({ bytesPerOperation }) => bytesPerOperation)),
    whole(known(({ diskBytesPerOperation }) => diskBytesPerOperation)),
    decimal(
      known(({ flushesPerThousand }) => flushesPerThousand),
      1,
    ),
    first.flushSource ?? '',
    whole(known(({ diskFlushesPerSecond }) => diskFlushesPerSecond)),
    percent(known(({ generatorBusy }) => generatorBusy)),
  ];
}

function ratio(value: number | null): string {
  return value === null ? '–' : `${value.toFixed(2)}×`;
}

/** Everything that is said about one row: its table, and what cannot be seen in it. */
export function rowLines(row: Row, samples: readonly Sample[], notes: readonly string[]): string[] {
  const names = [...new Set(samples.map(({ system }) => system))];
  const groups = names.map((name) => samples.filter(({ system }) => system === name));
  const own = groups.find(([sample]) => sample?.system === row.systems[0]) ?? [];
  const lines = [`### ${row.title}`, '', ...(row.aim === '' ? [] : [`Aim: ${row.aim}.`, ''])];
  if (groups.length > 0)
    lines.push(...markdownTable([heading, ...groups.map((group) => systemCells(row, group, own))]), '');
  for (const group of groups) {
    const [first] = group as [Sample];
    const writes = medianKnown(group.map(({ writeP99 }) => writeP99));
    const late = medianKnown(group.map(({ latenessP99 }) => latenessP99));
    if (writes === null || late === null) continue;
    lines.push(
      `- ${first.system}: p99 of its writes alone ${decimal(writes)} ms; the generator was late by ${decimal(late)} ms at p99.`,
    );
  }
  lines.push(...notes.map((note) => `- ${note}`), '');
  return lines;
}
