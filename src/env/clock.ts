/** Time, as the rooms see it. Rooms hold no timers: whoever owns them calls their `tick`. */
export interface Clock {
  /** Milliseconds, fractional, of a clock that never goes back; the origin is arbitrary. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch; may jump. */
  wallMs(): number;
}
