/** The end of the current turn of the event loop, when everything that arrived together has been handled. */
export interface TurnEnd {
  /**
   * Runs the callback once, after the input that is already there. Callbacks run in the order of the calls.
   * @param soon after the piece of input that is being handled, without waiting for what arrived beside it
   */
  schedule(callback: () => void, soon?: boolean): void;
}
