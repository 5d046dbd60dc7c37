// Loaded into a node with `node --import bench/probe.mjs`: watches its event loop, its garbage collection and what it
// allocates, and takes profiles, between `start` and `stop`. Asked over the socket BENCH_PROBE_SOCKET, a line of JSON at
// a time. The shape of what it answers is in probe-client.ts.
import fs from 'node:fs';
import { Session } from 'node:inspector';
import net from 'node:net';
import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import v8 from 'node:v8';

const cpuIntervalMicroseconds = 250;
const allocationIntervalBytes = 16 << 10;
const nanosecondsPerMs = 1e6;

let watch = null;

/** Reads how long this thread has had a processor, ns: to a few ms. Null where the system does not tell. */
function threadClock() {
  let file;
  try {
    file = fs.openSync('/proc/thread-self/schedstat', 'r');
  } catch {
    return null;
  }
  const bytes = Buffer.alloc(64);
  return {
    read: () => Number.parseInt(bytes.latin1Slice(0, fs.readSync(file, bytes, 0, bytes.length, 0)), 10),
    close: () => fs.closeSync(file),
  };
}

/** Watches the longest turn of the event loop by the processor time that it took, whatever else runs on the machine. */
function watchTurns() {
  const clock = threadClock();
  if (clock === null) return { stop: () => null };
  let longest = 0;
  let last = clock.read();
  let next = setImmediate(function turn() {
    const now = clock.read();
    longest = Math.max(longest, now - last);
    last = now;
    next = setImmediate(turn);
  });
  return {
    stop: () => {
      clearImmediate(next);
      clock.close();
      return longest / nanosecondsPerMs;
    },
  };
}

function post(session, method, params = {}) {
  return new Promise((resolve, reject) =>
    session.post(method, params, (error, result) => (error ? reject(error) : resolve(result))),
  );
}

/** Bytes in the heap and bytes of buffers outside it. */
function memory() {
  const { heapUsed, external } = process.memoryUsage();
  return { heapUsed, external };
}

async function start({ profile, turns }) {
  const session = new Session();
  session.connect();
  if (profile === 'cpu') {
    await post(session, 'Profiler.enable');
    await post(session, 'Profiler.setSamplingInterval', { interval: cpuIntervalMicroseconds });
    await post(session, 'Profiler.start');
  }
  if (profile === 'allocation')
    await post(session, 'HeapProfiler.startSampling', {
      samplingInterval: allocationIntervalBytes,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
  const pauses = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration, detail } of list.getEntries()) pauses.push({ ms: duration, kind: detail.kind });
  });
  observer.observe({ entryTypes: ['gc'] });
  const collector = new v8.GCProfiler();
  collector.start();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  watch = {
    profile,
    session,
    pauses,
    observer,
    collector,
    delay,
    turns: turns ? watchTurns() : { stop: () => null },
    beganMs: performance.now(),
    loop: performance.eventLoopUtilization(),
    cpu: process.cpuUsage(),
    memory: memory(),
  };
  return {};
}

/**
 * Bytes that came into the heap: what was there before each collection beyond what the one before had left. Buffers
 * outside the heap count in the same way.
 */
function allocatedBytes(before, after, { statistics }) {
  let bytes = 0;
  let left = before.heapUsed + before.external;
  for (const { beforeGC, afterGC } of statistics) {
    const found = beforeGC.heapStatistics.usedHeapSize + beforeGC.heapStatistics.externalMemory;
    bytes += Math.max(0, found - left);
    left = afterGC.heapStatistics.usedHeapSize + afterGC.heapStatistics.externalMemory;
  }
  return bytes + Math.max(0, after.heapUsed + after.external - left);
}

async function stop({ file }) {
  const { session, profile, pauses, observer, collector, delay, beganMs, loop, cpu, memory: before } = watch;
  const after = memory();
  const longestTurnMs = watch.turns.stop();
  const collections = collector.stop();
  const { user, system } = process.cpuUsage(cpu);
  const { utilization } = performance.eventLoopUtilization(loop);
  const seconds = (performance.now() - beganMs) / 1000;
  delay.disable();
  observer.disconnect();
  watch = null;
  let taken = null;
  if (profile === 'cpu') taken = (await post(session, 'Profiler.stop')).profile;
  if (profile === 'allocation') taken = (await post(session, 'HeapProfiler.stopSampling')).profile;
  if (taken !== null) fs.writeFileSync(file, JSON.stringify(taken));
  session.disconnect();
  const ms = (nanoseconds) => nanoseconds / nanosecondsPerMs;
  return {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    utilization,
    // The monitor counts from one millisecond to the next, so its own interval is part of every value.
    delayMs: {
      p50: ms(delay.percentile(50)) - 1,
      p99: ms(delay.percentile(99)) - 1,
      p999: ms(delay.percentile(99.9)) - 1,
      max: ms(delay.max) - 1,
    },
    longestTurnMs,
    pauses,
    allocatedBytes: allocatedBytes(before, after, collections),
  };
}

const commands = { start, stop };

function serve(socket) {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('error', () => undefined);
  socket.on('data', async (text) => {
    rest += text;
    const lines = rest.split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const request = JSON.parse(line);
      try {
        socket.write(`${JSON.stringify(await commands[request.command](request))}\n`);
      } catch (error) {
        socket.write(`${JSON.stringify({ error: String(error) })}\n`);
      }
    }
  });
}

const address = process.env.BENCH_PROBE_SOCKET;
fs.rmSync(address, { force: true });
net.createServer(serve).listen(address).unref();
