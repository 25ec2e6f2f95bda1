// A service's refusal, as its clients see it.
import { HoldfastError } from "@holdfast/core";
import type { Problem } from "./problem.ts";

/** Codes that the clients add to those of the services. */
export type ClientErrorCode = "SERVICE_UNREACHABLE" | "SERVICE_UNTRUSTED" | "SERVICE_ANSWER";

/** A request that a service refused; `code` and `message` are the service's own. */
export class ServiceRefusal extends HoldfastError {
  readonly status: number;
  readonly faults: NonNullable<Problem["faults"]>;
  /** When asking again may come to something, in seconds, if the service said so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(service: string, problem: Problem, retryAfterSeconds?: number) {
    super(problem.code, problem.detail, { details: { service, status: problem.status } });
    this.status = problem.status;
    this.faults = problem.faults ?? [];
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A service that can't be reached, shows a certificate that is not trusted, or does not speak our words. */
export class ServiceError extends HoldfastError {
  declare readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}
