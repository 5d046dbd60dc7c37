import { describe, expect, it } from 'vitest';
import { arcsine, cosine, sine } from './exact-trigonometry.ts';

type Cases = readonly (readonly [value: number, result: number])[];

/** Computed with 300 bits. Most lie so near the middle between two doubles that ordinary functions take the wrong one. */
const sines: Cases = [
  [-0.3142477049648753, -0.3091011042298257],
  [0.9771337724291724, 0.8288974079230915],
  [-2.5628745904241867, -0.5469511945032393],
  [-0.0009761545743415687, -0.0009761544193155799],
  [-0.0004203219619691603, -0.00042032194959274155],
  [Math.PI, 1.2246467991473532e-16],
  [-Math.PI, -1.2246467991473532e-16],
  [1e-9, 1e-9],
  [0, 0],
];
const cosines: Cases = [
  [-1.8338163093854187, -0.25999785604121867],
  [1.1210187159201874, 0.4347652737133895],
  [-1.4450829115115336, 0.12538255057779163],
  [-3.7637306824751526e-6, 0.9999999999929171],
  [3.0119525599613635, -0.9916084856478902],
  [Math.PI / 2, 6.123233995736766e-17],
  [Math.PI, -1],
  [0, 1],
];
const arcsines: Cases = [
  [0.06125722247922949, 0.06129559806558577],
  [0.00025374748627198895, 0.00025374748899502884],
  [0.2901226313632205, 0.29435497811481154],
  [0.7498807368167021, 0.8478817884240302],
  [0.9999999999999999, 1.5707963118937354],
  [0.5000000000000001, 0.523598775598299],
  [0.5, 0.5235987755982989],
  [1, Math.PI / 2],
  [0, 0],
  [1.1, Number.NaN],
];

describe.each([
  ['sine', sine, sines],
  ['cosine', cosine, cosines],
  ['arcsine', arcsine, arcsines],
] as const)('%s', (_, compute, cases) => {
  it.each(cases)('of %d is %d', (value, result) => {
    expect(compute(value)).toBe(result);
  });
});
