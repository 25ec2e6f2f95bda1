// The keys of the service in one file: authorities, the newest in use and older ones for keeps whose policies name them,
// and the keys of attestation results. Made on first start; replaced as a whole, so that no crash leaves half a rotation.
import { type Clock, messageOf } from "@holdfast/core";
import { type Static, Type } from "typebox";
import { TrustError } from "../errors.ts";
import { type Authority, newAuthority, readAuthority } from "./authority.ts";
import { checkOutside } from "./check-outside.ts";
import { newResultKeyPem, type ResultKey, readResultKey } from "./result-key.ts";
import { readState, requirePrivate, writeState } from "./state-file.ts";

const KeysFile = Type.Object(
  {
    /** In use first. */
    authorities: Type.Array(
      Type.Object(
        { key_pem: Type.String(), chain_pem: Type.String() },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 100 },
    ),
    results: Type.Array(
      Type.Object(
        { key_pem: Type.String(), retired_at: Type.Optional(Type.String()) },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 100 },
    ),
  },
  { additionalProperties: false },
);

type KeysFile = Static<typeof KeysFile>;

/** A retired result key is published until every token it signed has expired. */
const RETIRED_KEPT_MS = 60 * 60 * 1000;
/** The certificates of result keys, good for longer, are made anew after this long. */
const CERTIFIED_ANEW_MS = 30 * 24 * 60 * 60 * 1000;

/** A result key; a retired one only verifies. */
interface KnownResultKey extends ResultKey {
  readonly retiredAt: number | undefined;
}

/** The keys of the service. */
export class Keys {
  readonly #file: string;
  readonly #clock: Clock;
  #stored: KeysFile;
  #authorities: readonly Authority[] = [];
  #results: readonly KnownResultKey[] = [];
  #certifiedAt = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: string, clock: Clock, stored: KeysFile) {
    this.#file = file;
    this.#clock = clock;
    this.#stored = stored;
  }

  /**
   * The keys kept in a file, made when there is none.
   * @throws TrustError KEYS_UNUSABLE
   */
  static async open(file: string, clock: Clock): Promise<Keys> {
    try {
      const present = await readState(file, KeysFile);
      if (present !== undefined) await requirePrivate(file);
      const stored = present ?? {
        authorities: [await newAuthority(clock)],
        results: [{ key_pem: newResultKeyPem() }],
      };
      const keys = new Keys(file, clock, stored);
      await keys.#load();
      if (present === undefined) await writeState(file, stored);
      return keys;
    } catch (cause) {
      throw new TrustError("KEYS_UNUSABLE", `${file}: ${messageOf(cause)}`, { cause });
    }
  }

  /** The authority that issues, unless a keep's policy names an older one. */
  get authority(): Authority {
    const [current] = this.#authorities;
    if (current === undefined) throw new Error("no authority");
    return current;
  }

  /** All authorities, the one in use first. */
  get authorities(): readonly Authority[] {
    return this.#authorities;
  }

  /** An authority by the SHA-256 of its certificate. */
  find(sha256: string): Authority | undefined {
    return this.#authorities.find((each) => each.sha256 === sha256);
  }

  /** The key that signs results, first, and those whose tokens may still be about. */
  async resultKeys(): Promise<readonly [ResultKey, ...ResultKey[]]> {
    const now = this.#clock.now().getTime();
    if (now > this.#certifiedAt + CERTIFIED_ANEW_MS) await this.#load();
    const [current, ...retired] = this.#results;
    if (current === undefined) throw new Error("no result key");
    return [current, ...retired.filter(({ retiredAt = 0 }) => retiredAt + RETIRED_KEPT_MS > now)];
  }

  /** Makes a new authority and a new result key, and uses them from now on; the old authority stays for its keeps. */
  rotate(): Promise<Authority> {
    return this.#change(async ({ authorities, results }) => ({
      authorities: [await newAuthority(this.#clock), ...authorities],
      results: this.#withNewResultKey(results),
    }));
  }

  /**
   * Uses a certificate that an outside authority gave for the key in use, with those above it.
   * @throws TrustError REQUEST_INVALID when it is not for this key, may not issue, or the path does not hold
   */
  adopt(chainPem: string): Promise<Authority> {
    return this.#change(async ({ authorities, results }) => {
      const stored = { key_pem: this.authority.stored.key_pem, chain_pem: chainPem };
      try {
        await checkOutside(stored, this.#clock);
      } catch (cause) {
        throw new TrustError("REQUEST_INVALID", `chain_pem: ${messageOf(cause)}`, { cause });
      }
      const { sha256 } = await readAuthority(stored);
      if (this.find(sha256) !== undefined) {
        throw new TrustError("REQUEST_INVALID", "chain_pem: the certificate is known already");
      }
      return { authorities: [stored, ...authorities], results };
    });
  }

  /**
   * Forgets an authority and its key. Keeps whose policies name it can't renew any more.
   * @throws TrustError AUTHORITY_UNKNOWN, AUTHORITY_IN_USE
   */
  retire(sha256: string): Promise<Authority> {
    return this.#change(async ({ authorities, results }) => {
      const index = this.#authorities.findIndex((each) => each.sha256 === sha256);
      if (index < 0) throw new TrustError("AUTHORITY_UNKNOWN", "no authority has this certificate");
      if (index === 0)
        throw new TrustError("AUTHORITY_IN_USE", "the authority in use can't be retired");
      return { authorities: authorities.toSpliced(index, 1), results };
    });
  }

  #withNewResultKey(results: KeysFile["results"]): KeysFile["results"] {
    const now = this.#clock.now();
    const kept = results
      .map((each) => ({ retired_at: now.toISOString(), ...each }))
      .filter(({ retired_at }) => Date.parse(retired_at) + RETIRED_KEPT_MS > now.getTime());
    return [{ key_pem: newResultKeyPem() }, ...kept];
  }

  #change(change: (stored: KeysFile) => Promise<KeysFile>): Promise<Authority> {
    const turn = this.#last.then(async () => {
      const next = await change(this.#stored);
      await writeState(this.#file, next);
      this.#stored = next;
      await this.#load();
      return this.authority;
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #load(): Promise<void> {
    const { authorities, results } = this.#stored;
    this.#authorities = await Promise.all(authorities.map(readAuthority));
    this.#results = await Promise.all(
      results.map(async ({ key_pem, retired_at }) => ({
        ...(await readResultKey(key_pem, this.authority, this.#clock)),
        retiredAt: retired_at === undefined ? undefined : Date.parse(retired_at),
      })),
    );
    this.#certifiedAt = this.#clock.now().getTime();
  }
}
