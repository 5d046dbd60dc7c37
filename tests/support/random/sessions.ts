import type { Draw } from './draw.ts';
import type { Family } from './family.ts';

const words = ['MULTI', 'MULTI', 'EXEC', 'EXEC', 'EXEC', 'DISCARD', 'WATCH', 'WATCH', 'UNWATCH'] as const;

function transaction(draw: Draw): string[] {
  const word = draw.pick(words);
  return word === 'WATCH' ? [word, ...draw.keys()] : [word];
}

function rare(draw: Draw): string[] {
  return draw.pick([
    () => ['FLUSHALL'],
    () => ['FLUSHDB', draw.pick(['SYNC', 'ASYNC', 'x'])],
    () => ['HELLO', draw.pick(['2', '3', '4'])],
    () => ['RESET'],
    () => ['SELECT', draw.pick(['0', '1', 'x'])],
    () => ['CLIENT', 'SETNAME', draw.pick(['me', '', 'a b', 'line\nbreak', '\xff'])],
    () => ['CLIENT', 'GETNAME'],
    () => ['ECHO', draw.value()],
    () => ['PING', draw.value()],
    () => ['NOSUCH', draw.value(), draw.value()],
    () => ['COMMAND', 'GETKEYS', 'SET', draw.value(), 'v'],
    () => [draw.value(), draw.key()],
  ])();
}

/** Transactions, and what a connection may say besides. */
export const sessionFamily: Family = {
  weight: 4,
  keys: [],
  command: (draw) => (draw.chance(5) ? rare(draw) : transaction(draw)),
  agreements: { HELLO: 'kind' },
  shown: () => [],
};
