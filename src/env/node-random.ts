import type { Random } from './random.ts';

export const nodeRandom: Random = {
  float: () => Math.random(),
  below: (bound) => Math.floor(Math.random() * bound),
};
