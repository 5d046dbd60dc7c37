import { describe, expect, test } from 'vitest';
import { EndTrace } from './end-trace.ts';

describe('when a log ended where', () => {
  test('a position lacks nothing older than the latest time at which the log did not reach beyond it', () => {
    const trace = new EndTrace();
    expect(trace.asOf(5)).toBe(Number.NEGATIVE_INFINITY);
    trace.note(10, 5);
    trace.note(20, 8);
    trace.note(30, 8);
    trace.note(40, 9);
    expect(trace.asOf(4)).toBe(Number.NEGATIVE_INFINITY);
    expect(trace.asOf(5)).toBe(10);
    expect(trace.asOf(8)).toBe(30);
    expect(trace.asOf(100)).toBe(40);
  });

  test('a log that ends earlier than before was cut: what it is now counts', () => {
    const trace = new EndTrace();
    trace.note(10, 50);
    trace.note(20, 40);
    expect(trace.asOf(45)).toBe(20);
  });

  test('however long it goes on, little is kept, what is recent stays exact and nothing is called younger than it is', () => {
    const trace = new EndTrace();
    for (let i = 1; i <= 100_000; i++) trace.note(i, i);
    expect(trace.asOf(99_990)).toBe(99_990);
    for (const lsn of [1, 10, 1000, 50_000, 99_000]) {
      expect(trace.asOf(lsn)).toBeLessThanOrEqual(lsn);
      expect(trace.asOf(lsn)).toBeGreaterThanOrEqual(1);
    }
  });

  test('a time that is not later says nothing new', () => {
    const trace = new EndTrace();
    trace.note(10, 5);
    trace.note(10, 3);
    trace.note(9, 2);
    expect(trace.asOf(4)).toBe(Number.NEGATIVE_INFINITY);
    expect(trace.asOf(5)).toBe(10);
  });

  test('what stays as it is takes no room from what moved', () => {
    const trace = new EndTrace();
    for (let i = 1; i <= 200; i++) trace.note(i, i);
    for (let i = 201; i <= 10_000; i++) trace.note(i, 200);
    for (let lsn = 1; lsn < 200; lsn++) expect(trace.asOf(lsn)).toBe(lsn);
    expect(trace.asOf(200)).toBe(10_000);
  });

  test('when it is thinned, the younger half stays exact, and of the older one every second sample', () => {
    const trace = new EndTrace();
    for (let i = 0; i <= 256; i++) trace.note(i, i);
    for (let lsn = 0; lsn < 128; lsn++) expect(trace.asOf(lsn)).toBe(lsn - (lsn % 2));
    for (let lsn = 128; lsn <= 256; lsn++) expect(trace.asOf(lsn)).toBe(lsn);
  });
});
