// Asserts on the faults of a refused policy.
import assert from "node:assert/strict";
import { PolicyError } from "../errors.ts";

/** Faults of a refusal as `CODE pointer`, in order; fails when nothing is refused. */
export function faultsOf(read: () => unknown): string[] {
  try {
    read();
  } catch (thrown) {
    assert.ok(thrown instanceof PolicyError, String(thrown));
    assert.equal(thrown.code, "POLICY_INVALID");
    for (const { message } of thrown.faults) assert.match(message, /\w/);
    return thrown.faults.map(({ code, pointer }) => `${code} ${pointer}`);
  }
  assert.fail("nothing was refused");
}
