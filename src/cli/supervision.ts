/** What a node says to the process that started it. */
export type NodeReport =
  | { readonly kind: 'started' }
  /** It could not start and ends. */
  | { readonly kind: 'failed'; readonly message: string };

/** What that process asks of the node: to stop, handing leadership over first or not. */
export interface NodeRequest {
  readonly kind: 'stop';
  readonly handOver: boolean;
}
