// Vendors' documents by what they are about: from memory, else from disk, else from the configured source. Nothing is kept
// that was not judged, nothing is given past its time; near its end a document is asked for anew while it still serves.
import {
  type Certificate,
  type Clock,
  type CryptoPort,
  HoldfastError,
  messageOf,
} from "@holdfast/core";
import {
  type CollateralNeed,
  type CollateralWindow,
  type EndorsementFile,
  type Endorsements,
  judgeCollateral,
  mergeEndorsements,
  NO_ENDORSEMENTS,
  readEndorsements,
} from "@holdfast/evidence";
import { ask } from "./ask.ts";
import { DiskCache, type Report } from "./disk-cache.ts";
import { Pauses } from "./pauses.ts";
import { type CollateralSources, nameOf, type Question, questionFor } from "./sources.ts";

/** What the store works with. */
export interface StoreOptions {
  readonly directory: string;
  readonly sources: CollateralSources;
  /** Roots to trust beside the vendors' own. */
  readonly anchors: readonly Certificate[];
  readonly clock: Clock;
  readonly crypto: CryptoPort;
  readonly report: Report;
}

interface Kept extends CollateralWindow {
  readonly endorsements: Endorsements;
  readonly refreshAt: number;
}
type Finder = (need: CollateralNeed, known: Endorsements) => Promise<Kept | undefined>;

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const MOST_KEPT = 512;
const MOST_ASKED_AT_ONCE = 32;
/** What never changes under its name. */
const LASTING: ReadonlySet<CollateralNeed["kind"]> = new Set([
  "amd-chain",
  "amd-vcek",
  "intel-pck",
]);

/** The collateral of a service. */
export class CollateralStore {
  readonly #options: StoreOptions;
  readonly #disk: DiskCache;
  readonly #pauses: Pauses;
  /** The one used longest ago first. */
  readonly #kept = new Map<string, Kept>();
  readonly #reading = new Map<string, Promise<Kept | undefined>>();
  readonly #asking = new Map<string, Promise<Kept | undefined>>();
  readonly #closing = new AbortController();

  private constructor(options: StoreOptions, disk: DiskCache) {
    this.#options = options;
    this.#disk = disk;
    this.#pauses = new Pauses(options.clock);
  }

  /** Opens a store over a directory of its own. */
  static async open(options: StoreOptions): Promise<CollateralStore> {
    return new CollateralStore(options, await DiskCache.open(options.directory, options.report));
  }

  /** What is at hand and holds now, without waiting for any source. */
  async held(needs: readonly CollateralNeed[]): Promise<Endorsements> {
    return await collect(needs, async (need, known) => await this.#lookUp(need, known));
  }

  /** The same, after asking the sources for what is not at hand. What can't be had is missing. */
  async obtain(needs: readonly CollateralNeed[]): Promise<Endorsements> {
    return await collect(
      needs,
      async (need, known) => (await this.#lookUp(need, known)) ?? (await this.#ask(need, known)),
    );
  }

  /** Waits until no source is being asked. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#asking.values());
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.settled();
  }

  async #lookUp(need: CollateralNeed, known: Endorsements): Promise<Kept | undefined> {
    const question = questionFor(need);
    if (question === undefined) return undefined;
    const name = nameOf(question);
    const kept =
      this.#kept.get(name) ??
      (await once(this.#reading, name, () => this.#readBack(name, need, known)));
    const now = this.#options.clock.now();
    if (kept === undefined || now < kept.notBefore || now > kept.notAfter) return undefined;
    this.#remember(name, kept);
    if (now.getTime() >= kept.refreshAt) {
      // Nobody waits for it, so nobody else hears what went wrong.
      this.#ask(need, known).catch((thrown) => this.#options.report(name, messageOf(thrown)));
    }
    return kept;
  }

  async #readBack(
    name: string,
    need: CollateralNeed,
    known: Endorsements,
  ): Promise<Kept | undefined> {
    const answer = await this.#disk.read(name);
    if (answer === undefined) return undefined;
    const judged = await this.#judge(need, answer.files, known, answer.fetchedAt);
    if (typeof judged !== "string") return judged;
    this.#options.report(name, `kept on disk: ${judged}`);
    return undefined;
  }

  async #ask(need: CollateralNeed, known: Endorsements): Promise<Kept | undefined> {
    const question = questionFor(need);
    if (question === undefined) return undefined;
    const name = nameOf(question);
    if (this.#closing.signal.aborted || this.#isPaused(question, name)) return undefined;
    if (!this.#asking.has(name) && this.#asking.size >= MOST_ASKED_AT_ONCE) return undefined;
    return await once(this.#asking, name, () => this.#askNow(question, name, need, known));
  }

  async #askNow(
    question: Question,
    name: string,
    need: CollateralNeed,
    known: Endorsements,
  ): Promise<Kept | undefined> {
    const source = this.#options.sources[question.vendor];
    if (source === undefined) return undefined;
    const answer = await ask(source, question, this.#closing.signal);
    if (answer.kind === "limited") {
      // The source counts all our questions together, so all of them wait.
      if (!this.#pauses.has(question.vendor)) {
        this.#pauses.add(question.vendor, answer.retryAfterSeconds * 1000);
      }
      this.#options.report(name, answer.fault);
      return undefined;
    }
    if (answer.kind === "failed") return this.#refuse(name, answer.fault);
    const fetchedAt = this.#options.clock.now();
    const judged = await this.#judge(need, answer.files, known, fetchedAt);
    if (typeof judged === "string") return this.#refuse(name, judged);
    const before = this.#kept.get(name);
    if (before !== undefined && judged.notBefore < before.notBefore) {
      return this.#refuse(name, "it is older than the one at hand");
    }
    this.#pauses.clear(name);
    this.#pauses.clear(question.vendor);
    this.#remember(name, judged);
    await this.#disk.write(name, { fetchedAt, files: answer.files });
    return judged;
  }

  #isPaused({ vendor }: Question, name: string): boolean {
    return this.#pauses.has(vendor) || this.#pauses.has(name);
  }

  #refuse(name: string, fault: string): undefined {
    this.#pauses.add(name);
    this.#options.report(name, fault);
  }

  #remember(name: string, kept: Kept): void {
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** A document that was judged to be what was asked for, or what is wrong with it. */
  async #judge(
    need: CollateralNeed,
    files: readonly EndorsementFile[],
    known: Endorsements,
    fetchedAt: Date,
  ): Promise<Kept | string> {
    const { anchors, clock, crypto } = this.#options;
    // Keys among them would be enrolled, which is the operator's to do.
    const read = { ...readEndorsements(files), keys: [], parts: [] };
    const [ignored] = read.ignored;
    if (ignored !== undefined) return `${ignored.name}: ${ignored.reason}`;
    try {
      const window = await judgeCollateral(need, {
        at: clock.now(),
        crypto,
        anchors,
        endorsements: mergeEndorsements(read, known),
      });
      if (typeof window === "string") return window;
      const refreshAt = LASTING.has(need.kind) ? Infinity : refreshTime(window, fetchedAt);
      return { ...window, endorsements: read, refreshAt };
    } catch (thrown) {
      if (!(thrown instanceof HoldfastError)) throw thrown;
      return messageOf(thrown);
    }
  }
}

/** After a day, or when a fifth of its life is left, but never twice an hour. */
function refreshTime({ notBefore, notAfter }: CollateralWindow, fetchedAt: Date): number {
  const late = notAfter.getTime() - (notAfter.getTime() - notBefore.getTime()) / 5;
  const fetched = fetchedAt.getTime();
  return Math.max(fetched + HOUR_MS, Math.min(fetched + DAY_MS, late));
}

/** Authorities first: what they signed is judged under them. */
async function collect(needs: readonly CollateralNeed[], find: Finder): Promise<Endorsements> {
  const isChain = ({ kind }: CollateralNeed): boolean => kind === "amd-chain";
  const findAll = async (some: readonly CollateralNeed[], known: Endorsements) => {
    const found = await Promise.all(some.map((need) => find(need, known)));
    return mergeEndorsements(...found.map((kept) => kept?.endorsements ?? NO_ENDORSEMENTS));
  };
  const known = await findAll(needs.filter(isChain), NO_ENDORSEMENTS);
  const others = await findAll(
    needs.filter((need) => !isChain(need)),
    known,
  );
  return mergeEndorsements(known, others);
}

/** One of a kind at a time: who comes while it is under way gets what comes of it. */
async function once<T>(
  underWay: Map<string, Promise<T>>,
  name: string,
  make: () => Promise<T>,
): Promise<T> {
  const earlier = underWay.get(name);
  if (earlier !== undefined) return await earlier;
  const made = make().finally(() => underWay.delete(name));
  underWay.set(name, made);
  return await made;
}
