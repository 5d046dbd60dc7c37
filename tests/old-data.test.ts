import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { freePorts, TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bellwether-old-'));
let node: TestNode | null = null;
afterEach(async () => {
  await node?.kill();
  fs.rmSync(dir, { recursive: true, force: true });
});

/**
 * Each file of a data directory, brotli in base64. A node of the version before the metadata shard (dfbd311) wrote it, with
 * `--id n1 --cluster kept --shards 2 --segment-bytes 4mb`, and was killed: some of it is in checkpoints, some in the log.
 */
const kept = JSON.parse(
  fs.readFileSync(new URL('fixtures/data-before-metadata.json', import.meta.url), 'utf8'),
) as Record<string, string>;

const held = (n: number): readonly (readonly [command: string, wire: RegExp])[] => [
  [`GET string:${n}`, new RegExp(`^\\$7\\r\\nvalue ${n}\\r\\n$`)],
  [`LRANGE list:${n} 0 -1`, /^\*2\r\n\$1\r\nb\r\n\$1\r\nc\r\n$/],
  [`HGET hash:${n} f`, /^\$2\r\n42\r\n$/],
  [`SMEMBERS set:${n}`, /^\*1\r\n\$1\r\nz\r\n$/],
  [`ZSCORE sorted:${n} two`, /^\$3\r\n2\.5\r\n$/],
  [`GETBIT bits:${n} 7`, /^:1\r\n$/],
  [`PFCOUNT loglog:${n}`, /^:3\r\n$/],
  [`STRLEN long:${n}`, /^:70003\r\n$/],
];

it('a data directory of an earlier version opens with all that it holds, and goes on', async () => {
  const at = path.join(dir, 'n1');
  for (const [name, text] of Object.entries(kept)) {
    fs.mkdirSync(path.dirname(path.join(at, name)), { recursive: true });
    fs.writeFileSync(path.join(at, name), zlib.brotliDecompressSync(Buffer.from(text, 'base64')));
  }
  const flags = ['--cluster', 'kept', '--segment-bytes', '4mb', '--disk-reserve', '1mb'];
  const ports = (await freePorts(3)) as [number, number, number];
  const own = new TestNode('n1', at, ports, () => flags, {});
  node = own;
  for (const written of [0, 1]) {
    own.start();
    await until(`it serves: ${own.output}`, async () => {
      const status = await own.status();
      const serves = status?.shards.length === 2 && status.shards.every(({ serving }) => serving);
      return serves && status.metadata.epoch > 0;
    });
    const client = await RawClient.connect(own.port);
    for (const n of [1, 2])
      for (const [command, wire] of held(n))
        expect((await client.command(...command.split(' '))).wire, command).toMatch(wire);
    expect((await client.command('PEXPIRETIME', 'expiring:1')).value).toBe(4_102_444_800_000);
    expect((await client.command('EXISTS', 'expiring:2')).value).toBe(0);
    expect((await client.command('INCR', 'new')).value).toBe(written + 1);
    await client.close();
    await own.kill();
  }
});
