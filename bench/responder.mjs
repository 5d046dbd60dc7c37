// The least that a server in Node.js can do: answers SETs and GETs of the benchmark's form without looking into them.
// `node responder.mjs PORT VALUE_BYTES`: whatever the load generator reaches against it is the generator's own limit.
// `node responder.mjs PORT sink`: reads and drops, and answers each MiB with a byte, for the limit of the loopback.
import net from 'node:net';

const [port, mode] = process.argv.slice(2);
const valueBytes = Number(mode);
const key = 'bench:000000000';
const value = 'x'.repeat(valueBytes);
const bulk = (text) => `$${text.length}\r\n${text}\r\n`;
const setBytes = `*3\r\n$3\r\nSET\r\n${bulk(key)}${bulk(value)}`.length;
const getBytes = `*2\r\n$3\r\nGET\r\n${bulk(key)}`.length;
const countMax = 1024;
const setReplies = Buffer.from('+OK\r\n'.repeat(countMax));
const getReply = bulk(value);
const getReplies = Buffer.from(getReply.repeat(Math.min(countMax, Math.ceil((4 << 20) / getReply.length))));
const three = '3'.charCodeAt(0);
const mebibyte = 1 << 20;

function serve(socket) {
  /** Bytes of the request under way, and how many of them are still to come. */
  let left = 0;
  let writes = false;
  let partial = false;
  socket.on('data', (chunk) => {
    let at = 0;
    let sets = 0;
    let gets = 0;
    while (at < chunk.length) {
      if (left === 0) {
        if (!partial && at + 1 === chunk.length) {
          partial = true;
          return flush(sets, gets);
        }
        const digit = partial ? chunk[at] : chunk[at + 1];
        writes = digit === three;
        left = (writes ? setBytes : getBytes) - (partial ? 1 : 0);
        partial = false;
      }
      const take = Math.min(left, chunk.length - at);
      left -= take;
      at += take;
      if (left > 0) break;
      if (writes) sets += 1;
      else gets += 1;
    }
    flush(sets, gets);
  });
  function flush(sets, gets) {
    if (sets > 0) socket.write(setReplies.subarray(0, sets * 5));
    if (gets > 0) socket.write(getReplies.subarray(0, gets * getReply.length));
  }
}

function sink(socket) {
  let received = 0;
  socket.on('data', (chunk) => {
    const before = Math.floor(received / mebibyte);
    received += chunk.length;
    const full = Math.floor(received / mebibyte) - before;
    if (full > 0) socket.write(Buffer.alloc(full));
  });
}

net
  .createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    if (mode === 'sink') sink(socket);
    else serve(socket);
  })
  .listen(Number(port), '127.0.0.1');
process.on('disconnect', () => process.exit(0));
