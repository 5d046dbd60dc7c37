/** The end of the current turn of the event loop, when everything that arrived together has been handled. */
export interface TurnEnd {
  /** Runs the callback once, after the input that is already there. Callbacks run in the order of the calls. */
  schedule(callback: () => void): void;
}
