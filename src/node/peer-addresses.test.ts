import { expect, it } from 'vitest';
import { ownPeerAddress, PeerAddresses } from './peer-addresses.ts';

function addresses(recorded: string, given: string) {
  const state = { connected: false, now: 0 };
  const known = new PeerAddresses({
    recorded: () => recorded,
    given: () => given,
    connected: () => state.connected,
    now: () => state.now,
  });
  /** The address at each of these times. */
  const at = (...times: number[]): string[] =>
    times.map((ms) => {
      state.now = ms;
      return known.addressOf('b');
    });
  return { state, known, at };
}

it('looks for a node at each address that it may have, and stays where it found it', () => {
  const { state, at } = addresses('record:1', 'given:1');
  expect(at(0, 1900, 2000, 3900, 4000)).toEqual(['record:1', 'record:1', 'given:1', 'given:1', 'record:1']);
  state.connected = true;
  expect(at(5000, 60_000)).toEqual(['record:1', 'record:1']);
  state.connected = false;
  expect(at(61_000, 62_100)).toEqual(['record:1', 'given:1']);
});

it('believes a node that says where it is, unless it is reached already', () => {
  const { state, known, at } = addresses('record:1', '');
  expect(at(0)).toEqual(['record:1']);
  known.heard('b', { peer: 'moved:1', zone: 'z' });
  expect(at(10)).toEqual(['moved:1']);
  expect(known.placeOf('b')).toEqual({ peer: 'moved:1', zone: 'z' });
  state.connected = true;
  known.heard('b', { peer: 'elsewhere:1', zone: 'z' });
  expect(at(9000)).not.toEqual(['elsewhere:1']);
});

it('has no address for who has none', () => {
  expect(addresses('', '').at(0, 3000)).toEqual(['', '']);
  expect(addresses('', 'given:1').at(0, 3000)).toEqual(['given:1', 'given:1']);
});

it('says of itself what others can use', () => {
  const listen = { host: '0.0.0.0', port: 1 };
  expect(ownPeerAddress({ host: 'public', port: 2 }, 'given:3', listen)).toBe('public:2');
  expect(ownPeerAddress(null, 'given:3', listen)).toBe('given:3');
  expect(ownPeerAddress(null, '', listen)).toBe('');
  expect(ownPeerAddress(null, '', { host: '10.0.0.1', port: 1 })).toBe('10.0.0.1:1');
});
