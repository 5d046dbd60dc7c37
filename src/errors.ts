/**
 * The catalogue of errors that a user or operator can meet, outside Redis's own replies. A code never changes its
 * meaning. `docs/errors.md` is generated from this table.
 */
export const errorCatalogue = {
  BW_CONFIG_INVALID: 'A configuration value is missing or cannot be used.',
  BW_PORT_TAKEN: 'Another process listens on a port that a node needs.',
  BW_DATA_IN_USE: 'Another process has the data directory open.',
  BW_DATA_FOREIGN: 'The data directory belongs to another cluster or node.',
  BW_DATA_VERSION: 'The data directory was written by a version with another format.',
  BW_LOG_DAMAGED: 'Bytes of the replication log cannot be read back as they were written.',
  BW_LOG_COMPACTED: 'The requested part of the log has been dropped because a checkpoint covers it.',
  BW_LOG_LATCHED: 'A write to the log failed; nothing more is acknowledged until the node is started again.',
  BW_DISK_FULL:
    'There is too little free space to prepare the next segment; writes are refused until there is more.',
  BW_CHECKPOINT_DAMAGED: 'A checkpoint file cannot be read back as it was written.',
  BW_PEER_REFUSED:
    'A peer of another cluster, version or identity, or without the shared secret, was refused.',
  BW_PEER_MALFORMED: 'A peer sent bytes that are no valid frame; its link was closed.',
  BW_NOT_A_CLUSTER: 'No cluster answered at the given address.',
  BW_REFUSED: 'A node refused what it was told to do; the message says why.',
  BW_NOT_DONE: 'What was asked for did not come about in time; the message says how far it came.',
  BW_NOT_LEADER: 'This node does not lead the shard, or does not serve it yet; ask its leader.',
  BW_MEMBERSHIP_PENDING:
    'The members of a shard change one at a time, and another change, a handover or an election is not over yet.',
  BW_MEMBERSHIP_NOT_IN_SYNC: 'Too few replicas are up to date for that change of the members of a shard.',
  BW_MEMBERSHIP_REFUSED:
    'The members of a shard are never changed like that; the message says what comes before it.',
  BW_INTERNAL: 'A statement that the program relies on did not hold; the process ended to protect the data.',
} as const;

export type ErrorCode = keyof typeof errorCatalogue;

export class BellwetherError extends Error {
  readonly code: ErrorCode;
  /** What to do about it, one sentence. */
  readonly advice: string;

  /**
   * @param code which entry of the catalogue
   * @param happened what happened, with names and numbers
   * @param advice what the reader can do
   */
  constructor(code: ErrorCode, happened: string, advice: string, options?: ErrorOptions) {
    super(`${code}: ${happened}. ${advice}`, options);
    this.name = 'BellwetherError';
    this.code = code;
    this.advice = advice;
  }
}
