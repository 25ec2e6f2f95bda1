// What the operator keeps for appraisals: folders with bundles among their files, one bundle, and what must not pass silently.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { toPem, webCrypto } from "@holdfast/core";
import { bundleItems, encodeCollateralBundle, NO_ENDORSEMENTS } from "@holdfast/evidence";
import { newParty } from "@holdfast/testkit";
import { TrustError } from "../errors.ts";
import { readCollateral } from "./read-collateral.ts";

const [one, other] = await Promise.all(
  ["one", "other"].map((CN) => newParty({ name: { CN }, kind: "p256", isCa: true })),
);

test("a folder with a bundle in it, and a bundle alone, are read", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-collateral-"));
  t.after(() => rm(directory, { recursive: true }));
  const der = (party: typeof one) => party?.certificate.der ?? new Uint8Array();
  const bundled = { ...NO_ENDORSEMENTS, certificates: one ? [one.certificate] : [] };
  const items = await bundleItems(bundled, webCrypto);
  const text = await encodeCollateralBundle({ made: new Date(), items }, webCrypto);
  await mkdir(join(directory, "deeper"));
  await writeFile(join(directory, "deeper/bundle.json"), text);
  await writeFile(join(directory, "other.pem"), toPem("CERTIFICATE", der(other)));
  const namesIn = async (path: string) =>
    (await readCollateral(path, webCrypto)).certificates.map(({ subject }) => subject.text).sort();
  assert.deepEqual(await namesIn(directory), ["CN=one", "CN=other"]);
  assert.deepEqual(await namesIn(join(directory, "deeper/bundle.json")), ["CN=one"]);
  assert.deepEqual(await readCollateral(undefined, webCrypto), NO_ENDORSEMENTS);
  await writeFile(join(directory, "deeper/bundle.json"), text.replace(/"made":"2/, '"made":"3'));
  await assert.rejects(
    namesIn(directory),
    (thrown) =>
      thrown instanceof TrustError &&
      thrown.code === "CONFIG_INVALID" &&
      /bundle\.json: the bundle is damaged/.test(thrown.message),
  );
});
