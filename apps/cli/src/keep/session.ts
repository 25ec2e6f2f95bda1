// A conversation with one keep that has proven itself, or has been let off a check on purpose.
import {
  type ClientIdentity,
  connectKeep,
  type KeepVerdict,
  type SkippableCheck,
} from "@holdfast/channel";
import { KeepClient } from "@holdfast/contract";
import type { Policy } from "@holdfast/policy";
import { InvalidArgumentError } from "commander";
import type { Context } from "../context.ts";

/** An open conversation. */
export interface KeepSession extends Disposable {
  readonly keep: KeepClient;
  readonly verdict: KeepVerdict;
}

/** Checks that may be skipped. */
export const SKIPPABLE: readonly SkippableCheck[] = [
  "chain",
  "measurement",
  "policy-hash",
  "dates",
];

/** Connects, judges, and only then answers. */
export async function openKeep(
  context: Pick<Context, "clock" | "interrupted">,
  options: {
    policy: Policy;
    identity: ClientIdentity;
    skip?: readonly SkippableCheck[];
    timeoutMs?: number;
  },
): Promise<KeepSession> {
  const connection = await connectKeep({
    policy: options.policy,
    identity: options.identity,
    clock: context.clock,
    signal: context.interrupted,
    skip: new Set(options.skip ?? []),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  return {
    keep: new KeepClient(connection),
    verdict: connection.verdict,
    [Symbol.dispose]: () => connection.close(),
  };
}

/** Names of checks to skip, comma separated, repeatable. */
export function collectSkips(
  text: string,
  earlier: readonly SkippableCheck[] | undefined,
): readonly SkippableCheck[] {
  const names = text.split(",").map((name) => {
    const known = SKIPPABLE.find((each) => each === name);
    if (known === undefined) {
      throw new InvalidArgumentError(`Known checks are ${SKIPPABLE.join(", ")}.`);
    }
    return known;
  });
  return [...(earlier ?? []), ...names];
}

/** One line on what a keep has proven. */
export function verdictLine(verdict: KeepVerdict): string {
  const passed = verdict.checks.filter(({ outcome }) => outcome === "passed").length;
  const skipped = verdict.checks.filter(({ outcome }) => outcome === "not performed");
  return [
    `keep proven: ${passed} checks passed`,
    ...(skipped.length === 0 ? [] : [`SKIPPED ${skipped.map(({ name }) => name).join(", ")}`]),
    platformWord(verdict),
  ].join(", ");
}

/** A platform's name, with SIMULATED where nothing but software stands behind it. */
export function platformWord({
  platform,
  simulated,
}: {
  platform: string;
  simulated: boolean;
}): string {
  return simulated ? `SIMULATED platform (${platform})` : `platform ${platform}`;
}
