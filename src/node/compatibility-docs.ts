import {
  absentBecause,
  commandInfoDifferences,
  differences,
  generalDifferences,
} from '../commands/differences.ts';
import { redisCommands } from '../commands/redis-commands.ts';
import { allCommands } from '../commands/table.ts';

/** Names of all commands that exist here, subcommands included. */
function ownNames(): string[] {
  return allCommands.flatMap(({ name, subcommands }) => [
    name,
    ...(subcommands ?? []).map((each) => each.name),
  ]);
}

function shown(name: string): string {
  return `\`${name.toUpperCase().replace('|', ' ')}\``;
}

function group(title: string, commands: readonly string[], own: ReadonlySet<string>): string {
  const present = commands.filter((name) => own.has(name)).length;
  const rows = commands.map((name) => {
    const remarks = [...(differences[name] ?? []), commandInfoDifferences[name] ?? []].flat().join('; ');
    const there = own.has(name);
    return `| ${shown(name)} | ${there ? 'yes' : 'no'} | ${remarks === '' && !there ? absentBecause[title] : remarks} |`;
  });
  return `## ${title.replace('_', ' ')} (${present} of ${commands.length})

| command | present | remarks |
|---|---|---|
${rows.join('\n')}
`;
}

/** docs/compatibility.md. */
export function compatibilityPage(): string {
  const own = new Set(ownNames());
  const known = new Set(Object.values(redisCommands).flatMap((commands) => Object.keys(commands)));
  const groups = Object.entries(redisCommands).map(([title, commands]) =>
    group(title, Object.keys(commands), own),
  );
  const extensions = [...own].filter((name) => !known.has(name)).map(shown);
  return `# Compatibility with Redis

Every command of Redis 7.2, whether it exists here, and how it differs. What exists is compared with a running Redis by
tests: replies byte by byte, error texts included, for written scenarios and for hundreds of thousands of random commands.
A command that does not exist is answered with Redis's error for unknown commands.

This page is made from the table of commands and \`src/commands/differences.ts\` by \`npm run docs\`.

What differs for all commands:

${generalDifferences.map((text) => `- ${text}`).join('\n')}

Only Bellwether has ${extensions.join(', ')}.

${groups.join('\n')}`;
}
