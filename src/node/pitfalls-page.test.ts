import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const count = 44;

function filesBelow(directory: string, ending: string): string[] {
  return readdirSync(join(root, directory), { recursive: true })
    .map((name) => `${directory}/${String(name)}`)
    .filter((path) => path.endsWith(ending))
    .sort();
}

/** The lines that guard each pitfall, by its number, as docs/pitfalls.md names them. */
function guardsOnPage(): Map<number, string[]> {
  const guards = new Map<number, string[]>();
  for (const section of read('docs/pitfalls.md')
    .split(/^### Pitfall /m)
    .slice(1)) {
    const lines = section.split('\n').filter((line) => line.startsWith('- '));
    guards.set(Number(section.slice(0, 2)), lines);
  }
  return guards;
}

/** The same lines, as tests, scenarios and mutations name their pitfalls. */
function guardsInTree(): Map<number, string[]> {
  const guards = new Map<number, string[]>();
  const add = (numbers: string, line: string): void => {
    for (const [number] of numbers.matchAll(/\d+/g)) {
      const lines = guards.get(Number(number)) ?? [];
      guards.set(Number(number), [...lines, line]);
    }
  };
  for (const path of [...filesBelow('src', '.test.ts'), ...filesBelow('tests', '.test.ts')])
    for (const match of read(path).matchAll(/\(\s*(['"`])(pitfall ([\d, ]+): .*?)\1,/gs))
      add(match[3] as string, `- \`${path}\`: ${match[2]}`);
  for (const path of filesBelow('scenarios', '.txt')) {
    const numbers = /^# Pitfalls? ([\d, and]*\d)/.exec(read(path))?.[1];
    if (numbers !== undefined) add(numbers, `- \`${path}\``);
  }
  for (const path of filesBelow('mutations', '.txt'))
    add(path.slice('mutations/'.length, 'mutations/'.length + 2), `- \`${path}\``);
  return guards;
}

it('docs/pitfalls.md names every pitfall once, with tests, scenarios and mutations that are there under its number', () => {
  const page = guardsOnPage();
  const tree = guardsInTree();
  expect([...page.keys()]).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  for (const [number, lines] of page) {
    const named = lines.filter((line) => line.startsWith('- `'));
    expect(tree.get(number) ?? [], `pitfall ${number}`).toEqual(expect.arrayContaining(named));
    // Without a test there is a decision, without a mutation a reason.
    const tests = named.filter((line) => !line.startsWith('- `mutations/'));
    const said = (what: string): boolean => lines.some((line) => line.startsWith(`- ${what}`));
    expect(tests.length > 0 || said('[decision '), `pitfall ${number} has a guard`).toBe(true);
    expect(named.length > tests.length || said('no mutation: '), `pitfall ${number} has a mutation`).toBe(
      true,
    );
  }
});

it('the decisions that docs/pitfalls.md names are there', () => {
  for (const [, path] of read('docs/pitfalls.md').matchAll(/\]\((decisions\/[^)]+)\)/g))
    expect(read(`docs/${path}`)).toMatch(/^# \d/);
});
