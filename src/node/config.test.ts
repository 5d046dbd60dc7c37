import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { BellwetherError } from '../errors.ts';
import { loadConfig } from './config.ts';
import { errorsPage } from './error-docs.ts';
import { configurationPage, optionHelp } from './option-docs.ts';
import { formatOption, parseOption } from './option-values.ts';
import { environmentName, isOptionName, optionNames, optionTable } from './options.ts';

const directory = mkdtempSync(join(tmpdir(), 'bellwether-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

const node = { id: 'n1', dir: 'data' };

function file(text: string): string {
  const path = join(directory, 'bellwether.toml');
  writeFileSync(path, text);
  return path;
}

/** The message of the error that loading gives. */
function problem(flags: Parameters<typeof loadConfig>[0], environment: NodeJS.ProcessEnv = {}): string {
  try {
    loadConfig({ ...node, ...flags }, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(BellwetherError);
    expect((error as BellwetherError).code).toBe('BW_CONFIG_INVALID');
    return (error as Error).message;
  }
  throw new Error('this configuration was taken');
}

describe('where options come from', () => {
  it('takes defaults', () => {
    const config = loadConfig(node, {});
    expect(config['ack-timeout']).toBe(5000);
    expect(config['segment-bytes']).toBe(64 << 20);
    expect(config['election-timeout']).toEqual({ min: 300, max: 600 });
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 7001 });
    expect(config.announce).toBeNull();
    expect(config.ackPolicy).toEqual({ who: 'majority', stage: 'flushed', timeoutMs: 5000 });
    expect(config.warnings).toEqual([]);
  });

  it('prefers flag to environment to file to default', () => {
    const config = file(
      'ack-timeout = "1s"\nheartbeat = 20\nlease = "120ms"\ncluster = "c1"\nleases = false\n',
    );
    const environment = { BELLWETHER_ACK_TIMEOUT: '2s', BELLWETHER_HEARTBEAT: '30ms', BELLWETHER_ACK: '' };
    const loaded = loadConfig({ ...node, config, 'ack-timeout': '3s' }, environment);
    expect(loaded['ack-timeout']).toBe(3000);
    expect(loaded.heartbeat).toBe(30);
    expect(loaded.lease).toBe(120);
    expect(loaded.cluster).toBe('c1');
    expect(loaded.leases).toBe(false);
    expect(loaded.ack).toBe('majority');
  });

  it('finds the file through the environment', () => {
    const config = file('priority = 7');
    expect(loadConfig(node, { BELLWETHER_CONFIG: config }).priority).toBe(7);
  });

  it.each([
    '[peers]\nn1 = "a:1"\nn2 = "[::1]:2"',
    'peers = ["n1=a:1", "n2=[::1]:2"]',
    'peers = "n1=a:1, n2=[::1]:2"',
  ])('reads peers from %j', (text) => {
    expect(loadConfig({ ...node, config: file(text) }, {}).peers).toEqual([
      { node: 'n1', host: 'a', port: 1 },
      { node: 'n2', host: '::1', port: 2 },
    ]);
  });

  it('reads secrets from files', () => {
    const path = join(directory, 'secret');
    writeFileSync(path, 'hush\nmore\n');
    const loaded = loadConfig({ ...node, 'secret-file': path, 'password-file': path }, {});
    expect([loaded.secret, loaded.password]).toEqual(['hush', 'hush']);
    expect(problem({ 'secret-file': path, secret: 'x' })).toContain(
      'both --secret and --secret-file are given',
    );
    expect(problem({ 'password-file': join(directory, 'absent') })).toContain('cannot be read');
  });

  it('names variables that look like options and are none', () => {
    expect(loadConfig(node, { BELLWETHER_ACK_TIMOUT: '1s' }).warnings).toEqual([
      'the environment variable BELLWETHER_ACK_TIMOUT is no option; did you mean BELLWETHER_ACK_TIMEOUT?',
    ]);
  });
});

describe('what is wrong', () => {
  it('names option, source and expected form', () => {
    expect(problem({ 'ack-timeout': 'soon' })).toBe(
      "BW_CONFIG_INVALID: --ack-timeout is 'soon', but expected is a time such as 500ms, 2s or 12h. --ack-timeout: After this a waiting write is answered with an error that says its outcome is unknown; 0: never.",
    );
    expect(problem({}, { BELLWETHER_SEGMENT_BYTES: '64 apples' })).toContain(
      "BELLWETHER_SEGMENT_BYTES is '64 apples', but expected is a size such as 64mb or 1gb",
    );
    const config = file('listen = "here"');
    expect(problem({ config })).toContain(`listen in ${config} is 'here', but expected is host:port`);
    expect(problem({ priority: '1001' })).toContain('expected is a value from 0 to 1000');
    expect(problem({ 'segment-bytes': '1mb' })).toContain('expected is a value from 4mb to 1gb');
    expect(problem({ 'ack-stage': 'written' })).toContain('expected is one of received, flushed, applied');
    expect(problem({ 'election-timeout': '600ms..300ms' })).toContain('the second greater');
    expect(problem({ 'election-timeout': '5ms..300ms' })).toContain('expected is a value from 10ms');
    expect(problem({ timeout: '1500ms' })).toContain('whole seconds');
  });

  it('does not show a secret', () => {
    expect(parseOption('secret', 'hush')).toEqual({ value: 'hush' });
    expect(problem({ 'peer-listen': '10.0.0.1:1', secret: '' })).toContain('--secret');
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'an unknown name in the file',
      { config: 'lisen = "a:1"' },
      "sets 'lisen', which is no option. Did you mean 'listen'?",
    ],
    ['a table where none belongs', { config: '[listen]\nhost = "a"' }, 'is no plain value'],
    ['a file that is not TOML', { config: 'listen: a' }, 'cannot be read'],
    ['no usable id', { id: 'a/b' }, "the id 'a/b' is not usable"],
    ['an unknown ack', { ack: 'most' }, "--ack is 'most'"],
    ['more copies than nodes', { ack: '3' }, '--ack asks for 3 copies of 1'],
    ['more in-sync nodes than nodes', { 'min-in-sync': '2' }, '--min-in-sync is 2'],
    ['a lease beyond the refusal', { lease: '200ms' }, '--lease is not below --vote-refusal'],
    ['a refusal beyond the election', { 'vote-refusal': '300ms' }, '--vote-refusal is not below'],
    ['a slow heartbeat', { heartbeat: '151ms' }, '--heartbeat is more than half'],
    [
      'requests larger than segments',
      { 'max-request-bytes': '17mb' },
      'more than a quarter of --segment-bytes (64mb)',
    ],
    ['two listeners on one port', { 'peer-listen': '127.0.0.1:7001' }, 'are the same address'],
    ['a peer twice', { peers: 'n1=a:1,n1=a:2' }, 'names n1 twice'],
    ['a peer without port', { peers: 'n1=a' }, "holds 'n1=a'"],
    ['an open client port', { listen: '10.0.0.1:7001' }, 'there is no --password'],
    ['an open admin port', { 'admin-listen': '10.0.0.1:7201' }, 'there is no --password'],
    ['an open peer port', { 'peer-listen': '10.0.0.1:7101' }, 'there is no --secret'],
    ['an address that says nothing', { listen: '0.0.0.0:7001', password: 'x' }, 'Say with --announce'],
  ])('refuses %s', (_what, flags, message) => {
    const { config, ...others } = flags;
    expect(problem(config === undefined ? others : { ...others, config: file(config) })).toContain(message);
  });

  it('asks for what a node cannot do without', () => {
    expect(() => loadConfig({ id: 'n1' }, {})).toThrow('no --dir was given');
    expect(() => loadConfig({ dir: 'd' }, {})).toThrow('no --id was given');
  });

  it('fits requests into small segments unless told otherwise', () => {
    expect(loadConfig({ ...node, 'segment-bytes': '8mb' }, {})['max-request-bytes']).toBe(2 << 20);
  });

  it('lets protection be switched off', () => {
    const open = { ...node, listen: '10.0.0.1:7001', 'protected-mode': 'off' };
    expect(loadConfig(open, {}).listen.host).toBe('10.0.0.1');
  });
});

describe('values', () => {
  it('reads what it writes', () => {
    const kinds = [
      ['segment-bytes', fc.integer({ min: 4 << 20, max: 1 << 30 })],
      ['retention-time', fc.nat()],
      ['timeout', fc.nat()],
      ['leases', fc.boolean()],
      ['priority', fc.integer({ min: 0, max: 1000 })],
    ] as const;
    for (const [name, values] of kinds) {
      fc.assert(
        fc.property(values as fc.Arbitrary<number | boolean>, (value) => {
          expect(parseOption(name, formatOption(name, value))).toEqual({ value });
        }),
      );
    }
    for (const name of optionNames) {
      const text = optionTable[name].default;
      if (text === null) continue;
      const read = parseOption(name, text);
      if (!('value' in read)) throw new Error(`the default of ${name} cannot be read`);
      expect(parseOption(name, formatOption(name, read.value))).toEqual(read);
    }
  });

  it('takes units', () => {
    const cases = [
      ['segment-bytes', '64MB', 64 << 20],
      ['retention-bytes', '1.5gb', 1.5 * 2 ** 30],
      ['retention-time', '12h', 12 * 3_600_000],
      ['retention-time', '7d', 7 * 86_400_000],
      ['retention-time', '250', 250],
      ['timeout', '5min', 300],
      ['timeout', '30', 30],
    ] as const;
    for (const [name, text, value] of cases) expect(parseOption(name, text)).toEqual({ value });
    for (const text of ['', '-1', '1e3', '0x10', '12 parsecs', '1mb2', '999999999999gb'])
      expect(parseOption('segment-bytes', text)).toHaveProperty('problem');
  });
});

describe('documents', () => {
  it('docs/configuration.md is up to date (npm run docs:configuration)', () => {
    expect(readFileSync('docs/configuration.md', 'utf8')).toBe(configurationPage());
  });

  it('docs/errors.md is up to date (npm run docs errors)', () => {
    expect(readFileSync('docs/errors.md', 'utf8')).toBe(errorsPage());
  });

  it('helps with every option that was not left out', () => {
    const help = optionHelp(['config']);
    for (const name of optionNames) expect(help.includes(`  --${name} <`)).toBe(name !== 'config');
    expect(isOptionName('toString')).toBe(false);
    expect(environmentName('ack-timeout')).toBe('BELLWETHER_ACK_TIMEOUT');
  });
});
