// What a person is told who does not believe who answered.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { newIdentity } from "@holdfast/channel";
import { systemClock } from "@holdfast/core";
import type { HintedError } from "../errors.ts";
import { Access } from "./access.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

for (const [fault, daysAgo, isKnown, says] of [
  ["a certificate that has ended", 30, true, /my ca\.pem has ended, or .*look at both clocks/],
  ["another authority", 0, false, /does not hang under my ca\.pem/],
] as const) {
  test(`${fault} is told with what to do`, async (t) => {
    const clock = { now: () => new Date(systemClock.now().getTime() - daysAgo * DAY_MS) };
    const shown = await newIdentity({ commonName: "127.0.0.1", clock, days: 10 });
    const other = await newIdentity({ commonName: "127.0.0.1", clock });
    const server = createServer({ cert: shown.certificatePem, key: shown.keyPem });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { certificatePem: authoritiesPem } = isKnown ? shown : other;
    const given = { authoritiesPem, authoritiesFrom: "my ca.pem" };
    const asked = new Access({ urls: {}, given })
      .transport(url)
      .request({ method: "GET", path: "/" });
    await assert.rejects(asked, ({ code, hint }: HintedError) => {
      assert.equal(code, "SERVICE_UNTRUSTED");
      assert.match(hint ?? "", says);
      return true;
    });
  });
}
