import type { Draw } from './draw.ts';
import type { Family } from './family.ts';

const keys: readonly string[] = ['{r}hll1', '{r}hll2', '{r}hll3', '{r}hll4'];

/** Its own keys only: what is put at another one would be looked at byte by byte. */
function own(draw: Draw): string {
  return draw.pick(keys);
}

/** A few that meet again, or so many that the sparse form ends. */
function elements(draw: Draw): string[] {
  if (!draw.chance(6)) return draw.members();
  const from = draw.below(20_000);
  return Array.from({ length: 1 + draw.below(600) }, (_, i) => `element:${from + i}`);
}

function count(draw: Draw): string[] {
  return ['PFCOUNT', ...draw.some(() => (draw.chance(10) ? draw.key() : own(draw)))];
}

function change(draw: Draw): string[] {
  return draw.pick([
    () => ['PFADD', own(draw), ...elements(draw)],
    () => ['PFADD', own(draw), ...elements(draw)],
    () => ['PFADD', own(draw), ...elements(draw)],
    () => ['PFADD', own(draw)],
    () => ['PFMERGE', ...draw.some(() => own(draw))],
    () => ['PFMERGE', own(draw), own(draw), own(draw)],
    () => ['COPY', own(draw), own(draw), ...draw.options('REPLACE')],
    () => ['RENAME', own(draw), own(draw)],
  ])();
}

function other(draw: Draw): string[] {
  return draw.pick([
    () => ['SET', own(draw), draw.value()],
    () => ['SADD', own(draw), draw.member()],
    () => ['DEL', own(draw)],
    () => ['EXPIREAT', own(draw), draw.time('EXAT')],
    () => ['PFDEBUG', draw.pick(['GETREG', 'x']), own(draw)],
  ])();
}

/** HyperLogLogs. How many bytes they take and which is each server's own choice; what they count is not. */
export const hyperLogLogFamily: Family = {
  weight: 3,
  keys,
  apart: true,
  command: (draw) => (draw.chance(3) ? count(draw) : draw.chance(8) ? other(draw) : change(draw)),
  agreements: {},
  shown: (key) => [
    ['EXISTS', key],
    ['PFCOUNT', key],
  ],
};
