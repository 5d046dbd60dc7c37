import type { NodeId } from '../core/types.ts';
import type { NodePlace } from '../shard/leader-notices.ts';
import { type Address, formatAddress, parseAddress } from './option-values.ts';

/** A node that cannot be reached for so long is looked for at another address that it may have. */
const patienceMs = 2000;

interface AddressSources {
  /** In the metadata; empty when it has none. */
  recorded(node: NodeId): string;
  /** In the configuration; empty when it has none. */
  given(node: NodeId): string;
  connected(node: NodeId): boolean;
  now(): number;
}

/**
 * Where the other nodes are. A node that moved says so to everybody whom it reaches, before that is in the metadata; what
 * the metadata or the configuration say may be older. So all of it is tried, one after the other.
 */
export class PeerAddresses {
  readonly #sources: AddressSources;
  readonly #places = new Map<NodeId, NodePlace>();
  readonly #tried = new Map<NodeId, { address: string; untilMs: number }>();

  constructor(sources: AddressSources) {
    this.#sources = sources;
  }

  /** A node said where it is. */
  heard(node: NodeId, place: NodePlace): void {
    const before = this.#places.get(node)?.peer;
    this.#places.set(node, place);
    const isNews = before !== place.peer && place.peer !== '';
    if (isNews && !this.#sources.connected(node)) this.#tried.delete(node);
  }

  /** Null while it has said nothing. */
  placeOf(node: NodeId): NodePlace | null {
    return this.#places.get(node) ?? null;
  }

  /** `host:port`; empty when nobody knows. */
  addressOf(node: NodeId): string {
    const { recorded, given, connected, now } = this.#sources;
    const said = this.#places.get(node)?.peer ?? '';
    const known = [...new Set([said, recorded(node), given(node)])].filter(
      (one) => parseAddress(one) !== null,
    );
    const tried = this.#tried.get(node);
    const reached = tried !== undefined && connected(node);
    const waiting = tried !== undefined && known.includes(tried.address) && now() < tried.untilMs;
    if (waiting && !reached) return tried.address;
    const next = (known.indexOf(tried?.address ?? '') + 1) % known.length;
    const address = reached ? tried.address : (known[next] ?? '');
    this.#tried.set(node, { address, untilMs: now() + patienceMs });
    return address;
  }
}

/** What a node that listens there says of its address; empty when that says nothing to others. */
export function ownPeerAddress(announced: Address | null, given: string, listen: Address): string {
  if (announced !== null) return formatAddress(announced);
  if (given !== '') return given;
  return ['0.0.0.0', '::', '*'].includes(listen.host) ? '' : formatAddress(listen);
}
