/** What disks and file systems ask of memory, lengths and positions that bypass the page cache. */
const blockBytes = 4096;
const pageBytes = 65_536;

const alignedMemory = new WeakSet<ArrayBufferLike>();

/**
 * Memory that begins at a multiple of 4 KiB, at least `bytes` long, zero. The memory of a WebAssembly module does by
 * specification hold whole pages, and engines map it at such; no other memory of JavaScript promises anything. Where
 * there is none left, any memory.
 */
export function alignedBuffer(bytes: number): Buffer {
  const pages = Math.ceil(bytes / pageBytes);
  try {
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
    alignedMemory.add(buffer);
    return Buffer.from(buffer);
  } catch (error) {
    if (error instanceof RangeError) return Buffer.alloc(bytes);
    throw error;
  }
}

/** True when these bytes lie in memory of `alignedBuffer`, and begin, end and go to where blocks do. */
export function isAligned(bytes: Uint8Array, position: number): boolean {
  return (
    (bytes.byteOffset | bytes.length | (position % blockBytes)) % blockBytes === 0 &&
    alignedMemory.has(bytes.buffer)
  );
}
