import { expect, it } from 'vitest';
import { differences, generalDifferences } from '../../src/commands/differences.ts';
import { bitmapScenarios } from './bitmap-scenarios.ts';
import { connectionScenarios } from './connection-scenarios.ts';
import { dumpScenarios } from './dump-scenarios.ts';
import { encodingScenarios } from './encoding-scenarios.ts';
import { expiryScenarios } from './expiry-scenarios.ts';
import { keyScenarios } from './key-scenarios.ts';
import { listScenarios } from './list-scenarios.ts';
import { numberScenarios } from './number-scenarios.ts';
import { protocolScenarios } from './protocol-scenarios.ts';
import { serverScenarios } from './server-scenarios.ts';
import { setScenarios } from './set-scenarios.ts';
import { sortScenarios } from './sort-scenarios.ts';
import { sortedSetAlgebraScenarios } from './sorted-set-algebra-scenarios.ts';
import { stringScenarios } from './string-scenarios.ts';

const scenarios = [
  ...[...setScenarios, ...sortedSetAlgebraScenarios],
  ...[...bitmapScenarios, ...connectionScenarios, ...expiryScenarios, ...keyScenarios, ...listScenarios],
  ...[
    ...encodingScenarios,
    ...protocolScenarios,
    ...serverScenarios,
    ...sortScenarios,
    ...dumpScenarios,
    ...[...stringScenarios, ...numberScenarios],
  ],
];

it('every wanted difference from Redis is one that docs/compatibility.md lists', () => {
  const known = new Set([...Object.values(differences).flat(), ...generalDifferences]);
  // What Redis answers like Bellwether in 7.2 is no difference.
  const wanted = scenarios.flatMap(({ steps }) =>
    steps.flatMap(({ text, difference }) =>
      difference === null || difference.until !== null ? [] : [[text, difference.because] as const],
    ),
  );
  expect(wanted.filter(([, because]) => !known.has(because))).toEqual([]);
});
