// What follows from checks: whether the evidence is authentic, and what trustworthiness it earns.
import type { Check } from "@holdfast/core";
import { TRUST, type TrustVector, trustVector } from "../trust-vector.ts";

/** Whether every check that authenticity rests on was made and passed. */
export function authenticBy(checks: readonly Check[], needed: ReadonlySet<string>): boolean {
  const passed = new Set(
    checks.filter(({ outcome }) => outcome === "passed").map(({ name }) => name),
  );
  return [...needed].every((name) => passed.has(name));
}

/** The vector of authentic evidence from a hardware platform. */
export function hardwareVector(
  checks: readonly Check[],
  options: {
    /** Whether the vendor's own root stands behind it; behind a simulation stands software. */
    readonly genuine: boolean;
    /** Name of the check of debug mode. */
    readonly debug: string;
    /** Name of the check that compares the measurement, when it was asked for. */
    readonly measurement: string;
    /** Name of the check of the platform's security version, where the vendor gives one. */
    readonly tcb?: string;
  },
): TrustVector {
  const outcomeOf = (name: string | undefined): Check["outcome"] | undefined =>
    checks.find((each) => each.name === name)?.outcome;
  const measured = {
    passed: TRUST.executablesApproved,
    failed: TRUST.executablesContraindicated,
    "not performed": TRUST.executablesUnrecognised,
  };
  const genuine = { current: TRUST.hardwareGenuine, old: TRUST.hardwareUnsafe };
  const current = options.tcb === undefined || outcomeOf(options.tcb) === "passed";
  return trustVector({
    instanceIdentity: options.genuine ? TRUST.instanceTrustworthy : TRUST.none,
    configuration:
      outcomeOf(options.debug) === "passed"
        ? TRUST.configurationApproved
        : TRUST.configurationUnsupportable,
    executables: measured[outcomeOf(options.measurement) ?? "not performed"],
    // A root that the caller named: recognised, but nothing protects it.
    hardware: options.genuine ? genuine[current ? "current" : "old"] : TRUST.hardwareUnsafe,
    runtimeOpaque: options.genuine ? TRUST.runtimeIsolated : TRUST.none,
  });
}
