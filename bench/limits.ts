import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { host, makeDirectory, removeDirectory } from './processes.ts';
import { startResponder } from './systems/responder.ts';

const mebibyte = 1 << 20;
const fileBytes = 64 << 20;
/** As much as a log puts into one durable write at most. */
const writeBytes = 512 << 10;
const inFlightBytes = 4 << 20;

function writeAll(file: number, bytes: Buffer, at: number): Promise<void> {
  return new Promise((resolve, reject) =>
    fs.write(file, bytes, 0, bytes.length, at, (error, written) => {
      if (error !== null) reject(error);
      else if (written !== bytes.length) reject(new Error(`wrote ${written} of ${bytes.length} bytes`));
      else resolve();
    }),
  );
}

/**
 * What the disk takes when three logs are written as ours are, in the largest durable writes they make, into files that
 * were written in full before: bytes per second of all three together.
 */
export async function diskLimit(data: string, ms: number, logs = 3): Promise<number> {
  const directory = makeDirectory(data);
  const zeros = Buffer.alloc(mebibyte);
  const bytes = Buffer.alloc(writeBytes, 'x');
  try {
    const files = Array.from({ length: logs }, (_, i) => {
      const name = path.join(directory, `log-${i}`);
      const plain = fs.openSync(name, 'w');
      for (let at = 0; at < fileBytes; at += mebibyte) fs.writeSync(plain, zeros, 0, mebibyte, at);
      fs.fsyncSync(plain);
      fs.closeSync(plain);
      return fs.openSync(name, fs.constants.O_WRONLY | fs.constants.O_DSYNC);
    });
    const began = performance.now();
    let written = 0;
    await Promise.all(
      files.map(async (file) => {
        for (let at = 0; performance.now() - began < ms; at = (at + writeBytes) % fileBytes) {
          await writeAll(file, bytes, at);
          written += writeBytes;
        }
      }),
    );
    const seconds = (performance.now() - began) / 1000;
    for (const file of files) fs.closeSync(file);
    return written / seconds;
  } finally {
    removeDirectory(directory);
  }
}

/** What one Node.js process can send another over loopback, which reads and drops it: bytes per second. */
export async function loopbackLimit(data: string, ms: number): Promise<number> {
  const directory = makeDirectory(data);
  const { server, port } = await startResponder(directory, 'sink');
  try {
    return await pump(port, ms);
  } finally {
    await server.stop('SIGKILL');
    removeDirectory(directory);
  }
}

function pump(port: number, ms: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.alloc(mebibyte, 'x');
    const socket = net.connect({ host, port, noDelay: true });
    let sent = 0;
    let received = 0;
    let beganMs = 0;
    const send = (): void => {
      for (; sent - received < inFlightBytes; sent += mebibyte) socket.write(bytes);
    };
    socket.on('connect', () => {
      beganMs = performance.now();
      send();
    });
    // Each MiB that arrived is answered with one byte.
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length * mebibyte;
      const elapsedMs = performance.now() - beganMs;
      if (elapsedMs < ms) return send();
      socket.destroy();
      resolve(received / (elapsedMs / 1000));
    });
    socket.on('error', reject);
  });
}
