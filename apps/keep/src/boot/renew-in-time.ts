// Renews the keep's certificate before it ends: new evidence and certificate, same key, same policy. When the service can't be reached
// the keep tries again until the old certificate has ended; then its clients refuse it by themselves.
import type { Log } from "../log.ts";
import { type AttestDeps, type AttestedKeep, attestKeep } from "./attest-keep.ts";

/** What renewal needs. */
export interface Renewal {
  readonly attested: AttestedKeep;
  readonly deps: AttestDeps;
  readonly log: Log;
  readonly renew: (attested: AttestedKeep) => void;
}

/** Part of a certificate's life after which it is renewed. */
const RENEW_AFTER = 2 / 3;
const LEAST_WAIT_MS = 10_000;
/** Waits between attempts are doubled up to here. */
const MOST_RETRY_MS = 10 * 60 * 1000;
/** Timers can't be set for longer than 24 days. */
const MOST_WAIT_MS = 24 * 60 * 60 * 1000;

/** Renews from now on, until stopped. */
export function renewInTime({ attested, deps, log, renew }: Renewal): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let retryMs = LEAST_WAIT_MS;
  const plan = (dueAt: number): void => {
    const wait = Math.max(dueAt - deps.clock.now().getTime(), LEAST_WAIT_MS);
    timer = setTimeout(() => look(dueAt), Math.min(wait, MOST_WAIT_MS));
    timer.unref();
  };
  const look = (dueAt: number): void => {
    if (deps.clock.now().getTime() < dueAt) {
      plan(dueAt);
      return;
    }
    attestKeep(deps, attested.key).then(
      (next) => {
        retryMs = LEAST_WAIT_MS;
        renew(next);
        log.info("renewed", { certificate_ends_at: next.verdict.notAfter.toISOString() });
        plan(dueTime(next, deps));
      },
      (thrown: { code?: string }) => {
        log.warn("renewal-failed", { code: thrown.code ?? "unknown" });
        plan(deps.clock.now().getTime() + retryMs);
        retryMs = Math.min(retryMs * 2, MOST_RETRY_MS);
      },
    );
  };
  plan(dueTime(attested, deps));
  return { stop: () => clearTimeout(timer) };
}

function dueTime({ verdict }: AttestedKeep, { clock }: AttestDeps): number {
  const now = clock.now().getTime();
  return now + (verdict.notAfter.getTime() - now) * RENEW_AFTER;
}
