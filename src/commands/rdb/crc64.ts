/** The polynomial of Redis's CRC-64 (Jones), bits reversed. */
const polynomial = 0x95ac9329ac4bc9b5n;

const high = new Uint32Array(256);
const low = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
  let crc = BigInt(i);
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  high[i] = Number(crc >> 32n);
  low[i] = Number(crc & 0xffffffffn);
}

/** The checksum of the first `end` bytes, as it stands behind a dump: eight bytes, little endian. */
export function crc64(bytes: Uint8Array, end: number = bytes.length): Buffer {
  let upper = 0;
  let lower = 0;
  for (let i = 0; i < end; i++) {
    const at = (lower ^ (bytes[i] as number)) & 0xff;
    lower = ((lower >>> 8) | (upper << 24)) ^ (low[at] as number);
    upper = (upper >>> 8) ^ (high[at] as number);
  }
  const sum = Buffer.alloc(8);
  sum.writeUInt32LE(lower >>> 0, 0);
  sum.writeUInt32LE(upper >>> 0, 4);
  return sum;
}
