import type { Metadata } from '../cluster/metadata.ts';
import { metadataObject } from '../cluster/metadata-file.ts';

/** What each epoch of the metadata was when it was committed: epochs rise by one, and no node goes by anything else. */
export class MetadataEpochs {
  readonly #texts = new Map<number, string>();
  #last = 0;

  /** The state of the metadata after a committed entry. Answers what is wrong; null when nothing is. */
  committed(metadata: Metadata): string | null {
    const text = textOf(metadata);
    const { epoch } = metadata;
    if (epoch === this.#last)
      return this.#texts.get(epoch) === text ? null : `epoch ${epoch} of the metadata was changed`;
    if (epoch !== this.#last + 1) return `epoch ${epoch} of the metadata follows epoch ${this.#last}`;
    this.#last = epoch;
    this.#texts.set(epoch, text);
    return null;
  }

  /**
   * A node goes by this from now on.
   * @param before the epoch that it went by, in this life
   */
  adopted(node: string, before: number, metadata: Metadata): string | null {
    const { epoch } = metadata;
    if (epoch <= before) return `${node} goes by epoch ${epoch} of the metadata after epoch ${before}`;
    const known = this.#texts.get(epoch);
    if (known === undefined) return `${node} goes by epoch ${epoch} of the metadata, which is not committed`;
    const text = textOf(metadata);
    return text === known
      ? null
      : `${node} knows epoch ${epoch} of the metadata as ${text}, and it is ${known}`;
  }
}

function textOf(metadata: Metadata): string {
  const { nodes, shards, ...rest } = metadataObject(metadata);
  const sorted = (entries: object): [string, unknown][] =>
    Object.entries(entries).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify({ ...rest, nodes: sorted(nodes), shards: sorted(shards) });
}
