/** The parts of a `.cpuprofile` of V8 that are used here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The parts of a `.heapprofile` of V8 that are used here. */
export interface AllocationProfile {
  readonly head: AllocationNode;
}

interface AllocationNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly AllocationNode[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** How much of something went to each name: microseconds, or bytes. */
export type Shares = ReadonlyMap<string, number>;

const ownSource = /\/dist\/(?:([^/]+)\/)?[^/]+\.js$/;

function isOwn({ url }: CallFrame): boolean {
  return ownSource.test(url) && !url.includes('/node_modules/');
}

/** The room that a source belongs to: a directory below `dist`, a package, Node.js itself, or what V8 names itself. */
export function roomOf(frame: CallFrame): string {
  const { url, functionName } = frame;
  if (isOwn(frame)) return ownSource.exec(url)?.[1] ?? 'src';
  const packages = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  if (packages !== null) return packages[1] as string;
  if (url.startsWith('node:')) return 'node';
  if (url.includes('/bench/')) return 'probe';
  return functionName.startsWith('(') ? functionName : '(native)';
}

/** Room, function and file, so that one can find it; for what is not ours, also which of our functions called it. */
export function functionOf(frame: CallFrame, caller: CallFrame | null): string {
  const { url, functionName, lineNumber } = frame;
  const name = functionName === '' ? `(anonymous, line ${lineNumber + 1})` : functionName;
  const from = caller === null ? '' : ` ← ${functionOf(caller, null)}`;
  if (url === '') return `${name}${from}`;
  const file = url.startsWith('node:') ? url : url.slice(url.lastIndexOf('/') + 1);
  return `${roomOf(frame)}: ${name} (${file})${from}`;
}

/** Names what a share is counted for. `caller` is the nearest function of ours above a frame that is not ours. */
type Naming = (frame: CallFrame, caller: CallFrame | null) => string;

function add(to: Map<string, number>, key: string, value: number): void {
  to.set(key, (to.get(key) ?? 0) + value);
}

/** Self time in microseconds by what `by` names. Idle time is no time. */
export function selfTimes(profile: CpuProfile, by: Naming): Shares {
  const frames = new Map(profile.nodes.map((node) => [node.id, node]));
  const names = new Map<number, string>();
  const name = (id: number, caller: CallFrame | null): void => {
    const node = frames.get(id);
    if (node === undefined) return;
    const own = isOwn(node.callFrame);
    names.set(id, by(node.callFrame, own ? null : caller));
    for (const child of node.children ?? []) name(child, own ? node.callFrame : caller);
  };
  for (const { id } of profile.nodes) if (!names.has(id)) name(id, null);
  const times = new Map<string, number>();
  profile.samples.forEach((id, i) => {
    const frame = frames.get(id)?.callFrame;
    if (frame === undefined || frame.functionName === '(idle)') return;
    // A sample stands for the time up to the next one.
    add(times, names.get(id) as string, profile.timeDeltas[i + 1] ?? 0);
  });
  return times;
}

/** Bytes allocated by what `by` names. */
export function selfAllocations(profile: AllocationProfile, by: Naming): Shares {
  const bytes = new Map<string, number>();
  const visit = ({ callFrame, selfSize, children }: AllocationNode, caller: CallFrame | null): void => {
    const own = isOwn(callFrame);
    if (selfSize > 0) add(bytes, by(callFrame, own ? null : caller), selfSize);
    for (const child of children) visit(child, own ? callFrame : caller);
  };
  visit(profile.head, null);
  return bytes;
}

/** The greatest, with their share of all, as cells. */
export function shareRows(
  shares: Shares,
  count: number,
  format: (value: number) => string,
): [name: string, value: string, share: string][] {
  const total = [...shares.values()].reduce((sum, value) => sum + value, 0);
  return [...shares]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, value]) => [name, format(value), `${((value / total) * 100).toFixed(1)} %`]);
}
