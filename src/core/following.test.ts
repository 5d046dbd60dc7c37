import { expect, test } from 'vitest';
import { Following } from './following.ts';

test('another leader must prove anew what agrees, and wants nothing yet; only a leader ends the hurry', () => {
  const following = new Following(1000);
  expect(following).toMatchObject({ hurried: false, leaderWantsApplied: false, laggards: [] });
  const heard = { verified: 9, leaderWantsApplied: true, hurried: true };
  Object.assign(following, heard);
  following.begin(null);
  expect(following).toMatchObject({ verified: 0, leaderWantsApplied: false, hurried: true });
  Object.assign(following, heard);
  following.begin('b');
  expect(following).toMatchObject({ verified: 0, leaderWantsApplied: false, hurried: false });
});
