import { expect, it } from 'vitest';
import { functionOf, roomOf, selfAllocations, selfTimes, shareRows } from './profiles.ts';

const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 4 });
const parse = frame('parse', 'file:///x/dist/resp/parser.js');
const write = frame('writev', 'node:fs');
const idle = frame('(idle)', '');
const collector = frame('(garbage collector)', '');

it('rooms', () => {
  expect(roomOf(parse)).toBe('resp');
  expect(roomOf(frame('main', 'file:///x/dist/main.js'))).toBe('src');
  expect(roomOf(write)).toBe('node');
  expect(roomOf(frame('log', 'file:///x/node_modules/pino/lib/tools.js'))).toBe('pino');
  expect(roomOf(frame('log', 'file:///x/node_modules/@scope/name/dist/tools.js'))).toBe('@scope/name');
  expect(roomOf(collector)).toBe('(garbage collector)');
  expect(roomOf(frame('memcpy', ''))).toBe('(native)');
  expect(functionOf(parse, null)).toBe('resp: parse (parser.js)');
  expect(functionOf(frame('', 'file:///x/dist/resp/parser.js'), null)).toContain('line 5');
});

it('a sample stands for the time up to the next, and idle time is none', () => {
  const profile = {
    nodes: [parse, idle, collector].map((callFrame, i) => ({ id: i + 1, callFrame })),
    samples: [1, 2, 1, 3],
    timeDeltas: [0, 100, 9000, 50, 7],
  };
  const times = selfTimes(profile, roomOf);
  expect([...times]).toEqual([
    ['resp', 150],
    ['(garbage collector)', 7],
  ]);
  expect(shareRows(times, 1, (value) => String(value))).toEqual([['resp', '150', '95.5 %']]);
});

it('allocations of a tree', () => {
  const leaf = { callFrame: parse, selfSize: 30, children: [] };
  const profile = {
    head: {
      callFrame: frame('(root)', ''),
      selfSize: 0,
      children: [{ callFrame: write, selfSize: 12, children: [leaf] }, leaf],
    },
  };
  expect(new Map(selfAllocations(profile, roomOf))).toEqual(
    new Map([
      ['resp', 60],
      ['node', 12],
    ]),
  );
});

it('what is not ours is told apart by which of our functions called it', () => {
  const native = frame('writeBuffer', '');
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)', ''), children: [2, 5] },
      { id: 2, callFrame: parse, children: [3] },
      { id: 3, callFrame: write, children: [4] },
      { id: 4, callFrame: native },
      { id: 5, callFrame: native },
    ],
    samples: [4, 5, 3],
    timeDeltas: [0, 10, 20, 30],
  };
  expect([...selfTimes(profile, functionOf)]).toEqual([
    ['writeBuffer ← resp: parse (parser.js)', 10],
    ['writeBuffer', 20],
    ['node: writev (node:fs) ← resp: parse (parser.js)', 30],
  ]);
});
