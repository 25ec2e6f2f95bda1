// Bundles: what goes in comes out and is judged as it was, one text for one content, and each damage by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson, fromText, toBase64, toPem, webCrypto } from "@holdfast/core";
import { newIntelEvidence, newIntelWorld, newSnpEvidence, newSnpWorld } from "@holdfast/testkit";
import fc from "fast-check";
import {
  bundleItems,
  type Endorsements,
  EvidenceError,
  encodeCollateralBundle,
  isCollateralBundle,
  judge,
  mergeEndorsements,
  parseCollateralBundle,
  readEndorsements,
  unpackBundles,
  verifyEvidence,
} from "../index.ts";

const MADE = new Date("2026-06-01T12:00:00.000Z");
const intel = await newIntelEvidence(await newIntelWorld());
const snp = await newSnpEvidence(await newSnpWorld());
const all = mergeEndorsements(intel.request.endorsements, snp.request.endorsements);

async function bundled(endorsements: Endorsements): Promise<string> {
  const items = await bundleItems(endorsements, webCrypto);
  return await encodeCollateralBundle({ made: MADE, items }, webCrypto);
}

const text = await bundled(all);

test("evidence is judged with a bundle as with the documents it was made of", async () => {
  assert.ok(isCollateralBundle(fromText(text)));
  const { files, damaged } = await unpackBundles(
    [{ name: "bundle.json", bytes: fromText(text) }],
    webCrypto,
  );
  assert.deepEqual(damaged, []);
  const endorsements = readEndorsements(files);
  assert.deepEqual(endorsements.ignored, []);
  for (const { evidence, request } of [intel, snp]) {
    const before = await verifyEvidence(evidence, request);
    const after = await verifyEvidence(evidence, { ...request, endorsements });
    assert.equal(after.verdict, "affirmed");
    assert.deepEqual(after, before);
    const inPage = await judge(evidence, {
      ...request,
      endorsements: [{ name: "bundle.json", bytes: fromText(text) }],
      roots: (request.anchors ?? []).map(({ der }) => der),
    });
    assert.deepEqual(inPage, before);
  }
});

test("the same documents make the same bundle, in whatever order and however often they come", async () => {
  const turned = {
    ...all,
    certificates: all.certificates.toReversed(),
    revocationLists: [...all.revocationLists, ...all.revocationLists],
    intel: all.intel.toReversed(),
  };
  assert.equal(await bundled(turned), text);
  const { made, items } = await parseCollateralBundle(fromText(text), webCrypto);
  assert.deepEqual(made, MADE);
  assert.equal(await encodeCollateralBundle({ made, items }, webCrypto), text);
  const again = await bundleItems(
    readEndorsements(items.map(({ what, bytes }) => ({ name: what, bytes }))),
    webCrypto,
  );
  assert.deepEqual(again, items);
});

interface Members {
  [name: string]: unknown;
  items: { [name: string]: unknown }[];
}

/** A bundle with its members changed; its own digest made right again, unless told otherwise. */
async function changed(
  change: (members: Members) => void,
  { sealed = true }: { sealed?: boolean } = {},
): Promise<string> {
  const members = JSON.parse(text) as Members;
  change(members);
  if (!sealed) return canonicalJson(members as never);
  const { sha256: _, ...body } = members;
  const digest = await webCrypto.digest("SHA-256", fromText(canonicalJson(body as never)));
  return canonicalJson({ ...body, sha256: digest.toHex() } as never);
}

const KEY = toPem("PUBLIC KEY", intel.request.anchors?.[0]?.spki ?? new Uint8Array());

async function itemOver(bytes: Uint8Array, kind: string): Promise<{ [name: string]: unknown }> {
  const digest = await webCrypto.digest("SHA-256", bytes);
  return { kind, what: "planted", sha256: digest.toHex(), bytes: toBase64(bytes) };
}

const planted = await Promise.all([
  itemOver(fromText(KEY), "certificate"),
  itemOver(fromText("nothing"), "certificate"),
  itemOver(fromText(toPem("CERTIFICATE", all.certificates[0]?.der ?? fromText(""))), "certificate"),
  itemOver(all.certificates[0]?.der ?? fromText(""), "revocation-list"),
]);

const FAULTS: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
  ["cut short", async () => text.slice(0, -10), /can't be read/],
  [
    "in another text for the same content",
    async () => text.replace('"version":', '"version": '),
    /canonical/,
  ],
  ["with a byte behind it", async () => `${text} `, /canonical/],
  [
    "with another time under the old digest",
    () => changed((members) => Object.assign(members, { made: "x" }), { sealed: false }),
    /damaged/,
  ],
  [
    "without an item under the old digest",
    () => changed(({ items }) => items.pop(), { sealed: false }),
    /damaged/,
  ],
  [
    "of a version to come",
    () => changed((members) => Object.assign(members, { version: 2 })),
    /version 1/,
  ],
  ["without a time", () => changed((members) => Object.assign(members, { made: "x" })), /made/],
  [
    "with an item whose digest is another",
    () => changed(({ items }) => Object.assign(items[0] ?? {}, { sha256: "00".repeat(32) })),
    /SHA-256 is another/,
  ],
  [
    "with an item of another kind",
    () =>
      changed(({ items }) => {
        const first = items[0] ?? {};
        const other = first["kind"] === "certificate" ? "revocation-list" : "certificate";
        Object.assign(first, { kind: other });
      }),
    /not one/,
  ],
  ["with a key", () => changed(({ items }) => items.push(planted[0] ?? {})), /keys are enrolled/],
  ["with a file that is nothing", () => changed(({ items }) => items.push(planted[1] ?? {})), /no/],
  [
    "with a document in another form",
    () => changed(({ items }) => items.push(planted[2] ?? {})),
    /not one/,
  ],
  [
    "with a certificate as a list",
    () => changed(({ items }) => items.push(planted[3] ?? {})),
    /not one/,
  ],
  ["without items", () => changed((members) => Object.assign(members, { items: 1 })), /items/],
];

for (const [name, make, message] of FAULTS) {
  test(`refused: a bundle ${name}`, async () => {
    const bytes = fromText(await make());
    await assert.rejects(parseCollateralBundle(bytes, webCrypto), (thrown) => {
      assert.ok(thrown instanceof EvidenceError, String(thrown));
      assert.match(thrown.message, message);
      return true;
    });
    const { files, damaged } = await unpackBundles([{ name: "b", bytes }], webCrypto);
    assert.deepEqual(files, []);
    assert.equal(damaged.length, 1);
  });
}

test("a bundle that nobody unpacked endorses nothing", () => {
  const { ignored, certificates } = readEndorsements([{ name: "b", bytes: fromText(text) }]);
  assert.equal(ignored.length, 1);
  assert.deepEqual(certificates, []);
});

test("any change is found, and is an error of our own", async () => {
  const bytes = fromText(text);
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
      fc.pre(bytes[at] !== value);
      await assert.rejects(
        parseCollateralBundle(bytes.with(at, value), webCrypto),
        (thrown) => thrown instanceof EvidenceError,
      );
    }),
    { numRuns: 200 },
  );
});
