import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { BellwetherError } from '../errors.ts';
import { DirectoryLock } from './directory-lock.ts';
import { makeDirectoryDurably, writeFileDurably } from './durable-file.ts';

const formatVersion = 1;
export const identityFile = 'node.json';
/** What a data directory holds beside its identity. */
export const logDirectory = 'log';
export const checkpointDirectory = 'checkpoints';

const identitySchema = z.object({
  cluster: z.string(),
  node: z.string(),
  instance: z.string().min(1),
  voters: z.array(z.string()).min(1),
  shards: z.number().int().min(1).default(1),
  replicas: z.number().int().min(1).optional(),
  fresh: z.boolean(),
  metadata: z.boolean().default(false),
  joined: z.boolean().default(false),
});

/** What a data directory says of itself, in node.json. */
export interface DirectoryIdentity {
  readonly format: number;
  readonly cluster: string;
  readonly node: string;
  /** Drawn when the directory was made: a wiped node comes with another. */
  readonly instance: string;
  /** The nodes that the cluster began with, sorted; the same on each of them. */
  readonly voters: readonly string[];
  /** How many shards the cluster began with; the same on each node. */
  readonly shards: number;
  /** On how many nodes each shard began; on all of them when it is absent. */
  readonly replicas?: number | undefined;
  /** True until something in it was promised to others. */
  readonly fresh: boolean;
  /** False where the metadata shard is not known yet: written before there was one, and nothing was promised of it. */
  readonly metadata: boolean;
  /** The node came to a running cluster: the cluster did not begin with it. */
  readonly joined: boolean;
}

/** Whose data a node expects to find. */
export interface ExpectedIdentity extends Pick<DirectoryIdentity, 'cluster' | 'node' | 'voters'> {
  /** Null: as many as the directory says, one in a new one. */
  readonly shards: number | null;
  /** Null: as many as the directory says, on all nodes in a new one. */
  readonly replicas: number | null;
}

/** The data directory of one node: its identity, and the lock that keeps a second process out. */
export class DataDirectory {
  readonly path: string;
  readonly #lock: DirectoryLock;
  #identity: DirectoryIdentity;

  private constructor(directory: string, identity: DirectoryIdentity, lock: DirectoryLock) {
    this.path = directory;
    this.#identity = identity;
    this.#lock = lock;
  }

  /**
   * Opens a node's data directory, making it when absent. Rejects with BW_DATA_IN_USE, BW_DATA_FOREIGN,
   * BW_DATA_VERSION, or BW_CONFIG_INVALID when it cannot be made.
   */
  static async open(directory: string, expected: ExpectedIdentity): Promise<DataDirectory> {
    try {
      makeDirectoryDurably(directory);
    } catch (error) {
      throw new BellwetherError(
        'BW_CONFIG_INVALID',
        `the data directory ${directory} cannot be made (${(error as Error).message})`,
        'Choose another --dir.',
      );
    }
    const lock = await DirectoryLock.take(directory);
    try {
      const identity = readIdentity(directory) ?? createIdentity(directory, expected);
      compare(directory, identity, expected);
      return new DataDirectory(directory, identity, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get identity(): DirectoryIdentity {
    return this.#identity;
  }

  /** What nodes tell each other: with another number of shards, slots would have other owners. */
  get clusterName(): string {
    const { cluster, shards } = this.#identity;
    const { replicas } = this;
    const everywhere = replicas === this.#identity.voters.length;
    if (shards === 1 && everywhere) return cluster;
    return `${cluster} (${shards} shards${everywhere ? '' : ` on ${replicas} nodes each`})`;
  }

  /** On how many nodes each shard began. */
  get replicas(): number {
    return this.#identity.replicas ?? this.#identity.voters.length;
  }

  /** True when what this directory promised is gone: it was in use, and its log has been removed. */
  get logMissing(): boolean {
    return !this.#identity.fresh && isEmpty(path.join(this.path, logDirectory));
  }

  /** From here on others rely on what this directory holds: remembered durably. */
  noLongerFresh(): void {
    if (!this.#identity.fresh) return;
    this.#identity = { ...this.#identity, fresh: false };
    writeIdentity(this.path, this.#identity);
  }

  /** The same for the metadata shard, which directories of older versions know nothing of. */
  metadataPromised(): void {
    if (!this.#identity.fresh && this.#identity.metadata) return;
    this.#identity = { ...this.#identity, fresh: false, metadata: true };
    writeIdentity(this.path, this.#identity);
  }

  release(): void {
    this.#lock.release();
  }
}

function isEmpty(directory: string): boolean {
  return !fs.existsSync(directory) || fs.readdirSync(directory).length === 0;
}

function foreign(what: string, advice: string): BellwetherError {
  return new BellwetherError('BW_DATA_FOREIGN', what, advice);
}

/** What a directory says of itself; null when it says nothing. Throws BW_DATA_FOREIGN or BW_DATA_VERSION. */
export function readIdentity(directory: string): DirectoryIdentity | null {
  const file = path.join(directory, identityFile);
  if (!fs.existsSync(file)) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    throw foreign(
      `${file} cannot be read (${(error as Error).message})`,
      'Restore it from a backup, or choose an empty --dir.',
    );
  }
  const format = (parsed as { format?: unknown } | null)?.format;
  if (format !== formatVersion) {
    throw new BellwetherError(
      'BW_DATA_VERSION',
      `${directory} has data of format ${String(format)}, this version reads ${formatVersion}`,
      'Start it with the version that wrote it.',
    );
  }
  const result = identitySchema.safeParse(parsed);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw foreign(
      `${file} is not as a node writes it (${issue?.path.join('.')}: ${issue?.message})`,
      'Restore it from a backup, or choose an empty --dir.',
    );
  }
  return { format: formatVersion, ...result.data };
}

/** Makes the data directory of a node that is to join a cluster. Throws BW_DATA_FOREIGN when it holds data. */
export function createJoining(directory: string, expected: ExpectedIdentity): DirectoryIdentity {
  makeDirectoryDurably(directory);
  return createIdentity(directory, expected, true);
}

function createIdentity(directory: string, expected: ExpectedIdentity, joined = false): DirectoryIdentity {
  for (const name of [logDirectory, checkpointDirectory]) {
    if (!isEmpty(path.join(directory, name)))
      throw foreign(
        `${directory} holds data in ${name}/ and no ${identityFile} that says whose it is`,
        `Restore ${identityFile} from a backup, or choose an empty --dir.`,
      );
  }
  const instance = randomBytes(12).toString('hex');
  const { cluster, node, voters } = expected;
  const identity = {
    format: formatVersion,
    cluster,
    node,
    instance,
    voters: [...voters].sort(),
    shards: expected.shards ?? 1,
    ...(expected.replicas === null ? {} : { replicas: Math.min(expected.replicas, voters.length) }),
    fresh: true,
    metadata: true,
    joined,
  };
  writeIdentity(directory, identity);
  return identity;
}

function compare(directory: string, identity: DirectoryIdentity, expected: ExpectedIdentity): void {
  if (identity.cluster !== expected.cluster || identity.node !== expected.node) {
    throw foreign(
      `${directory} belongs to node ${identity.node} of cluster ${identity.cluster}, not to node ${expected.node} of cluster ${expected.cluster}`,
      'Choose another --dir, or start the node that it belongs to.',
    );
  }
  // What the cluster is like, it was told.
  if (identity.joined) return;
  const { shards } = expected;
  if (shards !== null && shards !== identity.shards) {
    throw foreign(
      `${directory} belongs to a cluster of ${identity.shards} shards, and --shards says ${shards}`,
      'Leave --shards away: a cluster keeps the number that it began with.',
    );
  }
  const known = identity.replicas ?? identity.voters.length;
  const replicas = Math.min(expected.replicas ?? known, identity.voters.length);
  if (replicas !== known) {
    throw foreign(
      `${directory} belongs to a cluster with each shard on ${known} nodes, and --replicas says ${expected.replicas}`,
      'Leave --replicas away: a cluster keeps the number that it began with.',
    );
  }
  const voters = [...expected.voters].sort();
  if (voters.join() !== identity.voters.join()) {
    throw foreign(
      `${directory} belongs to a cluster of ${identity.voters.join(', ')}, and --peers says ${voters.join(', ')}`,
      'Give the nodes that the cluster began with; changing them comes with a later version.',
    );
  }
}

function writeIdentity(directory: string, identity: DirectoryIdentity): void {
  writeFileDurably(path.join(directory, identityFile), `${JSON.stringify(identity, null, 2)}\n`);
}
