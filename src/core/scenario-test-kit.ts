import { isVoter } from './membership.ts';
import type { CoreOptions } from './options.ts';
import { defaultCoreOptions } from './options.ts';
import { noop } from './scenario-log-test-kit.ts';
import type { ScenarioNode } from './scenario-node-test-kit.ts';
import { ScenarioCluster } from './scenario-world-test-kit.ts';
import type { Membership, Message, NodeId } from './types.ts';

type Command = (script: Script, args: readonly string[]) => void;

/** Runs a scenario and answers its trace. Throws with the line's number where a line cannot be run or does not hold. */
export function runScenario(text: string): string {
  const script = new Script();
  const trace: string[] = [];
  text.split('\n').forEach((whole, index) => {
    const line = (whole.split('#')[0] as string).trim().replaceAll(/\s+/g, ' ');
    if (line === '') return;
    trace.push(`> ${line}`);
    try {
      script.run(line);
    } catch (error) {
      const sofar = [...trace, ...script.takeTrace()].slice(-40).join('\n');
      throw new Error(`line ${index + 1}, '${line}': ${(error as Error).message}\n${sofar}`, {
        cause: error,
      });
    }
    trace.push(...script.takeTrace());
  });
  return `${trace.join('\n')}\n`;
}

class Script {
  readonly #options = new Map<NodeId | 'all', Partial<CoreOptions>>();
  #cluster: ScenarioCluster | null = null;

  get cluster(): ScenarioCluster {
    if (this.#cluster === null) throw new Error('a scenario begins with: cluster N');
    return this.#cluster;
  }

  node(id: string | undefined): ScenarioNode {
    return this.cluster.node(id);
  }

  run(line: string): void {
    const words = line.split(' ');
    const two = words.slice(0, 2).join(' ');
    const pair = commands[two];
    const command = pair ?? commands[words[0] as string];
    if (command === undefined) throw new Error('there is no such command');
    command(this, words.slice(pair === undefined ? 1 : 2));
    this.#cluster?.checkLogs();
  }

  takeTrace(): string[] {
    return this.#cluster?.takeTrace() ?? [];
  }

  /** `option inflightBytes 200`, `option priority 200 for 2` */
  setOption([name, value, , node]: readonly string[]): void {
    if (this.#cluster !== null) throw new Error('options come before the cluster');
    if (name === undefined || !(name in defaultCoreOptions)) throw new Error(`there is no option ${name}`);
    const key = node ?? 'all';
    const parsed = value === 'true' || value === 'false' ? value === 'true' : Number(value);
    this.#options.set(key, { ...this.#options.get(key), [name]: parsed });
  }

  /** `cluster 3`, `cluster 3 learner 4`, `cluster 3 spare 4`, `cluster 3 new`, `cluster 3 led by 1` */
  begin([count, ...rest]: readonly string[]): void {
    const ledAt = rest.indexOf('led');
    const leader = ledAt < 0 ? null : rest.splice(ledAt, 3)[2];
    const voters = Array.from({ length: Number(count) }, (_, index) => `${index + 1}`);
    const learners: string[] = [];
    const spares: string[] = [];
    const fresh = rest[0] === 'new';
    for (let at = fresh ? 1 : 0; at < rest.length; at += 2) {
      const list = rest[at] === 'learner' ? learners : spares;
      list.push(rest[at + 1] as string);
    }
    this.#cluster = new ScenarioCluster({ voters, learners });
    for (const id of [...voters, ...learners, ...spares])
      this.#cluster.add(id, { ...this.#options.get('all'), ...this.#options.get(id) }, fresh);
    if (leader === null) return;
    elect(this, leader);
    this.#cluster.settle();
    this.takeTrace();
    this.#cluster.say(`${leader} leads term 1, and its first entry is committed everywhere`);
  }
}

function milliseconds(text: string | undefined): number {
  const match = /^(\d+)(ms|s)$/.exec(text ?? '');
  if (match === null) throw new Error(`${text} is no time: write 300ms or 2s`);
  return Number(match[1]) * (match[2] === 's' ? 1000 : 1);
}

/** `member` proposes whatever the core lets pass, `change` only what a leader's driver would. */
function memberChange(script: Script, args: readonly string[], how: 'asked' | 'forced'): void {
  const [leader, verb, id] = args as [string, string, string];
  const node = script.node(leader);
  const { voters, learners } = node.core.membership;
  const without = (list: readonly NodeId[]): NodeId[] => list.filter((member) => member !== id);
  const changed: Record<string, Membership> = {
    'add-learner': { voters, learners: [...without(learners), id] },
    'add-voter': { voters: [...without(voters), id], learners: without(learners) },
    demote: { voters: without(voters), learners: [...without(learners), id] },
    remove: { voters: without(voters), learners: without(learners) },
  };
  const membership = changed[verb];
  if (membership === undefined) throw new Error('add-learner, add-voter, demote or remove');
  node.changeMembership(membership, `${verb}:${id}`, how);
}

function campaign(node: ScenarioNode): void {
  node.input((core, now) => {
    if (core.campaign !== null) core.campaign.retryMs = now;
    core.following.electionDueMs = now;
    core.tick(now);
  });
}

/** Refusal windows end, the node's election timer too, and it leads within two seconds. */
function elect(script: Script, id: string | undefined): void {
  const node = script.node(id);
  node.core.following.electionDueMs = script.cluster.nowMs + node.core.options.voteRefusalMs + 10;
  if (!script.cluster.pass(2000, () => node.core.hasOwnCommit)) throw new Error(`${id} does not lead`);
}

function links(script: Script, args: readonly string[]): [NodeId, NodeId][] {
  const groups: NodeId[][] = [[]];
  for (const word of args) {
    if (word === '|') groups.push([]);
    else (groups.at(-1) as NodeId[]).push(script.node(word).id);
  }
  const all: [NodeId, NodeId][] = [];
  for (const group of groups)
    for (const other of groups)
      if (group !== other) for (const a of group) for (const b of other) all.push([a, b]);
  return all;
}

function describeQueued(message: Message): string {
  switch (message.kind) {
    case 'append': {
      const last = message.batches.at(-1)?.lastLsn ?? message.previous.lsn;
      const what = message.batches.length === 0 ? 'nothing' : `${message.batches[0]?.firstLsn}..${last}`;
      return `append of ${what} behind ${message.previous.lsn} of term ${message.previous.term}, commit ${message.commit}`;
    }
    case 'appendAck':
      if (message.refused !== undefined) return `refusal of ${message.refused.previous.lsn}`;
      return `acknowledgement: received ${message.received}, flushed ${message.flushed}`;
    case 'heartbeat':
      return `heartbeat, commit ${message.commit}`;
    case 'heartbeatAck':
      return `answer to a heartbeat: received ${message.received}, flushed ${message.flushed}`;
    default:
      return `${message.kind} of term ${message.term}`;
  }
}

function showProgress(script: Script, [id, of]: readonly string[]): void {
  const progress = script.node(id).core.leadership?.followers.get(of ?? '');
  if (progress === undefined) throw new Error(`${id} keeps no progress of ${of}`);
  const { state, received, flushed, next, inflightBytes } = progress;
  script.cluster.say(
    `${id} sees ${of}: ${state}, received ${received}, flushed ${flushed}, next ${next}, ${inflightBytes} bytes under way`,
  );
}

function each(script: Script, id: string | undefined): ScenarioNode[] {
  return id === 'all' ? [...script.cluster.nodes.values()].filter((node) => node.running) : [script.node(id)];
}

const commands: Readonly<Record<string, Command>> = {
  option: (script, args) => script.setOption(args),
  cluster: (script, args) => script.begin(args),

  // Elections and leaders.
  elect: (script, [id]) => elect(script, id),
  campaign: (script, [id]) => campaign(script.node(id)),
  write: (script, [id, ...texts]) => script.node(id).execute(texts),
  member: (script, args) => memberChange(script, args, 'forced'),
  change: (script, args) => memberChange(script, args, 'asked'),
  notice: (script, [id, other]) => script.node(id).notify(script.node(other).id),
  handover: (script, [id, target, how]) => script.node(id).handOver(script.node(target).id, how === 'kept'),
  'wants leadership': (script, [id]) => script.node(id).input((core) => core.askForLeadership()),
  drain: (script, [id]) => {
    script.node(id).core.draining = true;
  },
  read: (script, [id, ...how]) => script.node(id).askRead(how.join(' ') === 'by lease'),
  gone: (script, [id]) => {
    for (const node of script.cluster.nodes.values())
      if (node.running && node.id !== id) node.input((core, now) => core.peerGone(id as string, now));
  },
  'want received': (script, [id]) => {
    script.node(id).core.wantReceived = true;
  },
  fresh: (script, [id]) => script.node(id).input((core) => core.confirmFresh()),

  // Links.
  deliver: (script, [from, to, count]) => {
    if (from === 'all') script.cluster.deliverAll();
    else
      for (let n = 0; n < Number(count ?? 1); n++)
        script.cluster.deliver(script.node(from).id, script.node(to).id);
  },
  drop: (script, [from, to]) => {
    script.cluster.queue(script.node(from).id, script.node(to).id).length = 0;
  },
  reverse: (script, [from, to]) => void script.cluster.queue(from as string, to as string).reverse(),
  keep: (script, [from, to, , name]) => script.cluster.keep(from as string, to as string, name as string),
  replay: (script, [name]) => script.cluster.replay(name as string),
  queued: (script, [from, to]) => {
    for (const message of script.cluster.queue(from as string, to as string))
      script.cluster.say(describeQueued(message));
  },
  hold: (script, [from, to]) => script.cluster.hold(script.node(from).id, script.node(to).id, true),
  release: (script, [from, to]) => script.cluster.hold(script.node(from).id, script.node(to).id, false),
  partition: (script, args) => {
    for (const [a, b] of links(script, args)) script.cluster.cut(a, b);
  },
  cut: (script, [from, to]) => script.cluster.cut(script.node(from).id, script.node(to).id),
  heal: (script) => script.cluster.heal(),
  reconnect: (script, [a, b]) => script.cluster.reconnect(script.node(a).id, script.node(b).id),

  // Time.
  wait: (script, [time]) => void script.cluster.pass(milliseconds(time), () => false),
  settle: (script) => script.cluster.settle(),

  // Processes and disks.
  crash: (script, [id]) => script.cluster.crash(script.node(id).id),
  start: (script, [id]) => script.cluster.start(script.node(id).id),
  restart: (script, [id]) => {
    script.cluster.crash(script.node(id).id);
    script.cluster.start(script.node(id).id);
  },
  pause: (script, [id]) => {
    script.node(id).paused = true;
  },
  resume: (script, [id]) => {
    script.node(id).paused = false;
  },
  'lose disk': (script, [id]) => script.cluster.loseDisk(script.node(id).id),
  damage: (script, [id, , lsn]) => script.node(id).damage(Number(lsn)),
  rot: (script, [id, lsn]) => {
    script.node(id).rotten = Number(lsn);
  },
  'hold flush': (script, [id]) => {
    script.node(id).holdsFlush = true;
  },
  'release flush': (script, [id]) => {
    const node = script.node(id);
    node.holdsFlush = false;
    node.endTurn();
  },
  flush: (script, [id, count]) => {
    const node = script.node(id);
    if (node.writes.length === 0) throw new Error('nothing waits for the disk');
    node.flush(Number(count ?? node.writes.length));
  },
  'stall disk': (script, [id]) => script.node(id).input((core, now) => core.diskStalled(true, now)),
  'repair disk': (script, [id]) => script.node(id).input((core, now) => core.diskStalled(false, now)),
  checkpoint: (script, [id]) => script.node(id).cutCheckpoint(),
  compact: (script, [id, how]) => script.node(id).compact(how === 'regardless'),
  'hold snapshot': (script, [id]) => {
    script.node(id).holdsSnapshot = true;
  },
  'release snapshot': (script, [id]) => {
    const node = script.node(id);
    node.holdsSnapshot = false;
    node.endTurn();
  },

  // Looking.
  log: (script, [id]) => {
    for (const node of each(script, id)) script.cluster.say(`${node.id} has ${node.log.describe()}`);
  },
  progress: showProgress,
  lease: (script, [id]) => {
    const { core } = script.node(id);
    const until = core.leadership?.leaseUntilMs(core.membership, script.cluster.nowMs) ?? 0;
    const left = until - script.cluster.nowMs;
    script.cluster.say(left > 0 ? `${id} has a lease for ${left} ms` : `${id} has no lease`);
  },

  vouched: (script, [id]) => {
    const { vouched } = script.node(id);
    if (vouched === null) script.cluster.say(`nobody vouched for anything to ${id}`);
    else
      script.cluster.say(
        `${id} was told: what was committed ${script.cluster.nowMs - vouched.atMs} ms ago ends at ${vouched.commit}`,
      );
  },

  // What must hold.
  'expect leader': (script, [id, , term]) => {
    const { core } = script.node(id);
    is(core.role, 'leader');
    if (term !== undefined) is(core.term, Number(term));
    is([...script.cluster.nodes.values()].filter((node) => leads(node, core.term)).length, 1);
  },
  'expect no': (script, [what, id]) => {
    if (what === 'leader') is([...script.cluster.nodes.values()].filter((node) => leads(node, 0)).length, 0);
    else if (what === 'doubt') is(script.node(id).core.doubt, null);
    else if (what === 'vote') is(script.node(id).core.vote, null);
    else throw new Error('expect no leader, doubt or vote');
  },
  'expect role': (script, [id, role]) => is(script.node(id).core.role, role),
  'expect term': (script, [id, term]) => {
    for (const node of each(script, id)) is(node.core.term, Number(term));
  },
  'expect vote': (script, [id, vote]) => is(script.node(id).core.vote, vote),
  'expect voter': (script, [id, other]) =>
    is(isVoter(script.node(id).core.membership, other as string), true),
  'expect commit': (script, [id, lsn]) => {
    for (const node of each(script, id)) is(node.core.commit, Number(lsn));
  },
  'expect flushed': (script, [id, lsn]) => {
    for (const node of each(script, id)) is(node.core.flushed, Number(lsn));
  },
  'expect log': (script, [id, ...rest]) => {
    if (rest[0] === '=') {
      const others = rest.filter((word) => word !== '=' && word !== 'log');
      for (const other of others) is(script.node(other).log.describe(), script.node(id).log.describe());
      return;
    }
    for (const { log } of each(script, id))
      is(
        log
          .texts(log.base.lsn + 1, log.lastLsn)
          .filter((text) => text !== noop)
          .join(' '),
        rest.join(' '),
      );
  },
};

function leads({ running, core }: ScenarioNode, fromTerm: number): boolean {
  return running && core.leadership !== null && core.term >= fromTerm;
}

function is(found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`it is ${JSON.stringify(found)}`);
}
