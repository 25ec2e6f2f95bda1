// One document for each defect, under a root of our own: the verifier refuses each and names that check, no other.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { toHex, toPem } from "@holdfast/core";
import {
  CHAIN_DEFECTS,
  CONTENT_DEFECTS,
  FORMAT_DEFECTS,
  filled,
  type NitroChanges,
  newNitroDocument,
  newNitroWorld,
  newParty,
} from "@holdfast/testkit";
import { awsNitroRoot, cborWrite as cbor, NITRO_CHECKS, verdictOf, verifyNitro } from "../index.ts";

const world = await newNitroWorld();
const DEFECTS = [...FORMAT_DEFECTS, ...CHAIN_DEFECTS, ...CONTENT_DEFECTS];

for (const { name, fails, changes, request } of DEFECTS) {
  test(`refused: ${name}`, async () => {
    const document = await newNitroDocument(world, await changes?.(world));
    const appraisal = await verifyNitro(document, { ...world.request, ...request?.(world) });
    const failed = appraisal.checks.filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(
      failed.map((check) => check.name),
      fails,
      failed.map(({ detail }) => detail).join("; "),
    );
    assert.equal(appraisal.verdict, "refused");
    assert.deepEqual(
      appraisal.checks.map((check) => check.name),
      [...NITRO_CHECKS],
    );
  });
}

test("each check is the only thing that stands between one defect and an affirmed verdict", async () => {
  const alone = new Map<string, string>();
  for (const { name, fails, changes, request } of DEFECTS) {
    const [only] = fails;
    if (fails.length !== 1 || only === undefined || alone.has(only)) continue;
    const document = await newNitroDocument(world, await changes?.(world));
    const { checks, waived } = await verifyNitro(document, {
      ...world.request,
      ...request?.(world),
    });
    const disabled = checks.filter((check) => check.name !== only);
    const gated = disabled.some(({ outcome }) => outcome === "not performed");
    if (verdictOf(disabled, gated ? NITRO_CHECKS : waived) !== "refused") alone.set(only, name);
  }
  assert.deepEqual([...alone.keys()].toSorted(), [...NITRO_CHECKS].toSorted());
});

const GOOD: readonly (readonly [name: string, changes: NitroChanges])[] = [
  ["as the module writes it", {}],
  [
    "with maps of definite length",
    {
      encode: (fields) =>
        cbor.map(...fields.map(([name, value]) => [cbor.text(name), value] as const)),
    },
  ],
  ["with the tag of COSE_Sign1", { document: (bytes) => Uint8Array.of(0xd2, ...bytes) }],
  [
    "with sparse PCRs of 32, 48 and 64 bytes",
    {
      payload: {
        pcrs: new Map([
          [0, world.image],
          [8, filled(32, 1)],
          [31, filled(64, 2)],
        ]),
      },
    },
  ],
];

for (const [name, changes] of GOOD) {
  test(`affirmed: a document ${name}`, async () => {
    const appraisal = await verifyNitro(await newNitroDocument(world, changes), world.request);
    assert.deepEqual(
      appraisal.checks.filter(({ outcome }) => outcome !== "passed"),
      [],
    );
    assert.equal(appraisal.verdict, "affirmed");
    assert.equal(appraisal.platform, "simulated-nitro");
  });
}

test("a simulated root that bears the name of AWS's is simulated all the same", async () => {
  const { subject } = awsNitroRoot();
  const imitation = await newParty({
    name: {},
    kind: "p384",
    isCa: true,
    change: { subject: subject.der, issuer: subject.der, algorithm: "ecdsa-sha384" },
  });
  const authority = {
    certificatePem: toPem("CERTIFICATE", imitation.certificate.der),
    keyPem: imitation.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
  const document = await newNitroDocument(
    { ...world, authority },
    { certificate: (_level, certificate) => certificate },
  );
  const anchors = [awsNitroRoot(), imitation.certificate];
  const appraisal = await verifyNitro(document, { ...world.request, anchors });
  assert.equal(appraisal.verdict, "affirmed");
  assert.equal(appraisal.platform, "simulated-nitro");
  assert.equal(appraisal.simulated, true);
  assert.equal(
    appraisal.collateral[0]?.sha256,
    createHash("sha256").update(imitation.certificate.der).digest("hex"),
  );
});

test("affirmed: a document with the longest nonce, user_data and public_key", async () => {
  const payload = { nonce: filled(512, 1), userData: filled(512, 2), publicKey: filled(1024, 3) };
  const document = await newNitroDocument(world, { payload });
  const { verdict, claims } = await verifyNitro(document, { ...world.request, ...payload });
  assert.equal(verdict, "affirmed");
  assert.equal(claims?.publicKey, toHex(payload.publicKey));
});

test("debug mode is affirmed only when the caller allows it, and is reported", async () => {
  const debug = CONTENT_DEFECTS.find(({ fails }) => fails[0] === "nitro.debug");
  const document = await newNitroDocument(world, await debug?.changes?.(world));
  const request = { ...world.request, pcrs: "waived", allowDebug: true } as const;
  const appraisal = await verifyNitro(document, request);
  assert.equal(appraisal.verdict, "affirmed");
  assert.equal(appraisal.debug, true);
});

test("at its own time an old document is judged without its age, and says so", async () => {
  const document = await newNitroDocument(world);
  const appraisal = await verifyNitro(document, { ...world.request, at: "document" });
  const time = appraisal.checks.find(({ name }) => name === "nitro.time");
  assert.equal(time?.outcome, "not performed");
  assert.deepEqual(appraisal.at, world.at);
  assert.equal(appraisal.verdict, "affirmed");
  const never = await newNitroDocument(world, { payload: { timestamp: 2 ** 53 - 1 } });
  assert.equal((await verifyNitro(never, { ...world.request, at: "document" })).verdict, "refused");
});

test("a document that binds nothing is no proof of the values that were not asked for", async () => {
  const document = await newNitroDocument(world);
  const appraisal = await verifyNitro(document, {
    ...world.request,
    nonce: "waived",
    userData: "waived",
    publicKey: "waived",
    pcrs: "waived",
  });
  const open = appraisal.checks.filter(({ outcome }) => outcome === "not performed");
  assert.deepEqual(
    open.map(({ name }) => name),
    ["nitro.pcrs", "nitro.nonce", "nitro.user-data", "nitro.public-key"],
  );
  assert.equal(verdictOf(appraisal.checks, []), "not-judged");
});
