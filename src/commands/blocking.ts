import type { Bytes } from '../bytes/types.ts';
import { parseLongDouble } from './long-double.ts';
import { inInt64 } from './parse.ts';
import type { CommandContext } from './types.ts';

const outOfRange = 'ERR timeout is out of range';
const negative = 'ERR timeout is negative';

/** How long a command waits, given in seconds: in ms, 0 for ever; null when it makes no sense: then the error was answered. */
export function parseTimeout({ now, reply }: CommandContext, text: Bytes): number | null {
  const ms = timeoutMs(text, now);
  if (typeof ms !== 'string') return ms;
  reply.error(ms);
  return null;
}

function timeoutMs(text: Bytes, now: number): number | string {
  const seconds = parseLongDouble(text);
  if (seconds === null) return 'ERR timeout is not a float or out of range';
  if (typeof seconds === 'string') return seconds === 'infinity' ? outOfRange : negative;
  const { mantissa, exponent } = seconds;
  // What is far below a millisecond is not shifted by thousands of bits.
  const ms =
    exponent >= 0
      ? (mantissa * 1000n) << BigInt(exponent)
      : -((-mantissa * 1000n) >> BigInt(Math.min(-exponent, 128)));
  if (ms < 0n) return negative;
  return inInt64(ms + BigInt(Math.floor(now))) ? Number(ms) : outOfRange;
}
