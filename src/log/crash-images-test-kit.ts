import { createHash } from 'node:crypto';
import type { Random } from '../env/random.ts';
import type { HandDisk, SeededRandom } from './log-test-kit.ts';

/** What becomes of the nth thing that was not durable when the power went, of `count`; true: it is on disk. */
type Fate = (nth: number, count: number) => boolean;

/**
 * Stands for chance where the disk draws what a loss of power leaves: per changed directory entry and per written sector
 * it asks whether the change made it, and which of several versions of a sector it was.
 */
class Script implements Random {
  /** How many things were asked about. */
  asked = 0;
  /** Some sector was written more than once since it was durable. */
  severalVersions = false;
  readonly #fate: Fate;
  readonly #count: number;
  readonly #newest: boolean;
  #partDrawn = false;

  constructor(fate: Fate, count: number, newest: boolean) {
    this.#fate = fate;
    this.#count = count;
    this.#newest = newest;
  }

  float(): number {
    return this.#fate(this.asked++, this.#count) ? 0 : 0.999;
  }

  below(bound: number): number {
    if (!this.#partDrawn) {
      // The first draw says how much survives in general; its middle one leaves every single thing to `float`.
      this.#partDrawn = true;
      return 2;
    }
    this.severalVersions ||= bound > 1;
    return this.#newest ? bound - 1 : 0;
  }
}

/** Every combination is tried up to this many changes that were not durable. */
const exhaustiveUpTo = 5;

/** Which parts survive: everything, nothing, one, all but one, those begun first or last, every other, and some by chance. */
function* fates(count: number, thorough: boolean, random: SeededRandom): Generator<Fate> {
  if (count <= exhaustiveUpTo) {
    for (let mask = 0; mask < 1 << count; mask++) yield (nth) => ((mask >> nth) & 1) === 1;
    return;
  }
  yield () => true;
  yield () => false;
  const places = thorough ? Math.min(count, 40) : 6;
  for (let i = 0; i < places; i++) {
    // The first and the last one included.
    const at = Math.round((i * (count - 1)) / (places - 1));
    yield (nth) => nth === at;
    yield (nth) => nth !== at;
    yield (nth) => nth < at;
    yield (nth) => nth > at;
  }
  yield (nth) => nth % 2 === 0;
  yield (nth) => nth % 2 === 1;
  for (let i = 0; i < (thorough ? 10 : 2); i++) {
    const part = random.float();
    yield () => random.float() < part;
  }
}

/**
 * What a loss of power may leave of a disk now: what is durable, and of everything else what each fate says. Writes in flight
 * are included: any of their sectors may be on disk. States may repeat.
 */
export function* imagesAfterPowerLoss(
  hand: HandDisk,
  thorough: boolean,
  random: SeededRandom,
): Generator<HandDisk> {
  const survey = new Script(() => true, 0, true);
  hand.crashed(survey);
  for (const fate of fates(survey.asked, thorough, random)) {
    yield hand.crashed(new Script(fate, survey.asked, true));
    if (survey.severalVersions) yield hand.crashed(new Script(fate, survey.asked, false));
  }
}

/** What surely is left. */
export function onlyDurable(hand: HandDisk): HandDisk {
  return hand.crashed(new Script(() => false, 0, true));
}

/** Equal for disks with equal files in these directories. */
export function fingerprint({ disk }: HandDisk, directories: readonly string[]): string {
  const hash = createHash('sha1');
  for (const directory of directories) {
    for (const name of disk.names(directory)) {
      const bytes = disk.bytesOf(`${directory}/${name}`);
      hash.update(`${directory}/${name} ${bytes.length}\n`).update(bytes);
    }
  }
  return hash.digest('base64');
}
