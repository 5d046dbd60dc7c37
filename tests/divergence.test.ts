import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

interface LostEntry {
  readonly lsn: number;
  readonly answered: string;
  readonly payload: string;
}

function ledgerOf(node: TestNode): LostEntry[] {
  const dir = path.join(node.dir, 'loss-ledger');
  if (!fs.existsSync(dir)) return [];
  return fs
    .readdirSync(dir)
    .flatMap((file) => fs.readFileSync(path.join(dir, file), 'utf8').trimEnd().split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LostEntry);
}

/** Writes that only the leader gets, answered under a weak policy. */
async function writeAlone(running: TestCluster, leader: TestNode, count: number): Promise<void> {
  const followers = running.nodes.filter((node) => node !== leader);
  const client = await RawClient.connect(leader.port);
  expect((await client.command('REPL', 'ACK', 'all', 'FLUSHED')).value).toBe('OK');
  expect((await client.command('SET', 'kept', 'by all')).value).toBe('OK');
  await Promise.all(followers.map((node) => node.kill()));
  expect((await client.command('REPL', 'ACK', 'leader', 'FLUSHED')).value).toBe('OK');
  for (let i = 0; i < count; i++)
    expect((await client.command('SET', `lost:${i}`, String(i))).value).toBe('OK');
  await client.close();
}

it('pitfall 38: a killed leader rejoins by itself, and what it alone had is in its loss ledger', async () => {
  // Patience, so that a leader without followers does not yield before the writes are done.
  const flags = ['--election-timeout', '1500ms..2s', '--vote-refusal', '1s', '--lease', '900ms'];
  cluster = await TestCluster.start({ flags });
  const running = cluster;
  const leader = await running.ready();
  await writeAlone(running, leader, 20);
  await leader.kill();
  const followers = running.nodes.filter((node) => node !== leader);
  for (const node of followers) node.start();
  const successor = await running.leader();
  const client = await RawClient.connect(successor.port);
  expect((await client.command('SET', 'after', 'the change')).value).toBe('OK');
  leader.start();
  await running.ready();
  await until('what was cut is saved', () => ledgerOf(leader).length >= 20);
  const saved = ledgerOf(leader).filter(({ payload }) => Buffer.from(payload, 'base64').includes('lost:'));
  expect(saved.length).toBe(20);
  expect(new Set(saved.map(({ answered }) => answered))).toEqual(new Set(['leader flushed']));
  const { port } = leader;
  const old = await RawClient.connect(port);
  await old.command('READONLY');
  await until(
    'the old leader has the new history',
    async () => (await old.command('GET', 'after')).value === 'the change',
  );
  expect((await old.command('GET', 'kept')).value).toBe('by all');
  for (let i = 0; i < 20; i++) expect((await old.command('GET', `lost:${i}`)).value).toBeNull();
  await old.close();
  await client.close();
});
