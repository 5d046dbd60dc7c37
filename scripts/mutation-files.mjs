// Reads mutations (mutations/README.md) and says what the tree is with one of them.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from './setup.mjs';

const directory = join(root, 'mutations');

/**
 * @typedef {{ room: string, before: string, after: string }} Edit
 * @typedef {{ name: string, what: string, tests: string[], seeds: number, edits: Edit[] }} Mutation
 */

/** All mutations, by name. Throws when a text is not as mutations/README.md says. @returns {Mutation[]} */
export function readMutations() {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .map(readMutation);
}

function readMutation(file) {
  const text = readFileSync(join(directory, file), 'utf8');
  const head = /^Pitfall \d\d: (.+)\n(?:caught by: (.+)\n)?(?:seeds: (\d+)\n)?/.exec(text);
  if (head === null) throw new Error(`${file}: the first lines are not as mutations/README.md says`);
  const edits = [];
  for (const match of text.matchAll(/\nin (\S+)\n<<<<\n([\s\S]*?)\n====\n([\s\S]*?)>>>>(?=\n)/g))
    edits.push({ room: match[1], before: match[2], after: match[3].replace(/\n$/, '') });
  const tests = head[2]?.split(', ') ?? [];
  const seeds = Number(head[3] ?? '0');
  if (edits.length === 0) throw new Error(`${file}: there is no edit`);
  if (tests.length === 0 && seeds === 0) throw new Error(`${file}: nothing is to notice it`);
  return { name: basename(file, '.txt'), what: head[1], tests, seeds, edits };
}

/** The production code of a room: text by path. */
function filesOf(room) {
  return readdirSync(join(root, room))
    .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|-test-kit\.ts$|\.d\.ts$/.test(name))
    .map((name) => `${room}/${name}`);
}

/** Finds the text wherever lines were broken anew. */
function pattern(text) {
  const words = text.trim().split(/\s+/);
  return new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+'), 'g');
}

/**
 * The files of a mutation as they are with it, text by path. Throws when an edit does not fit exactly one place.
 * @param {Mutation} mutation @returns {Map<string, string>}
 */
export function mutated({ name, edits }) {
  const files = new Map();
  for (const { room, before, after } of edits) {
    const search = pattern(before);
    const places = filesOf(room).flatMap((path) => {
      const text = files.get(path) ?? readFileSync(join(root, path), 'utf8');
      return [...text.matchAll(search)].map((match) => ({ path, text, at: match.index, found: match[0] }));
    });
    const [place] = places;
    if (place === undefined || places.length > 1)
      throw new Error(
        `mutations/${name}.txt fits ${places.length} places of ${room}${places.map((one) => ` ${one.path}`)}: ` +
          `bring it up to date with\n${before}`,
      );
    const { path, text, at, found } = place;
    files.set(path, text.slice(0, at) + after + text.slice(at + found.length));
  }
  return files;
}
