import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createJoining, DataDirectory } from './data-directory.ts';
import { DirectoryLock } from './directory-lock.ts';

const expected = { cluster: 'c', node: 'n1', voters: ['n2', 'n1'], shards: null, replicas: null };
let directory = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bellwether-data-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

function locks(): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('lock-'));
}

/** Another process that holds the directory as this one would. */
async function holder(): Promise<ChildProcess> {
  const script = `require('net').createServer(c => c.destroy()).listen(process.argv[1], () => console.log('held'))`;
  const socket = join(directory, 'socket');
  const child = spawn(process.execPath, ['-e', script, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  writeFileSync(join(directory, 'lock-other'), socket);
  return child;
}

async function gone(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

describe('identity', () => {
  it('is made at the first start and stays', async () => {
    const first = await DataDirectory.open(join(directory, 'a/b'), expected);
    const { identity } = first;
    expect(identity).toMatchObject({
      format: 1,
      cluster: 'c',
      node: 'n1',
      voters: ['n1', 'n2'],
      fresh: true,
    });
    first.noLongerFresh();
    first.release();
    const second = await DataDirectory.open(join(directory, 'a/b'), expected);
    expect(second.identity).toEqual({ ...identity, fresh: false });
    second.release();
  });

  it('pitfall 35: a wiped directory comes with another instance', async () => {
    const first = await DataDirectory.open(directory, expected);
    first.release();
    rmSync(join(directory, 'node.json'));
    const second = await DataDirectory.open(directory, expected);
    second.release();
    expect(second.identity.instance).not.toBe(first.identity.instance);
    expect(second.identity.fresh).toBe(true);
  });

  it('survives a crash while it was made', async () => {
    writeFileSync(join(directory, 'node.json.new'), '{"format":1,"clus');
    const opened = await DataDirectory.open(directory, expected);
    opened.release();
    expect(JSON.parse(readFileSync(join(directory, 'node.json'), 'utf8'))).toEqual(opened.identity);
    expect(existsSync(join(directory, 'node.json.new'))).toBe(false);
  });

  it.each([
    [{ ...expected, cluster: 'd' }, 'BW_DATA_FOREIGN', 'node n1 of cluster c, not to node n1 of cluster d'],
    [{ ...expected, node: 'n2' }, 'BW_DATA_FOREIGN', 'belongs to node n1 of cluster c, not to node n2'],
    [{ ...expected, shards: 3 }, 'BW_DATA_FOREIGN', 'a cluster of 1 shards, and --shards says 3'],
    [{ ...expected, replicas: 1 }, 'BW_DATA_FOREIGN', 'each shard on 2 nodes, and --replicas says 1'],
    [{ ...expected, voters: ['n1'] }, 'BW_DATA_FOREIGN', 'a cluster of n1, n2, and --peers says n1'],
  ])('refuses another: %j', async (other, code, message) => {
    (await DataDirectory.open(directory, expected)).release();
    await expect(DataDirectory.open(directory, other)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(locks()).toEqual([]);
  });

  it.each([
    ['{', 'BW_DATA_FOREIGN'],
    ['null', 'BW_DATA_VERSION'],
    ['{"format":2}', 'BW_DATA_VERSION'],
    ['{"format":1,"cluster":"c","node":"n1","voters":[],"fresh":true}', 'BW_DATA_FOREIGN'],
  ])('refuses what it cannot read: %s', async (text, code) => {
    writeFileSync(join(directory, 'node.json'), text);
    await expect(DataDirectory.open(directory, expected)).rejects.toMatchObject({ code });
    expect(readFileSync(join(directory, 'node.json'), 'utf8')).toBe(text);
  });

  it('of a version without metadata has promised nothing of them, until it has', async () => {
    const old = {
      ...{ format: 1, cluster: 'c', node: 'n1', instance: 'i', voters: ['n1', 'n2'], shards: 1 },
      fresh: false,
    };
    writeFileSync(join(directory, 'node.json'), JSON.stringify(old));
    const opened = await DataDirectory.open(directory, expected);
    expect(opened.identity).toEqual({ ...old, metadata: false, joined: false });
    opened.noLongerFresh();
    expect(JSON.parse(readFileSync(join(directory, 'node.json'), 'utf8'))).toEqual(old);
    opened.metadataPromised();
    opened.release();
    const again = await DataDirectory.open(directory, expected);
    expect(again.identity).toMatchObject({ metadata: true, fresh: false });
    again.release();
  });

  it('of a node that joined is not measured by what the cluster began with', async () => {
    const cluster = { cluster: 'c', node: 'n4', voters: ['n1', 'n2', 'n3'], shards: 6, replicas: 2 };
    const made = createJoining(directory, cluster);
    expect(made).toMatchObject({ joined: true, fresh: true, shards: 6, replicas: 2 });
    const given = { cluster: 'c', node: 'n4', voters: ['n4'], shards: null, replicas: null };
    const opened = await DataDirectory.open(directory, given);
    expect(opened.clusterName).toBe('c (6 shards on 2 nodes each)');
    opened.release();
    await expect(DataDirectory.open(directory, { ...given, cluster: 'd' })).rejects.toMatchObject({
      code: 'BW_DATA_FOREIGN',
    });
  });

  it('does not adopt data of unknown origin', async () => {
    mkdirSync(join(directory, 'log'));
    writeFileSync(join(directory, 'log', '1.segment'), 'x');
    await expect(DataDirectory.open(directory, expected)).rejects.toMatchObject({ code: 'BW_DATA_FOREIGN' });
  });

  it('notices that the log of a directory in use is gone', async () => {
    const opened = await DataDirectory.open(directory, expected);
    expect(opened.logMissing).toBe(false);
    opened.noLongerFresh();
    expect(opened.logMissing).toBe(true);
    mkdirSync(join(directory, 'log'));
    writeFileSync(join(directory, 'log', '1.segment'), 'x');
    expect(opened.logMissing).toBe(false);
    opened.release();
  });
});

describe('lock', () => {
  it('keeps a second one out until it is released', async () => {
    const first = await DataDirectory.open(directory, expected);
    await expect(DataDirectory.open(directory, expected)).rejects.toMatchObject({ code: 'BW_DATA_IN_USE' });
    first.release();
    (await DataDirectory.open(directory, expected)).release();
    expect(locks()).toEqual([]);
  });

  it('keeps others out while their holder lives, stopped or not, and no longer', async () => {
    const child = await holder();
    await expect(DirectoryLock.take(directory)).rejects.toMatchObject({ code: 'BW_DATA_IN_USE' });
    child.kill('SIGSTOP');
    await expect(DirectoryLock.take(directory)).rejects.toMatchObject({ code: 'BW_DATA_IN_USE' });
    await gone(child);
    expect(locks()).toEqual(['lock-other']);
    const lock = await DirectoryLock.take(directory);
    expect(locks()).not.toContain('lock-other');
    lock.release();
  });

  it('is never held twice, however many want it at once', async () => {
    await gone(await holder());
    for (let round = 0; round < 20; round++) {
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, () => DirectoryLock.take(directory)),
      );
      const held = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(held.length).toBeLessThanOrEqual(1);
      for (const lock of held) lock.release();
    }
    (await DirectoryLock.take(directory)).release();
    expect(locks()).toEqual([]);
  });

  it('works below a path that is too long for a socket', async () => {
    const deep = join(directory, 'd'.repeat(60), 'e'.repeat(60));
    const first = await DataDirectory.open(deep, expected);
    await expect(DataDirectory.open(deep, expected)).rejects.toMatchObject({ code: 'BW_DATA_IN_USE' });
    first.release();
    expect(readdirSync(deep)).toEqual(['node.json']);
  });

  it('says what to do when the directory cannot be made', async () => {
    writeFileSync(join(directory, 'file'), '');
    await expect(DataDirectory.open(join(directory, 'file', 'n1'), expected)).rejects.toMatchObject({
      code: 'BW_CONFIG_INVALID',
    });
  });
});
