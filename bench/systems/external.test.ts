import { expect, it } from 'vitest';
import { sumOfCounts } from '../flush-counter.ts';
import { h2loadLatencies, parseH2load, putRequest } from './etcd.ts';
import { parsePgbench, pgbenchLatencies } from './postgresql.ts';

it('a put for etcd is one gRPC message with key and value', () => {
  expect(putRequest('k', 'vv')).toEqual(Buffer.from([0, 0, 0, 0, 7, 0x0a, 1, 0x6b, 0x12, 2, 0x76, 0x76]));
  const long = putRequest('k', 'v'.repeat(300));
  expect(long.readUInt32BE(1)).toBe(long.length - 5);
  expect([...long.subarray(8, 11)]).toEqual([0x12, 0xac, 0x02]);
});

it('what h2load printed counts only when nothing failed', () => {
  const line = 'requests: 12 total, 12 started, 11 done, 11 succeeded, 0 failed, 0 errored, 0 timeout';
  expect(parseH2load(`finished\n${line}\n`)).toBe(11);
  expect(() => parseH2load(line.replace('0 failed', '1 failed'))).toThrow('failures');
  expect(() => parseH2load('')).toThrow('no result');
  const latency = h2loadLatencies('1\t200\t1000\n2\t200\t3000\n3\t500\t9\n');
  expect(latency.count).toBe(2);
});

it('what pgbench printed counts only when nothing failed', () => {
  const text = 'number of transactions actually processed: 77\nnumber of failed transactions: 0 (0.000%)\n';
  expect(parsePgbench(text).operations).toBe(77);
  expect(() => parsePgbench(text.replace(': 0 (', ': 3 ('))).toThrow('failures');
  expect(pgbenchLatencies('0 1 1500 0 1700000000 12\n3 2 900 0 1700000000 13\n').count).toBe(2);
});

it('flushes that perf counted are summed; one that was not counted makes all unknown', () => {
  const text = '10,,syscalls:sys_enter_fsync,100,100.00,,\n32,,syscalls:sys_enter_fdatasync,100,100.00,,\n';
  expect(sumOfCounts(text)).toBe(42);
  expect(sumOfCounts(text.replace('10', '<not supported>'))).toBeNull();
  expect(sumOfCounts('')).toBeNull();
});
