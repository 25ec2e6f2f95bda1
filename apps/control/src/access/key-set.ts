// Keys of an issuer of tokens (JWK Set, RFC 7517): from a file, or from the one address that the configuration names. No
// address or key in a token is ever used.
import { type Clock, messageOf, readBody, toText } from "@holdfast/core";
import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from "jose";
import { KeysUnavailable } from "./token-rules.ts";

/** Finds the key that a token says it is signed with. */
export type KeySet = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

const MAXIMUM_SET = 256 * 1024;
const MAXIMUM_KEYS = 100;
const ANSWER_MS = 5000;
/** Keys are asked for anew after this long. */
const FRESH_MS = 10 * 60_000;
/** The issuer is not asked again before this long, whoever wants to know and however it went. */
const COOLDOWN_MS = 30_000;
/** Keys that can't be asked for anew are used until this long after. */
const LAST_MS = 24 * 60 * 60_000;

/**
 * Reads a JWK Set. Secret keys in it are never found.
 * @throws Error saying what is wrong with it
 */
export function parseKeySet(text: string): KeySet {
  const { keys } = JSON.parse(text) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length > MAXIMUM_KEYS) {
    throw new Error(`a JWK Set of at most ${MAXIMUM_KEYS} keys expected`);
  }
  return createLocalJWKSet({ keys } as JSONWebKeySet);
}

/** Keys at an address: kept, asked for anew now and then, and when a token names one that is not among them. */
export class RemoteKeySet {
  readonly #url: string;
  readonly #fetcher: Fetch;
  readonly #clock: Clock;
  readonly #onFault: (fault: string) => void;
  #keys: KeySet | undefined;
  #hadAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(options: {
    url: string;
    clock: Clock;
    onFault: (fault: string) => void;
    fetcher?: Fetch;
  }) {
    this.#url = options.url;
    this.#clock = options.clock;
    this.#onFault = options.onFault;
    this.#fetcher = options.fetcher ?? fetch;
  }

  /** Finds a token's key. @throws KeysUnavailable, or jose's error when the set has no such key */
  readonly find: KeySet = async (header, token) => {
    if (this.#age() >= FRESH_MS) {
      const asking = this.#ask();
      if (this.#age() >= LAST_MS) await asking;
    }
    try {
      return await this.#current()(header, token);
    } catch (thrown) {
      if (!(thrown instanceof errors.JWKSNoMatchingKey)) throw thrown;
      // Perhaps a new one: keys are changed without notice.
      const before = this.#keys;
      await this.#ask();
      if (this.#keys === before) throw thrown;
      return await this.#current()(header, token);
    }
  };

  #current(): KeySet {
    if (this.#keys === undefined || this.#age() >= LAST_MS) {
      throw new KeysUnavailable(`${this.#url} gives no keys`);
    }
    return this.#keys;
  }

  #age(): number {
    return this.#clock.now().getTime() - this.#hadAt;
  }

  async #ask(): Promise<void> {
    const now = this.#clock.now().getTime();
    if (this.#asking === undefined && now - this.#askedAt < COOLDOWN_MS) return;
    this.#askedAt = this.#asking === undefined ? now : this.#askedAt;
    this.#asking ??= this.#fetch().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #fetch(): Promise<void> {
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const headers = { accept: "application/jwk-set+json, application/json" };
      const answer = await this.#fetcher(this.#url, { headers, signal, redirect: "error" });
      const bytes = answer.body === null ? undefined : await readBody(answer.body, MAXIMUM_SET);
      if (answer.status !== 200) throw new Error(`it answered ${answer.status}`);
      if (bytes === undefined) throw new Error(`the answer is over ${MAXIMUM_SET} bytes`);
      this.#keys = parseKeySet(toText(bytes));
      this.#hadAt = this.#clock.now().getTime();
    } catch (thrown) {
      this.#onFault(`keys at ${this.#url}: ${messageOf((thrown as Error).cause ?? thrown)}`);
    }
  }
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>;
