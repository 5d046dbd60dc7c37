import type { Row } from './system.ts';

const everyone = ['bellwether', 'redis', 'valkey', 'etcd', 'postgresql', 'sketch', 'responder'];
const respOnly = ['bellwether', 'redis', 'valkey', 'sketch', 'responder'];

function row(
  name: string,
  kind: Row['kind'],
  connections: number,
  pipeline: number,
  systems: readonly string[],
  aim: string,
): Row {
  const what = {
    set: 'SET',
    get: 'GET, linearizable',
    mixed: '80 % GET and 20 % SET at half load, open loop',
  }[kind];
  const load = `${connections} connection${connections === 1 ? '' : 's'}${pipeline === 1 ? '' : ` × ${pipeline} pipelined`}`;
  return { name, title: `${what}, ${load}`, kind, connections, pipeline, valueBytes: 100, systems, aim };
}

/** The loads under which systems are compared, 100-byte values each. */
export const rows: readonly Row[] = [
  row('c1', 'set', 1, 1, everyone, '1.5× the best of Redis, etcd and PostgreSQL; 1.2× at least'),
  row('c50', 'set', 50, 1, everyone, '2× Redis with WAIT 1; 1.5× at least'),
  row('c200', 'set', 200, 1, everyone, '2× Redis with WAIT 1; 1.5× at least'),
  row('c50x16', 'set', 50, 16, everyone, '2× Redis with WAIT 1 per batch; 1.5× at least'),
  row('c50x64', 'set', 50, 64, respOnly, '130,000 writes/s; 100,000 at least'),
  row('get50', 'get', 50, 1, respOnly, '1× Redis; 0.7× at least'),
  row('get50x16', 'get', 50, 16, respOnly, '1.2× Redis; 0.9× at least'),
  row(
    'mixed',
    'mixed',
    50,
    1,
    ['bellwether', 'redis', 'valkey'],
    'half the p99 of Redis with WAIT 1; equal at least',
  ),
  row(
    'c500',
    'set',
    500,
    1,
    ['bellwether', 'redis', 'responder'],
    'less processor time per write than with 50 connections',
  ),
  row(
    'c1000',
    'set',
    1000,
    1,
    ['bellwether', 'redis', 'responder'],
    'less processor time per write than with 50 connections',
  ),
];
