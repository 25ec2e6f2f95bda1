// Asserts a keep's refusal by its code.
import assert from "node:assert/strict";
import { ServiceRefusal } from "@holdfast/contract";

/** The call is refused with the code, and with a message that matches. */
export async function refused(code: string, call: Promise<unknown>, message = /./): Promise<void> {
  await assert.rejects(call, (thrown) => {
    assert.ok(thrown instanceof ServiceRefusal, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, message);
    return true;
  });
}
