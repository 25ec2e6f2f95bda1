// The security lifecycle of Arm platforms (RFC 9783 section 4.3.1): the upper byte is the state.
import { type Check, check } from "@holdfast/core";

const STATES: Readonly<Record<number, string>> = {
  0: "unknown",
  16: "assembly and test",
  32: "provisioning of the root of trust",
  48: "secured",
  64: "debug outside the root of trust",
  80: "recoverable debug of the root of trust",
  96: "decommissioned",
};
const SECURED = 48;
const DEBUG: ReadonlySet<number> = new Set([64, 80]);

/** Whether somebody may debug the platform. */
export function isArmDebug(lifecycle: number): boolean {
  return DEBUG.has(lifecycle >> 8);
}

/** The platform is secured; a debug state passes only when the caller allows it. */
export function lifecycleCheck(name: string, lifecycle: number, allowDebug: boolean): Check {
  const state = STATES[lifecycle >> 8] ?? "no state known here";
  const fits = lifecycle >> 8 === SECURED || (allowDebug && isArmDebug(lifecycle));
  return check(name, fits, `lifecycle ${lifecycle.toString(16)}h: ${state}`);
}
