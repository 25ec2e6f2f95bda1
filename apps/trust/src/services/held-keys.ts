// The keys that data owners left here, each in a file of its own, for this service's user alone: a key is on disk before
// anybody hears that it is kept, and off it before anybody hears that it is gone. In memory they are plain too: who runs the
// service is trusted with them.
import { timingSafeEqual } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { KeyBody, KeyGrant, KeyName, type KeyResource } from "@holdfast/contract";
import { type Clock, canonicalJson, fromBase64 } from "@holdfast/core";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { TrustError } from "../errors.ts";
import { readState, requirePrivate, syncDirectory, writeState } from "./state-file.ts";

const KeyFile = Type.Object(
  {
    key: KeyBody.properties.key,
    grant: KeyGrant,
    created_at: Type.String(),
    released: Type.Integer({ minimum: 0 }),
    last_released_at: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

type KeyFile = Static<typeof KeyFile>;

/** A key with the terms of its release. */
export interface HeldKey {
  readonly name: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
  readonly grant: KeyGrant;
  readonly createdAt: string;
}

/** A key, and how often it was released under these terms and those before. */
interface Entry {
  readonly held: HeldKey;
  readonly released: number;
  readonly lastReleasedAt?: string;
}

const MOST_KEYS = 1024;
const ENDING = ".json";
/** What a write that was cut short leaves behind. */
const DRAFT = /\.json\.[0-9a-f]{12}$/;

/** The keys of a service. */
export class HeldKeys {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #entries: Map<string, Entry>;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(directory: string, clock: Clock, most: number, entries: Map<string, Entry>) {
    this.#directory = directory;
    this.#clock = clock;
    this.#most = most;
    this.#entries = entries;
  }

  /**
   * The keys kept in a directory, which is made when it is not there.
   * @throws TrustError STATE_UNUSABLE for a file that is not what was written, or that others may read
   */
  static async open(directory: string, clock: Clock, most: number = MOST_KEYS): Promise<HeldKeys> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const entries = new Map<string, Entry>();
    for (const file of (await readdir(directory)).sort()) {
      const path = join(directory, file);
      if (DRAFT.test(file)) await rm(path);
      if (!file.endsWith(ENDING)) continue;
      const name = file.slice(0, -ENDING.length);
      entries.set(name, await readEntry(path, name));
    }
    return new HeldKeys(directory, clock, most, entries);
  }

  /** All keys, by name; never their bytes. */
  list(): KeyResource[] {
    const names = [...this.#entries.keys()].sort();
    return names.map((name) => this.get(name));
  }

  /**
   * What is told of a key.
   * @throws TrustError KEY_UNKNOWN
   */
  get(name: string): KeyResource {
    const { held, released, lastReleasedAt } = this.#entry(name);
    return {
      name,
      grant: held.grant,
      created_at: held.createdAt,
      released,
      ...(lastReleasedAt === undefined ? {} : { last_released_at: lastReleasedAt }),
    };
  }

  /** A key, to be released by its grant; undefined when there is none. */
  find(name: string): HeldKey | undefined {
    return this.#entries.get(name)?.held;
  }

  /**
   * Keeps a key. The same key under the same terms again changes nothing.
   * @returns whether it was made
   * @throws TrustError KEY_TAKEN when another key or other terms have this name, REQUEST_INVALID
   */
  put(name: string, { key, grant }: KeyBody): Promise<boolean> {
    requireTerms(grant);
    return this.#change(async () => {
      const bytes = fromBase64(key);
      const present = this.#entries.get(name)?.held;
      if (present !== undefined) {
        if (isSame(present, bytes, grant)) return false;
        throw new TrustError(
          "KEY_TAKEN",
          `another key is named ${name}, or this one has other terms`,
        );
      }
      if (this.#entries.size >= this.#most) {
        throw new TrustError("REQUEST_INVALID", `at most ${this.#most} keys are kept`);
      }
      const createdAt = this.#clock.now().toISOString();
      await this.#store({ held: { name, bytes, grant, createdAt }, released: 0 });
      return true;
    });
  }

  /**
   * Replaces the terms of a key.
   * @throws TrustError KEY_UNKNOWN, REQUEST_INVALID
   */
  regrant(name: string, grant: KeyGrant): Promise<void> {
    requireTerms(grant);
    return this.#change(async () => {
      const entry = this.#entry(name);
      await this.#store({ ...entry, held: { ...entry.held, grant } });
    });
  }

  /**
   * Forgets a key.
   * @throws TrustError KEY_UNKNOWN
   */
  remove(name: string): Promise<void> {
    return this.#change(async () => {
      this.#entry(name);
      await rm(this.#fileOf(name), { force: true });
      await syncDirectory(this.#directory);
      this.#entries.delete(name);
    });
  }

  /**
   * Counts a release before it is made.
   * @returns whether the key is still there, under the terms it was found with; if not it may not be released
   */
  countRelease(held: HeldKey, at: Date): Promise<boolean> {
    return this.#change(async () => {
      const entry = this.#entries.get(held.name);
      if (entry?.held !== held) return false;
      const released = entry.released + 1;
      await this.#store({ held, released, lastReleasedAt: at.toISOString() });
      return true;
    });
  }

  async #store(entry: Entry): Promise<void> {
    const { held, released, lastReleasedAt } = entry;
    const content: KeyFile = {
      key: held.bytes.toBase64(),
      grant: held.grant,
      created_at: held.createdAt,
      released,
      ...(lastReleasedAt === undefined ? {} : { last_released_at: lastReleasedAt }),
    };
    await writeState(this.#fileOf(held.name), content);
    this.#entries.set(held.name, entry);
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    throw new TrustError("KEY_UNKNOWN", `no key is named ${name}`);
  }

  #fileOf(name: string): string {
    return join(this.#directory, `${name}${ENDING}`);
  }

  #change<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

async function readEntry(path: string, name: string): Promise<Entry> {
  if (!Value.Check(KeyName, name)) {
    throw new TrustError("STATE_UNUSABLE", `${path}: no key can have this name`);
  }
  const content = await readState(path, KeyFile);
  if (content === undefined) throw new TrustError("STATE_UNUSABLE", `${path} vanished`);
  await requirePrivate(path);
  const { key, grant, created_at: createdAt, released, last_released_at: last } = content;
  return {
    held: { name, bytes: fromBase64(key), grant, createdAt },
    released,
    ...(last === undefined ? {} : { lastReleasedAt: last }),
  };
}

function isSame(present: HeldKey, bytes: Uint8Array, grant: KeyGrant): boolean {
  const sameKey = timingSafeEqual(present.bytes, bytes);
  return canonicalJson(present.grant) === canonicalJson(grant) && sameKey;
}

/** What the words of the contract can't say. */
function requireTerms({ programs, policies, not_after: notAfter }: KeyGrant): void {
  if (programs === undefined && policies === undefined) {
    throw new TrustError("REQUEST_INVALID", "a grant lists programs, or policies, or both");
  }
  if (notAfter !== undefined && Number.isNaN(Date.parse(notAfter))) {
    throw new TrustError("REQUEST_INVALID", "the grant's not_after is no time");
  }
}
