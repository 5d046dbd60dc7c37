import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { BellwetherError } from '../errors.ts';

const prefix = 'lock-';
/** Longest path of a socket that every system takes; Linux allows 107 bytes, macOS 103. */
const maxSocketPath = 100;

/**
 * Keeps a second process out of a directory by listening on a socket in it. The system lets go of a socket when its
 * process ends, however it ends, so a dead holder is told from a living one without process ids, which are reused.
 *
 * A lock file that is taken over once its holder is dead invites a race: two that find it dead remove it in turn, the
 * second removing the first one's new lock. So every process listens on a name of its own, and looks for others only
 * then: whoever answers holds the directory. Names of the dead are removed; they never come again. Of two that start
 * at the same moment neither may win, but never both do.
 */
export class DirectoryLock {
  readonly #server: net.Server;
  readonly #file: string;

  private constructor(server: net.Server, file: string) {
    this.#server = server;
    this.#file = file;
  }

  /** Rejects with BW_DATA_IN_USE, or BW_CONFIG_INVALID when the file system takes no sockets. */
  static async take(directory: string): Promise<DirectoryLock> {
    const name = prefix + randomBytes(6).toString('hex');
    const server = await listenIn(directory, name);
    const lock = new DirectoryLock(server, path.join(directory, name));
    for (const other of fs.readdirSync(directory)) {
      if (!other.startsWith(prefix) || other === name) continue;
      if (await withShortPath(directory, other, isDead)) {
        fs.rmSync(path.join(directory, other), { force: true });
      } else {
        lock.release();
        throw inUse(directory);
      }
    }
    // Someone who looked between the making of the name and the listening took this process for dead.
    if (!fs.existsSync(lock.#file)) {
      lock.release();
      throw inUse(directory);
    }
    return lock;
  }

  release(): void {
    this.#server.close();
    fs.rmSync(this.#file, { force: true });
  }
}

function inUse(directory: string): BellwetherError {
  return new BellwetherError(
    'BW_DATA_IN_USE',
    `${directory} is in use by another process`,
    'Stop that process, or choose another --dir.',
  );
}

/** Runs with a path of a socket that is short enough: through a link beside all data when the real one is not. */
async function withShortPath<T>(
  directory: string,
  name: string,
  use: (socket: string) => Promise<T>,
): Promise<T> {
  const direct = path.join(directory, name);
  const relative = path.relative(process.cwd(), direct);
  const shorter = relative.length < direct.length ? relative : direct;
  if (Buffer.byteLength(shorter) <= maxSocketPath) return await use(shorter);
  const link = path.join(os.tmpdir(), `bw-${randomBytes(6).toString('hex')}`);
  fs.symlinkSync(path.resolve(directory), link);
  try {
    return await use(path.join(link, name));
  } finally {
    fs.rmSync(link, { force: true });
  }
}

async function listenIn(directory: string, name: string): Promise<net.Server> {
  try {
    return await withShortPath(directory, name, listenOn);
  } catch (error) {
    throw new BellwetherError(
      'BW_CONFIG_INVALID',
      `the data directory ${directory} cannot be locked (${(error as Error).message})`,
      'Choose a --dir on a local file system that this user may write to.',
      { cause: error },
    );
  }
}

function listenOn(socket: string): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((connection) => connection.destroy());
    server.once('error', reject);
    server.listen(socket, () => resolve(server));
    server.unref();
  });
}

/** True only when surely nobody listens: a holder that is stopped or busy still counts. */
function isDead(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = net.connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(false);
    });
    connection.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT'),
    );
  });
}
