// How often callers may ask: by address before anybody knows who they are, by name after; and much less often for those
// whose proofs are no good. Answers say what is left and when to come again.
import {
  Buckets,
  CallerLimits,
  type CallerRates,
  type OverRate,
  overRate,
  type Rate,
  rateHeaders,
} from "@holdfast/channel";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ControlError } from "../errors.ts";
import { nameOf, type Principal } from "./principal.ts";

/** Rates of requests. */
export interface Rates extends CallerRates {
  /** Of everybody who is known. */
  readonly principal: Rate;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Refused for asking too often, and not for the first time in a row: one line in the log says it all. */
    isRefusedAgain?: boolean;
  }
}

/** The limits of a process. Each method lets a request go on, or throws ControlError RATE_LIMITED. */
export class RequestLimits {
  readonly #principals: Buckets;
  readonly #callers: CallerLimits;

  /** @param now milliseconds that only go forward */
  constructor(rates: Rates, now?: () => number) {
    this.#principals = new Buckets(rates.principal, now);
    this.#callers = new CallerLimits(rates, now);
  }

  /** Somebody asks. */
  arrived(request: FastifyRequest, reply: FastifyReply): void {
    refuse(this.#callers.arrived(request.ip), request, reply);
  }

  /** Somebody shows a proof, which nobody has looked at yet. */
  proves(proof: string, request: FastifyRequest, reply: FastifyReply): void {
    refuse(this.#callers.proves(proof, request.ip), request, reply);
  }

  /** The proof was no good. */
  failed(proof: string, { ip }: FastifyRequest): void {
    this.#callers.failed(proof, ip);
  }

  /** The proof was good. */
  held(proof: string): void {
    this.#callers.held(proof);
  }

  /** It is known who asks. */
  known(principal: Principal, request: FastifyRequest, reply: FastifyReply): void {
    const allowance = this.#principals.take(nameOf(principal));
    const { rate } = this.#principals;
    reply.headers(rateHeaders({ policy: "principal", rate, allowance }));
    refuse(overRate("principal", this.#principals, allowance), request, reply);
  }
}

function refuse(over: OverRate | undefined, request: FastifyRequest, reply: FastifyReply): void {
  if (over === undefined) return;
  const { waitSeconds, refused } = over.allowance;
  reply.headers(rateHeaders(over));
  request.isRefusedAgain = refused > 1;
  const text = `too many requests; come again in ${waitSeconds} s`;
  throw new ControlError(429, "RATE_LIMITED", text, {
    cause: new Error(`over the rate: ${over.policy}`),
    retryAfterSeconds: waitSeconds,
  });
}
