// How often callers may ask: by address before anybody knows who they are, by name after; and much less often for those
// whose proofs are no good. Answers say what is left (draft-ietf-httpapi-ratelimit-headers) and when to come again.
import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ControlError } from "../errors.ts";
import { type Allowance, Buckets, type Rate } from "./buckets.ts";
import { nameOf, type Principal } from "./principal.ts";

/** Rates of requests. */
export interface Rates {
  /** Of everybody who is known. */
  readonly principal: Rate;
  /** Of each address, whoever asks from there. */
  readonly address: Rate;
  /** Of tokens and certificates from an address that were no good. */
  readonly failures: Rate;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Refused for asking too often, and not for the first time in a row: one line in the log says it all. */
    isRefusedAgain?: boolean;
  }
}

const MAXIMUM_PROOFS = 10_000;

/** The limits of a process. Each method lets a request go on, or throws ControlError RATE_LIMITED. */
export class RequestLimits {
  readonly #principals: Buckets;
  readonly #addresses: Buckets;
  readonly #failures: Buckets;
  /** Digests of proofs that were good when they were looked at last. */
  readonly #good = new Set<string>();

  /** @param now milliseconds that only go forward */
  constructor(rates: Rates, now?: () => number) {
    this.#principals = new Buckets(rates.principal, now);
    this.#addresses = new Buckets(rates.address, now);
    this.#failures = new Buckets(rates.failures, now);
  }

  /** Somebody asks. */
  arrived(request: FastifyRequest, reply: FastifyReply): void {
    const allowance = this.#addresses.take(networkOf(request.ip));
    if (!allowance.allowed) refuse("address", this.#addresses.rate, allowance, request, reply);
  }

  /** Somebody shows a proof, which nobody has looked at yet. One that was good before is not kept out by others' wrong ones. */
  proves(proof: string, request: FastifyRequest, reply: FastifyReply): void {
    if (this.#good.has(digestOf(proof))) return;
    const allowance = this.#failures.look(networkOf(request.ip));
    if (!allowance.allowed) refuse("failures", this.#failures.rate, allowance, request, reply);
  }

  /** The proof was no good. */
  failed(proof: string, request: FastifyRequest): void {
    this.#good.delete(digestOf(proof));
    this.#failures.take(networkOf(request.ip));
  }

  /** The proof was good. */
  held(proof: string): void {
    const digest = digestOf(proof);
    this.#good.delete(digest);
    this.#good.add(digest);
    const [oldest] = this.#good;
    if (this.#good.size > MAXIMUM_PROOFS && oldest !== undefined) this.#good.delete(oldest);
  }

  /** It is known who asks. */
  known(principal: Principal, request: FastifyRequest, reply: FastifyReply): void {
    const allowance = this.#principals.take(nameOf(principal));
    tell("principal", this.#principals.rate, allowance, reply);
    if (!allowance.allowed) refuse("principal", this.#principals.rate, allowance, request, reply);
  }
}

function digestOf(proof: string): string {
  return createHash("sha256").update(proof).digest("base64");
}

/** Whoever has one address of a network of IPv6 has all of its addresses. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = ""] = address.split("::");
  return `${head.split(":").slice(0, 4).join(":")}::/64`;
}

function tell(policy: string, { burst, perSecond }: Rate, left: Allowance, to: FastifyReply): void {
  to.header("ratelimit-policy", `"${policy}";q=${burst};w=${Math.ceil(burst / perSecond)}`);
  to.header("ratelimit", `"${policy}";r=${left.remaining};t=${left.waitSeconds}`);
}

function refuse(
  policy: string,
  rate: Rate,
  allowance: Allowance,
  request: FastifyRequest,
  reply: FastifyReply,
): never {
  const { waitSeconds, refused } = allowance;
  tell(policy, rate, allowance, reply);
  request.isRefusedAgain = refused > 1;
  const text = `too many requests; come again in ${waitSeconds} s`;
  throw new ControlError(429, "RATE_LIMITED", text, {
    cause: new Error(`over the rate: ${policy}`),
    retryAfterSeconds: waitSeconds,
  });
}
