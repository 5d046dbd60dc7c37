import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { BellwetherError } from '../errors.ts';

const prefix = 'lock-';

/**
 * Keeps a second process out of a directory. Each process listens on a socket and leaves a file in the directory that
 * says where; the system lets go of a socket when its process ends, however it ends, so a dead holder is told from a
 * living one without process ids, which are reused. The socket itself is elsewhere: its path must be short, and programs
 * that copy directories stumble over sockets.
 *
 * A lock file that is taken over once its holder is dead invites a race: two that find it dead remove it in turn, the
 * second removing the first one's new lock. So every process has a file with a name of its own, and looks at the others
 * only then: whoever answers holds the directory. Files of the dead are removed; their names never come again. Of two
 * that start at the same moment neither may win, but never both do.
 */
export class DirectoryLock {
  readonly #server: net.Server;
  readonly #file: string;

  private constructor(server: net.Server, file: string) {
    this.#server = server;
    this.#file = file;
  }

  /** Rejects with BW_DATA_IN_USE, or BW_CONFIG_INVALID when no lock can be made. */
  static async take(directory: string): Promise<DirectoryLock> {
    const id = randomBytes(8).toString('hex');
    const name = prefix + id;
    const lock = await DirectoryLock.#publish(directory, name, path.join(os.tmpdir(), `bellwether-${id}`));
    for (const other of fs.readdirSync(directory)) {
      if (!other.startsWith(prefix) || other === name) continue;
      const file = path.join(directory, other);
      if (await isDead(file)) {
        fs.rmSync(file, { force: true });
      } else {
        lock.release();
        throw inUse(directory);
      }
    }
    return lock;
  }

  /** Whether another process holds the directory. */
  static async isTaken(directory: string): Promise<boolean> {
    for (const name of fs.readdirSync(directory))
      if (name.startsWith(prefix) && !(await isDead(path.join(directory, name)))) return true;
    return false;
  }

  /** Listens, then says so in the directory, whole or not at all. */
  static async #publish(directory: string, name: string, socket: string): Promise<DirectoryLock> {
    try {
      const server = await listenOn(socket);
      const file = path.join(directory, name);
      const unfinished = path.join(directory, `.${name}`);
      fs.writeFileSync(unfinished, socket, { mode: 0o600 });
      fs.renameSync(unfinished, file);
      return new DirectoryLock(server, file);
    } catch (error) {
      throw new BellwetherError(
        'BW_CONFIG_INVALID',
        `the data directory ${directory} cannot be locked (${(error as Error).message})`,
        `Choose a --dir that this user may write to; ${os.tmpdir()} must take sockets.`,
        { cause: error },
      );
    }
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

function listenOn(socket: string): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((connection) => connection.destroy());
    server.once('error', reject);
    server.listen(socket, () => resolve(server));
    server.unref();
  });
}

/** True only when surely nobody listens where the file says: a holder that is stopped or busy still counts. */
function isDead(file: string): Promise<boolean> {
  let socket: string;
  try {
    socket = fs.readFileSync(file, 'utf8');
  } catch (error) {
    return Promise.resolve((error as NodeJS.ErrnoException).code === 'ENOENT');
  }
  return new Promise((resolve) => {
    const connection = net.connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(false);
    });
    connection.once('error', (error: NodeJS.ErrnoException) => {
      const dead = error.code === 'ECONNREFUSED' || error.code === 'ENOENT';
      if (dead) fs.rmSync(socket, { force: true });
      resolve(dead);
    });
  });
}
