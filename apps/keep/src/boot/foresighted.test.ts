// A challenge that is asked for while the policy is still looked through: used once, and never another's.
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { BootError } from "../errors.ts";
import { type AttestationService, foresighted } from "./attestation-service.ts";
import { readOrders } from "./read-orders.ts";

/** A service that numbers its challenges, and fails where it is told to. */
function numbered(failing: readonly number[] = []) {
  let asked = 0;
  const service: AttestationService = {
    async challenge() {
      asked += 1;
      if (failing.includes(asked)) throw new BootError("BOOT_SERVICE", "away");
      return { id: String(asked), nonce: new Uint8Array(32) };
    },
    certificate: async () => "",
  };
  return { service: foresighted(service), asked: () => asked };
}

test("a challenge asked for ahead is the next one, and the one after it is new", async () => {
  const { service, asked } = numbered();
  service.askAhead();
  assert.equal(asked(), 1);
  const ids = [await service.challenge(), await service.challenge()].map(({ id }) => id);
  assert.deepEqual(ids, ["1", "2"]);
});

test("one that failed is told to whoever needs it, and asked for again after that", async () => {
  const { service } = numbered([1]);
  service.askAhead();
  await assert.rejects(service.challenge(), { code: "BOOT_SERVICE" });
  assert.equal((await service.challenge()).id, "2");
});

test("an assignment is announced before anybody looks at it, the configuration is not", async () => {
  const stream = new PassThrough();
  const orders = readOrders(stream);
  const announced: string[] = [];
  stream.write('{"attestation_url": "http://127.0.0.1:3010"}\n');
  const boot = await orders.boot();
  const refused = orders.assignment(boot, () => announced.push("assignment"));
  assert.deepEqual(announced, []);
  stream.end("nonsense\n");
  await assert.rejects(refused, { code: "BOOT_CONFIG" });
  assert.deepEqual(announced, ["assignment"]);
});
