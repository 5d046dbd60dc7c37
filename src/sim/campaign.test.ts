import { expect, test } from 'vitest';
import { Campaign, parseCampaign } from './campaign.ts';
import { noTotals } from './totals.ts';

const one = (events: number, kind: string) => ({
  ...noTotals(),
  seeds: 1,
  events,
  eventsLeast: events,
  effects: 2,
  effectsLeast: 2,
  faults: { [kind]: { effects: 2, seeds: 1 } },
});

test('each seed is handed out once, up to the last', () => {
  const campaign = new Campaign(5, 7, 'a', null);
  expect([campaign.take(), campaign.take(), campaign.take(), campaign.take()]).toEqual([5, 6, 7, null]);
});

test('a campaign that was stopped goes on: what was not answered first, then what comes next', () => {
  const first = new Campaign(1, 4, 'a', null);
  for (let i = 0; i < 3; i++) first.take();
  first.ran(2, one(100, 'kill'), null);
  const kept = parseCampaign(JSON.stringify(first.state(10)));
  expect(kept?.open).toEqual([1, 3]);
  const second = new Campaign(1, 4, 'b', kept);
  expect([second.take(), second.take(), second.take(), second.take()]).toEqual([1, 3, 4, null]);
  second.ran(1, one(40, 'kill'), 'a value was lost');
  second.ran(3, one(60, 'pause'), null);
  expect(second.state(5)).toMatchObject({
    nextSeed: 5,
    open: [4],
    seconds: 15,
    failures: [{ seed: 1, what: 'a value was lost' }],
    builds: { a: 1, b: 2 },
    totals: {
      seeds: 3,
      events: 200,
      eventsLeast: 40,
      faults: { kill: { effects: 4, seeds: 2 }, pause: { effects: 2, seeds: 1 } },
    },
  });
});

test('what is no campaign is not continued', () => {
  expect(parseCampaign('{"version":2}')).toBe(null);
  expect(parseCampaign('null')).toBe(null);
});
