import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { alignedBuffer, isAligned } from './aligned-buffer.ts';
import type { DiskFile } from './disk.ts';
import { NodeDisk, NodeDiskFile } from './node-disk.ts';

const block = 4096;

let directory = '';
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'bellwether-disk-'));
});
afterEach(() => {
  fs.rmSync(directory, { recursive: true });
});

function open(disk: NodeDisk, name: string): Promise<DiskFile> {
  return new Promise((resolve, reject) =>
    disk.open(name, 'durable', (error, file) => (file === null ? reject(error) : resolve(file))),
  );
}

function write(file: DiskFile, bytes: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) =>
    file.write(bytes, position, (error, written) => (error === null ? resolve(written) : reject(error))),
  );
}

function read(file: DiskFile, into: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) =>
    file.read(into, position, (error, count) => (error === null ? resolve(count) : reject(error))),
  );
}

const close = (file: DiskFile): Promise<void> =>
  new Promise((resolve, reject) => file.close((error) => (error === null ? resolve() : reject(error))));

describe('durable writes', () => {
  it('are read back whatever memory they came from and wherever they went, one over the other', async () => {
    const size = 64 * block;
    fs.writeFileSync(path.join(directory, 'file'), Buffer.alloc(size));
    const disk = new NodeDisk(directory);
    const file = await open(disk, 'file');
    const model = Buffer.alloc(size);
    const aligned = disk.durableBuffer(16 * block);
    let state = 7;
    const below = (bound: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 8) % bound;
    };
    for (let i = 0; i < 300; i++) {
      const blocks = 1 + below(8);
      const bytes =
        i % 3 === 0
          ? Buffer.alloc(1 + below(3 * block))
          : aligned.subarray(0, blocks * block - (i % 7 === 0 ? 5 : 0));
      bytes.fill(1 + below(255));
      const at = i % 5 === 0 ? below(size - bytes.length) : below(64 - 8) * block;
      expect(await write(file, bytes, at)).toBe(bytes.length);
      bytes.copy(model, at);
      const from = below(size - block);
      const found = Buffer.alloc(block);
      expect(await read(file, found, from)).toBe(block);
      expect(found.equals(model.subarray(from, from + block))).toBe(true);
    }
    await close(file);
    expect(fs.readFileSync(path.join(directory, 'file')).equals(model)).toBe(true);
  });

  it.runIf(process.platform === 'linux')(
    'go through the page cache where the file system refuses to go past it',
    async () => {
      const name = path.join(directory, 'file');
      fs.writeFileSync(name, Buffer.alloc(2 * block));
      // What is written here must be a number, or the system says EINVAL.
      const refusing = fs.openSync('/proc/self/oom_score_adj', 'r+');
      const file = new NodeDiskFile(fs.openSync(name, 'r+'), refusing);
      const bytes = alignedBuffer(block).subarray(0, block).fill(9);
      expect(await write(file, bytes, block)).toBe(block);
      expect(await write(file, bytes, 0)).toBe(block);
      await close(file);
      expect(fs.readFileSync(name).equals(Buffer.alloc(2 * block, 9))).toBe(true);
    },
  );
});

it('aligned are whole blocks of aligned memory that go to where blocks begin', () => {
  const bytes = alignedBuffer(100_000);
  expect(bytes.length).toBeGreaterThanOrEqual(100_000);
  expect(isAligned(bytes.subarray(block, 3 * block), 7 * block)).toBe(true);
  expect(isAligned(bytes.subarray(block, 3 * block), 2 ** 40)).toBe(true);
  expect(isAligned(bytes.subarray(block, 3 * block), 2 ** 40 + 512)).toBe(false);
  expect(isAligned(bytes.subarray(block, 3 * block - 1), 0)).toBe(false);
  expect(isAligned(bytes.subarray(16, 16 + block), 0)).toBe(false);
  expect(isAligned(Buffer.alloc(block), 0)).toBe(false);
});
