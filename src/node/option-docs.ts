import type { OptionName, OptionSpec } from './options.ts';
import { environmentName, optionForm, optionGroups, optionNames, optionTable } from './options.ts';

const flagColumn = 38;

/** Help for the command line: flags by group, `omit` left out. */
export function optionHelp(omit: readonly OptionName[] = []): string {
  const parts: string[] = [];
  for (const group of optionGroups) {
    const lines = optionNames
      .filter((name) => optionTable[name].group === group && !omit.includes(name))
      .map((name) => helpLine(name));
    if (lines.length > 0) parts.push(`${group}:\n${lines.join('\n')}`);
  }
  return parts.join('\n\n');
}

function helpLine(name: OptionName): string {
  const spec: OptionSpec = optionTable[name];
  const flag = `  --${name} <${optionForm(spec)}>`;
  const fallback = spec.default === null || spec.default === '' ? '' : ` (default ${spec.default})`;
  const gap =
    flag.length >= flagColumn ? `\n${' '.repeat(flagColumn)}` : ' '.repeat(flagColumn - flag.length);
  return `${flag}${gap}${spec.help}${fallback}`;
}

function row(name: OptionName): string {
  const spec: OptionSpec = optionTable[name];
  const fallback = spec.default === null || spec.default === '' ? '–' : `\`${spec.default}\``;
  const alias = spec.redisName === undefined ? name : spec.redisName;
  const config = spec.hidden ? '–' : `\`${alias}\`${spec.runtime ? ', settable' : ''}`;
  const form = optionForm(spec).replaceAll('|', ', ');
  return `| \`${name}\` | ${form} | ${fallback} | ${spec.help} | ${config} | ${spec.since} |`;
}

/** docs/configuration.md. */
export function configurationPage(): string {
  const sections = optionGroups.map((group) => {
    const rows = optionNames.filter((name) => optionTable[name].group === group).map(row);
    return `## ${group}

| option | form | default | meaning | in \`CONFIG GET\` | since |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
  });
  return `# Configuration

Every option of \`bellwether node\` can be given in three ways:

| where | looks like |
|---|---|
| flag | \`--ack-timeout 2s\` |
| environment | \`${environmentName('ack-timeout')}=2s\` |
| TOML file named by \`--config\` | \`ack-timeout = "2s"\` |

A flag wins over the environment, the environment over the file, the file over the default. An empty variable counts as
not given. \`bellwether up\` hands options that it does not know itself on to its nodes.

- **Times** take \`ms\`, \`s\`, \`min\`, \`h\`, \`d\`; a plain number is milliseconds, except for the options that Redis counts
  in seconds (\`timeout\`, \`tcp-keepalive\`).
- **Sizes** take \`b\`, \`kb\`, \`mb\`, \`gb\`, \`tb\` (powers of 1024); a plain number is bytes.
- **Switches** take \`on\`, \`off\`; as a flag without a value they mean \`on\`.
- **Addresses** are \`host:port\`, with IPv6 in brackets: \`[::1]:7001\`.
- \`peers\` may be a table in the file: \`[peers]\`, then \`n1 = "10.0.0.1:7101"\` and so on.

\`CONFIG GET\` shows the option under the name in the fifth column, sizes in bytes and times in milliseconds. What is
*settable* there changes with \`CONFIG SET\` until the next start, on the node that was asked.

This page is made from the table in \`src/node/options.ts\` by \`npm run docs:configuration\`.

${sections.join('\n')}`;
}
