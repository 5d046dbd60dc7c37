// The rooms of the house and what each may import besides itself. Tests beside the sources are exempt.
const rooms = {
  env: [],
  bytes: [],
  core: [],
  log: ['env', 'bytes'],
  state: ['env', 'bytes'],
  resp: ['bytes'],
  commands: ['state', 'resp', 'env', 'bytes'],
  peer: ['core', 'env', 'bytes', 'log/batch.ts'],
  shard: ['core', 'log', 'state', 'commands', 'resp', 'peer/types.ts', 'env', 'bytes'],
  cluster: ['shard', 'core', 'log', 'state', 'commands', 'peer/types.ts', 'env', 'bytes'],
  server: ['shard', 'resp', 'commands', 'cluster', 'env', 'bytes'],
  node: ['env', 'bytes', 'core', 'log', 'state', 'resp', 'commands', 'peer', 'shard', 'cluster', 'server'],
  // `verify` judges real processes with the same checkers as the simulator, and draws faults from the same generator.
  cli: [
    ...['node', 'core', 'log', 'state', 'shard/ack-policy.ts', 'env', 'server', 'resp', 'bytes'],
    ...['cluster/balance.ts', 'cluster/balance-slots.ts', 'cluster/metadata.ts', 'cluster/metadata-file.ts'],
    ...['sim/history.ts', 'sim/linearizability.ts', 'sim/acknowledged-writes.ts', 'sim/seeded-random.ts'],
  ],
  sim: ['env', 'bytes', 'core', 'log', 'state', 'resp', 'commands', 'peer', 'shard', 'cluster'],
};
const pure = ['log', 'state', 'shard', 'cluster', 'commands', 'bytes', 'resp', 'sim'];
const test = '(\\.test|-test-kit)\\.ts$';

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: { pathNot: 'node_modules' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `room-${room}`,
      severity: 'error',
      from: { path: `^src/${room}/`, pathNot: test },
      to: {
        path: '^src/',
        pathNot: [room, ...allowed]
          .map((name) => `^src/${name}`)
          .concat(room === 'core' ? [] : ['^src/errors\\.ts$', '^src/version\\.ts$']),
      },
    })),
    {
      name: 'core-is-pure',
      severity: 'error',
      from: { path: '^src/core/', pathNot: test },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'no-io-in-the-rooms-that-are-simulated',
      severity: 'error',
      from: { path: `^src/(${pure.join('|')})/`, pathNot: test },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(zlib|buffer|crypto)$' },
    },
    {
      name: 'no-barrels',
      severity: 'error',
      comment: 'Rooms are imported file by file; src/index.ts is the only index.',
      from: {},
      to: { path: '^src/.+/index\\.ts$' },
    },
    {
      name: 'nobody-imports-the-command-line',
      severity: 'error',
      from: { pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
