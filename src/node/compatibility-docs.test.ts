import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { absentBecause, commandInfoDifferences, differences } from '../commands/differences.ts';
import { redisCommands } from '../commands/redis-commands.ts';
import { allCommands } from '../commands/table.ts';
import { compatibilityPage } from './compatibility-docs.ts';

const redis = new Map(
  Object.entries(redisCommands).flatMap(([group, commands]) =>
    Object.entries(commands).map(([name, [since, arity]]) => [name, { group, since, arity }] as const),
  ),
);
const own = allCommands.flatMap((spec) => [spec, ...(spec.subcommands ?? [])]);

it('docs/compatibility.md is up to date (npm run docs compatibility)', () => {
  expect(readFileSync('docs/compatibility.md', 'utf8')).toBe(compatibilityPage());
});

it.each(own.map((spec) => [spec.name, spec] as const))(
  '%s is as old, takes as many arguments and is in the same group as in Redis',
  (name, { doc, arity }) => {
    const theirs = redis.get(name);
    if (theirs === undefined) return;
    const { group, since } = doc;
    if (commandInfoDifferences[name] === undefined) expect({ group, since, arity }).toEqual(theirs);
  },
);

it('a difference is about a command of Redis, and a reason for absence about a group', () => {
  for (const name of Object.keys(differences)) expect([name, redis.has(name)]).toEqual([name, true]);
  const absent = new Set(
    [...redis].filter(([name]) => !own.some((spec) => spec.name === name)).map(([, { group }]) => group),
  );
  for (const group of absent) expect([group, absentBecause[group]]).not.toEqual([group, undefined]);
});
