import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlannedNode } from './cluster-plan.ts';
import type { NodeReport, NodeRequest } from './supervision.ts';

const program = fileURLToPath(new URL('main.js', import.meta.url));
export const logFile = 'node.log';

export interface NodeProcessEvents {
  /** It serves. */
  started(): void;
  /** It ended; `message` says why when it said so itself. */
  ended(code: number | null, signal: NodeJS.Signals | null, message: string | null): void;
}

/** A node of a local cluster as a process of its own, which ends when this process does. */
export class NodeProcess {
  readonly pid: number | null;
  readonly #child: ChildProcess;
  #ended = false;

  /**
   * @param flags of `bellwether node`, beyond what the plan says
   * @param environment in addition to that of this process
   */
  constructor(
    node: PlannedNode,
    flags: readonly string[],
    events: NodeProcessEvents,
    environment: Readonly<Record<string, string>> = {},
  ) {
    fs.mkdirSync(node.dir, { recursive: true, mode: 0o700 });
    const log = fs.openSync(path.join(node.dir, logFile), 'a', 0o600);
    const own = ['--id', node.id, '--dir', node.dir, '--listen', node.client];
    const addresses = ['--peer-listen', node.peer, '--admin-listen', node.admin];
    // In a group of its own, so that Ctrl-C reaches only who started it and all nodes stop in one go.
    this.#child = spawn(process.execPath, [program, 'node', ...own, ...addresses, ...flags], {
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
      env: { ...process.env, ...environment },
    });
    fs.closeSync(log);
    this.pid = this.#child.pid ?? null;
    let message: string | null = null;
    this.#child.on('message', (report: NodeReport) => {
      if (report.kind === 'started') events.started();
      else message = report.message;
    });
    const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (this.#ended) return;
      this.#ended = true;
      events.ended(code, signal, message);
    };
    this.#child.on('error', (error) => {
      message = error.message;
      if (this.pid === null) ended(1, null);
    });
    this.#child.on('exit', ended);
  }

  /** Asks it to end without handing leadership over, since all its peers end too. */
  stop(): void {
    const request: NodeRequest = { kind: 'stop', handOver: false };
    if (this.#child.connected) this.#child.send(request);
  }

  kill(): void {
    this.signal('SIGKILL');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
