import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { BenchFailure } from './processes.ts';
import { type BenchNode, probeSocket } from './systems/bellwether.ts';

const probeFile = fileURLToPath(new URL('./probe.mjs', import.meta.url));

/** Flags of Node.js that load the probe. */
export const probeFlags = ['--import', probeFile];

/** What the probe in a node saw between `start` and `stop`. */
export interface ProbeReport {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Share of the time in which the event loop was not idle. */
  readonly utilization: number;
  /** By how much the event loop was late for a timer of 1 ms. */
  readonly delayMs: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  /** Processor time of the longest turn of the event loop, ms; null when nobody asked, or the system does not tell. */
  readonly longestTurnMs: number | null;
  /** Every pause for garbage collection. */
  readonly pauses: readonly { readonly ms: number; readonly kind: number }[];
  readonly allocatedBytes: number;
}

export type ProfileKind = 'none' | 'cpu' | 'allocation';

function ask(node: BenchNode, request: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: probeSocket(node) });
    let text = '';
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!text.endsWith('\n')) return;
      socket.destroy();
      const answer = JSON.parse(text) as { error?: string };
      if (answer.error === undefined) resolve(answer);
      else reject(new BenchFailure(`the probe of ${node.id} failed: ${answer.error}`));
    });
    socket.on('error', (error) =>
      reject(new BenchFailure(`the probe of ${node.id} does not answer: ${error.message}`)),
    );
  });
}

/** @param turns also watches every turn of the event loop, which keeps a processor busy */
export async function startProbe(node: BenchNode, profile: ProfileKind, turns = false): Promise<void> {
  await ask(node, { command: 'start', profile, turns });
}

/** @param file takes the profile, when one was asked for */
export async function stopProbe(node: BenchNode, file: string): Promise<ProbeReport> {
  return (await ask(node, { command: 'stop', file })) as ProbeReport;
}
