import type { PlannedNode } from './cluster-plan.ts';
import { NodeProcess } from './node-process.ts';

const restartMs = 2000;
const restartAfterShutDownMs = 50;
/** A node that does not end within this time after it was asked to is killed. */
const stopMs = 10_000;

export type NodeState = 'starting' | 'running' | 'down' | 'stopped';

export interface LocalClusterEvents {
  started(node: PlannedNode): void;
  /** A node ended as a client asked it to (SHUTDOWN). */
  shutDown?(node: PlannedNode): void;
  /** A node ended without having been asked to. `message` says why when it is known. */
  died(node: PlannedNode, how: string, message: string | null): void;
}

interface Member {
  readonly node: PlannedNode;
  state: NodeState;
  process: NodeProcess | null;
  restart: NodeJS.Timeout | null;
}

/** The processes of a cluster on this machine: started, started again when they die, and stopped together. */
export class LocalCluster {
  readonly #members: readonly Member[];
  readonly #flags: readonly string[];
  readonly #restart: boolean;
  readonly #events: LocalClusterEvents;
  #stopping = false;
  #allEnded: (() => void) | null = null;

  constructor(
    nodes: readonly PlannedNode[],
    flags: readonly string[],
    restart: boolean,
    events: LocalClusterEvents,
  ) {
    this.#members = nodes.map((node) => ({ node, state: 'starting', process: null, restart: null }));
    this.#flags = flags;
    this.#restart = restart;
    this.#events = events;
  }

  start(): void {
    for (const member of this.#members) this.#run(member);
  }

  stateOf(id: string): NodeState {
    return this.#members.find(({ node }) => node.id === id)?.state ?? 'stopped';
  }

  #run(member: Member): void {
    member.state = 'starting';
    member.restart = null;
    member.process = new NodeProcess(member.node, this.#flags, {
      started: () => {
        member.state = 'running';
        this.#events.started(member.node);
      },
      ended: (code, signal, message) => this.#ended(member, code, signal, message),
    });
  }

  #ended(member: Member, code: number | null, signal: NodeJS.Signals | null, message: string | null): void {
    member.process = null;
    if (this.#stopping) {
      member.state = 'stopped';
      this.#checkEnd();
      return;
    }
    member.state = 'down';
    const asked = code === 0 && this.#events.shutDown !== undefined;
    if (this.#restart)
      member.restart = setTimeout(() => this.#run(member), asked ? restartAfterShutDownMs : restartMs);
    if (asked) this.#events.shutDown?.(member.node);
    else this.#events.died(member.node, signal ?? `exit code ${code}`, message);
  }

  /** Starts those that are down, without waiting any longer. */
  startDead(): void {
    for (const member of this.#members) {
      if (member.state !== 'down') continue;
      if (member.restart !== null) clearTimeout(member.restart);
      this.#run(member);
    }
  }

  /** Stops all nodes together; resolves when they have ended. */
  stop(): Promise<void> {
    this.#stopping = true;
    return new Promise((resolve) => {
      const killer = setTimeout(() => {
        for (const { process } of this.#members) process?.kill();
      }, stopMs);
      this.#allEnded = () => {
        clearTimeout(killer);
        resolve();
      };
      for (const member of this.#members) {
        if (member.restart !== null) clearTimeout(member.restart);
        member.restart = null;
        member.process?.stop();
      }
      this.#checkEnd();
    });
  }

  #checkEnd(): void {
    if (this.#members.every(({ process }) => process === null)) this.#allEnded?.();
  }
}
