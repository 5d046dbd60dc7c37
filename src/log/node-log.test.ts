import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { NodeDisk } from '../env/node-disk.ts';
import { runTask } from '../env/task.ts';
import type { Batch } from './batch.ts';
import { BatchBuilder, entryKind } from './batch.ts';
import type { OpenedLog } from './node-log.ts';
import { openNodeLog } from './node-log.ts';
import type { LogPosition, NodeLog, NodeLogOptions } from './types.ts';

const options: NodeLogOptions = {
  segmentBytes: 1 << 20,
  cacheBytes: 1 << 20,
  retentionBytes: 1 << 30,
  retentionMs: 1e9,
  reserveBytes: 0,
};
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

function open(directory: string, changes: Partial<NodeLogOptions> = {}): Promise<OpenedLog> {
  return new Promise((resolve, reject) => {
    const listener = { latched: reject, spaceShort: () => {} };
    runTask(
      openNodeLog(new NodeDisk(directory), 'log', { ...options, ...changes }, clock, listener),
      (error, opened) => {
        if (opened === undefined) reject(error);
        else resolve(opened);
      },
    );
  });
}

/** Waits for the durability of what was queued for shard 1. */
function flushed(log: NodeLog, lsn: number): Promise<LogPosition> {
  return new Promise((resolve) => {
    log.attach(1, {
      durable: (position) => {
        if (position !== null && position.lsn >= lsn) resolve(position);
      },
    });
    log.flush();
  });
}

function batch(firstLsn: number, term: number, payloads: readonly string[]): Batch {
  const builder = new BatchBuilder(1);
  for (const payload of payloads) {
    builder.begin(entryKind.effects, 0);
    builder.payload.raw(payload);
    builder.end();
  }
  return builder.seal(term, firstLsn, 1_700_000_000_000);
}

function close(log: NodeLog): Promise<void> {
  return new Promise((resolve) => log.close(() => resolve()));
}

function read(log: NodeLog, lsn: number): Promise<Batch[]> {
  return new Promise((resolve, reject) =>
    log.read(1, lsn, 1 << 20, (error, batches) => (error ? reject(error) : resolve(batches))),
  );
}

function payloads(batches: readonly Batch[]): string[] {
  return batches.flatMap((item) =>
    [...item.entries()].map((entry) => item.bytes.latin1Slice(entry.start, entry.end)),
  );
}

const made: string[] = [];

function fresh(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bellwether-log-'));
  made.push(directory);
  return directory;
}

afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

describe('the log of a node, on real files', () => {
  it('gives back after reopening what was durable, with its terms and hard state', async () => {
    const directory = fresh();
    const { log } = await open(directory);
    log.putHardState(1, { term: 3, vote: 'n2' });
    log.append(batch(1, 3, ['a', 'b']));
    log.append(batch(3, 4, ['c']));
    await flushed(log, 3);
    await close(log);

    const again = await open(directory);
    expect(again.shards).toHaveLength(1);
    expect(again.shards[0]).toMatchObject({
      hardState: { term: 3, vote: 'n2' },
      last: { term: 4, lsn: 3 },
      terms: [
        { term: 3, lsn: 1 },
        { term: 4, lsn: 3 },
      ],
      damage: null,
    });
    expect(payloads(await read(again.log, 2))).toEqual(['b', 'c']);
    await close(again.log);
  });

  it('pitfall 06: a cut is a record, and what follows it replaces what was there', async () => {
    const directory = fresh();
    const { log } = await open(directory);
    log.append(batch(1, 1, ['a', 'b', 'c']));
    await flushed(log, 3);
    log.cut(1, { term: 1, lsn: 1 });
    log.append(batch(2, 2, ['B']));
    await flushed(log, 2);
    expect(payloads(await read(log, 1))).toEqual(['a', 'B']);
    await close(log);
    const again = await open(directory);
    expect(again.shards[0]?.last).toEqual({ term: 2, lsn: 2 });
    expect(payloads(await read(again.log, 1))).toEqual(['a', 'B']);
    await close(again.log);
  });

  it('goes on over many segments and drops those that a checkpoint covers', async () => {
    const directory = fresh();
    const { log } = await open(directory, { retentionBytes: 0, retentionMs: 0, cacheBytes: 1 << 16 });
    const value = 'x'.repeat(100_000);
    let lsn = 0;
    for (let i = 0; i < 50; i++) {
      log.append(batch(lsn + 1, 1, [value]));
      lsn += 1;
      await flushed(log, lsn);
    }
    expect(log.stats.segments).toBeGreaterThan(4);
    const segmentsBefore = log.stats.segments;
    log.checkpointed(1, { term: 1, lsn: 40 }, Buffer.from('{}'));
    log.append(batch(lsn + 1, 1, [value]));
    lsn += 1;
    await flushed(log, lsn);
    while (log.firstLsn(1) < 30) {
      log.tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(log.stats.segments).toBeLessThan(segmentsBefore);
    expect(payloads(await read(log, 41))[0]).toBe(value);
    await expect(read(log, 1)).rejects.toThrow('BW_LOG_COMPACTED');
    await close(log);
    const again = await open(directory);
    expect(again.shards[0]?.last).toEqual({ term: 1, lsn });
    expect(again.shards[0]?.base.lsn).toBeGreaterThan(0);
    await close(again.log);
  });

  it('a final write that never finished is cut off without a doubt', async () => {
    const directory = fresh();
    const { log } = await open(directory);
    log.append(batch(1, 1, ['first']));
    await flushed(log, 1);
    log.append(batch(2, 1, ['y'.repeat(5000)]));
    await flushed(log, 2);
    await close(log);
    const name = readdirSync(join(directory, 'log')).find((file) =>
      readFileSync(join(directory, 'log', file)).includes('yyyy'),
    ) as string;
    const path = join(directory, 'log', name);
    const torn = readFileSync(path);
    const sector = Math.ceil(torn.indexOf('yyyy') / 512) * 512;
    torn.fill(0, sector, sector + 512);
    writeFileSync(path, torn);
    const again = await open(directory);
    expect(again.shards[0]).toMatchObject({ last: { term: 1, lsn: 1 }, damage: null });
    await close(again.log);
  });
});
