import path from 'node:path';
import { BellwetherError } from '../errors.ts';
import { DirectoryLock } from '../node/directory-lock.ts';
import { makeDirectoryDurably } from '../node/durable-file.ts';
import { isOptionName, type OptionName } from '../node/options.ts';
import { version } from '../version.ts';
import { fetchStatus } from './admin-client.ts';
import { type Flags, flagHelp, integerFlag, parseArguments, usageError } from './arguments.ts';
import {
  type ClusterPlan,
  checkPorts,
  makePlan,
  type PlannedNode,
  portOf,
  portStep,
  removeData,
} from './cluster-plan.ts';
import {
  type AskedNode,
  followingOf,
  headline,
  isStarting,
  leaderOf,
  leadersLine,
  rolesOf,
  shardsOf,
  table,
} from './cluster-view.ts';
import type { Command } from './command.ts';
import { LocalCluster } from './local-cluster.ts';
import { nodeFlags } from './node-command.ts';
import { logFile } from './node-process.ts';
import { Screen } from './screen.ts';

const pollMs = 500;
const mostNodes = portStep - 1;
/** Options of a node that `up` decides itself. */
const decided: readonly OptionName[] = [
  'id',
  'dir',
  'cluster',
  'listen',
  'peer-listen',
  'admin-listen',
  'announce',
  'peers',
  'join',
  'zone',
];

const ownFlags: Flags = {
  nodes: { form: 'number', default: '3', help: 'How many nodes, one process each.' },
  port: {
    form: 'number',
    default: '7001',
    help: `Client port of the first node; the others follow, peer ports ${portStep} and admin ports ${2 * portStep} above.`,
  },
  dir: { form: 'path', default: '.bellwether', help: 'Where the data goes, one directory per node.' },
  fresh: { form: null, help: "Begin without the data that 'up' left in --dir." },
  ack: {
    form: 'policy',
    default: 'majority',
    help: 'Whose copies a write waits for: none, leader, majority, all, or a number.',
  },
  shards: { form: 'number', default: '1', help: 'How many shards a new cluster begins with.' },
  replicas: { form: 'number', help: 'On how many nodes each shard of a new cluster is; without it on all.' },
  'no-restart': { form: null, help: 'Leave a node that died down; without it, it starts again after 2 s.' },
};

/** Its own come first, so that a misspelt flag is taken for one of them. */
const flags: Flags = {
  ...ownFlags,
  ...Object.fromEntries(
    Object.entries(nodeFlags).filter(
      ([name]) => !decided.includes(name as OptionName) && !Object.hasOwn(ownFlags, name),
    ),
  ),
};

export const upCommand: Command = {
  name: 'up',
  summary: 'run a cluster on this machine, ready to use',
  help: () => `Runs a cluster on this machine, one process per node, and shows how it is until Ctrl-C stops it. Started again with
the same --dir it carries on with its data, and with that of nodes which have joined meanwhile, if it lies there.

Usage: bellwether up [flags]

${flagHelp(ownFlags)}

Flags of 'bellwether node' that are not about one node, such as --password or --min-in-sync, are handed on to all nodes.
`,
  run,
};

interface UpOptions {
  readonly nodes: number;
  readonly port: number;
  readonly dir: string;
  readonly fresh: boolean;
  readonly restart: boolean;
  /** Handed on to every node. */
  readonly nodeFlags: readonly string[];
}

function readOptions(argv: readonly string[]): UpOptions {
  const { flags: given, rest } = parseArguments(argv, flags, 'up');
  if (rest.length > 0) throw usageError(`'${rest[0]}' is no flag`, 'up');
  if (given['shards'] !== undefined) integerFlag(given['shards'], 'shards', 1, 1024, 'up');
  const nodes = integerFlag(given['nodes'] ?? '3', 'nodes', 1, mostNodes, 'up');
  const port = integerFlag(given['port'] ?? '7001', 'port', 1, 65535 - 3 * portStep, 'up');
  const handedOn = Object.entries(given).filter(([name]) => isOptionName(name) && !decided.includes(name));
  return {
    nodes,
    port,
    dir: path.resolve(given['dir'] ?? '.bellwether'),
    fresh: given['fresh'] === 'on',
    restart: given['no-restart'] !== 'on',
    nodeFlags: handedOn.map(([name, value]) => `--${name}=${value}`),
  };
}

async function run(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  makeDirectoryDurably(options.dir);
  const lock = await DirectoryLock.take(options.dir);
  try {
    if (options.fresh) removeData(options.dir);
    const plan = await withoutRunning(makePlan(options.dir, options.nodes, options.port));
    await checkPorts(plan);
    return await new Up(plan, options).run();
  } finally {
    lock.release();
  }
}

/** The plan without nodes that joined and run already, started by somebody else. */
async function withoutRunning(plan: ClusterPlan): Promise<ClusterPlan> {
  const running: string[] = [];
  for (const { id, dir, joined } of plan.nodes)
    if (joined === true && (await DirectoryLock.isTaken(dir))) running.push(id);
  const nodes = plan.nodes.filter(({ id }) => !running.includes(id));
  const notes = running.map((id) => `${id} runs already, started by somebody else.`);
  return { ...plan, nodes, notes: [...plan.notes, ...notes] };
}

/** One run of the command, from the first process to the last. */
class Up {
  readonly #plan: ClusterPlan;
  readonly #cluster: LocalCluster;
  readonly #screen = new Screen(process.stdout);
  readonly #beganMs = Date.now();
  #ready = false;
  #end: (code: number) => void = () => undefined;
  #failure: BellwetherError | null = null;

  constructor(plan: ClusterPlan, { restart, nodeFlags: handedOn }: UpOptions) {
    this.#plan = plan;
    const flags = ['--cluster', plan.cluster, '--peers', plan.peers, ...handedOn];
    this.#cluster = new LocalCluster(plan.nodes, flags, restart, {
      started: (node) => {
        if (this.#ready) this.#screen.print(`${node.id} is up again`);
      },
      shutDown: ({ id }) =>
        this.#screen.print(`${id} was shut down; ${restart ? 'it starts again' : 'it stays down'}`),
      died: (node, how, message) => this.#died(node, how, message, restart),
    });
  }

  async run(): Promise<number> {
    const { nodes, dir } = this.#plan;
    this.#screen.print(`Bellwether ${version}: starting ${nodes.length} nodes, data in ${dir}`);
    for (const note of this.#plan.notes) this.#screen.print(note);
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.#end(0));
    this.#cluster.start();
    let polling = true;
    const polled = this.#poll(() => polling);
    const code = await ended;
    polling = false;
    if (this.#failure === null) this.#screen.print('Stopping …');
    await this.#cluster.stop();
    await polled;
    if (this.#failure !== null) throw this.#failure;
    this.#screen.print(`Stopped. The data stays in ${dir}.`);
    return code;
  }

  #died(node: PlannedNode, how: string, message: string | null, restart: boolean): void {
    const log = path.join(node.dir, logFile);
    if (!this.#ready && message !== null) {
      const code = /^(BW_[A-Z_]+): /.exec(message)?.[1];
      const known = code === 'BW_PORT_TAKEN' || code === 'BW_CONFIG_INVALID' ? code : 'BW_DATA_FOREIGN';
      this.#failure ??= new BellwetherError(
        known,
        `node ${node.id} cannot start: ${message}`,
        `Its log is ${log}.`,
      );
      this.#end(1);
      return;
    }
    const next = restart ? 'it starts again in 2 s' : 'it stays down';
    this.#screen.print(
      `${node.id} is down (${how}); ${next}; its log is ${log}${message === null ? '' : `\n  ${message}`}`,
    );
  }

  async #poll(going: () => boolean): Promise<void> {
    while (going()) {
      const asked = await Promise.all(
        this.#plan.nodes.map(async ({ id, admin }) => ({ name: id, status: await fetchStatus(admin) })),
      );
      if (!going()) return;
      this.#show(asked);
      await new Promise((resolve) => setTimeout(resolve, this.#ready ? pollMs : 50));
    }
  }

  #show(asked: readonly AskedNode[]): void {
    const leaders = shardsOf(asked).map((shard) => leaderOf(asked, shard));
    const serving = leaders.length > 0 && leaders.every((leader) => leader?.shard.serving === true);
    if (!this.#ready && serving && asked.every(({ status }) => status !== null && !isStarting(status))) {
      this.#ready = true;
      const nodes = [...new Set(leaders.flatMap((leader) => leader?.node.node ?? []))].sort();
      this.#screen.print(this.#welcome(leaders.length, nodes));
    }
    if (!this.#ready) return;
    this.#screen.live(this.#liveLines(asked), this.#summary(asked));
  }

  #welcome(shards: number, leaders: readonly string[]): string {
    const { nodes, dir } = this.#plan;
    const [first] = nodes as [PlannedNode];
    const port = portOf(first.client);
    const seconds = ((Date.now() - this.#beganMs) / 1000).toFixed(1);
    const led = shards === 1 ? `${leaders.join()} leads` : `${shards} shards, led by ${leaders.join(', ')}`;
    return `Ready after ${seconds} s. ${led}.

  redis-cli     redis-cli -c -p ${port}
  ioredis       new Redis.Cluster([{ host: '127.0.0.1', port: ${port} }])
  status        npx bellwether status --watch
  metrics       http://${first.admin}/metrics
  data          ${dir}

Ctrl-C stops the cluster; the data stays.
`;
  }

  #liveLines(asked: readonly AskedNode[]): string[] {
    const rows = asked.map(({ name, status }) => {
      const planned = this.#plan.nodes.find(({ id }) => id === name) as PlannedNode;
      if (status === null || isStarting(status)) return [name, planned.client, this.#cluster.stateOf(name)];
      return [
        name,
        planned.client,
        rolesOf(status),
        `LSN ${status.shards.reduce((sum, { lastLsn }) => sum + lastLsn, 0)}`,
        followingOf(asked, status),
        `${status.clients.connected} clients`,
        `${Math.round(status.process.commandsPerSecond)} commands/s`,
      ];
    });
    return [headline(asked), ...table(rows)];
  }

  /** What is worth a line where no terminal can be drawn on. */
  #summary(asked: readonly AskedNode[]): string {
    const down = asked.filter(({ status }) => status === null).map(({ name }) => name);
    const head = leadersLine(asked);
    return down.length === 0 ? head : `${head}; down: ${down.join(', ')}`;
  }
}
