import type { OperationKind } from './models.ts';
import { isRead } from './models.ts';

/** What a client asked. */
export interface Request {
  readonly key: string;
  readonly kind: OperationKind;
  /** Of `set`: a value that is written only once. */
  readonly value: string;
  /** Of what sets a time to live, in ms. */
  readonly ttlMs?: number;
}

/**
 * One operation as its client saw it. Times are points in the order of all events. `returned` is Infinity when the
 * client never learned the outcome: then the operation may have taken effect at any time after `invoked`, or never.
 */
export interface Operation extends Request {
  readonly client: number;
  readonly invoked: number;
  readonly returned: number;
  /** What came back: the value or null of `get`, the number of `incr` and `del`, 'OK' of `set`. */
  readonly result: string | number | null;
  /** A read that a majority confirmed, whatever clocks do. */
  readonly confirmed?: boolean;
}

interface Open {
  readonly request: Request;
  readonly client: number;
  readonly invoked: number;
}

/** All operations of a run that may have taken effect. */
export class History {
  readonly operations: Operation[] = [];
  readonly #open = new Set<Open>();
  #time = 0;

  invoke(client: number, request: Request): Open {
    const open = { request, client, invoked: ++this.#time };
    this.#open.add(open);
    return open;
  }

  returned(open: Open, result: Operation['result'], confirmed = false): void {
    this.#close(open, ++this.#time, result, confirmed);
  }

  /** A read that may show something old was answered: it is judged elsewhere. Answers when that was. */
  left(open: Open): number {
    this.failed(open);
    return ++this.#time;
  }

  /** It surely had no effect, or it was a read without an answer. */
  failed(open: Open): void {
    this.#open.delete(open);
  }

  unknown(open: Open): void {
    if (isRead(open.request.kind)) this.failed(open);
    else this.#close(open, Number.POSITIVE_INFINITY, null);
  }

  #close(open: Open, returned: number, result: Operation['result'], confirmed = false): void {
    if (!this.#open.delete(open)) return;
    const { client, invoked } = open;
    const { key, kind, value } = open.request;
    this.operations.push({ key, kind, value, client, invoked, returned, result, confirmed });
    // From then on the value may go by itself, once.
    if (kind !== 'setpx' && kind !== 'pexpire') return;
    const never = Number.POSITIVE_INFINITY;
    this.operations.push({ key, kind: 'expired', value: '', client, invoked, returned: never, result: null });
  }

  /** Nobody waits any longer. */
  end(): void {
    for (const open of [...this.#open]) this.unknown(open);
  }

  perKey(): Map<string, Operation[]> {
    const keys = new Map<string, Operation[]>();
    for (const operation of this.operations) {
      const operations = keys.get(operation.key) ?? [];
      operations.push(operation);
      keys.set(operation.key, operations);
    }
    return keys;
  }
}

export type OpenOperation = Open;
