// The whole of certifying over HTTP: what is issued, and for each fault one refusal that names it in the log alone.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { keepClaims } from "@holdfast/channel";
import { affirmed, fromPem, parseCertificate, toHex, verifyPath, webCrypto } from "@holdfast/core";
import { AWS_NITRO_ROOT_SHA256 } from "@holdfast/evidence";
import {
  CHAIN_DEFECTS,
  CONTENT_DEFECTS,
  filled,
  newNitroWorld,
  simulatedPcrs,
} from "@holdfast/testkit";
import { issueCertificate } from "../services/issue-certificate.ts";
import {
  challengeOf,
  evidenceOver,
  keepRequest,
  newService,
  otherRequest,
  POLICY_HASH,
  submit,
  world,
} from "../testing/service.ts";

test("a keep that proves itself gets a certificate that says what was proven", async (t) => {
  const service = await newService(t);
  const { id, nonce } = await challengeOf(service);
  const csr = await keepRequest();
  const response = await submit(service, id, await evidenceOver(nonce, csr), csr);
  assert.equal(response.statusCode, 201, response.body);
  const issued = response.json();
  const measurement = toHex(world.image.subarray(0, 32));
  assert.equal(issued.platform, "simulated-nitro");
  assert.equal(issued.simulated, true);
  assert.equal(issued.measurement, measurement);
  assert.equal(issued.policy_hash, toHex(POLICY_HASH));
  assert.equal(issued.not_after, "2026-06-02T10:00:00.000Z");

  const chain = fromPem("CERTIFICATE", issued.chain_pem).map((der) => parseCertificate(der));
  const [leaf] = chain;
  assert.equal(chain.length, 2);
  assert.deepEqual(keepClaims(leaf!), {
    measurement,
    policyHash: toHex(POLICY_HASH),
    platform: "simulated-nitro",
  });
  assert.deepEqual([...(leaf?.keyUsage ?? [])], ["digitalSignature"]);
  assert.equal(leaf?.isCa, false);
  assert.match(leaf?.subject.text ?? "", /SIMULATED/);
  const anchors = [service.keys.authority.certificate];
  assert.ok(affirmed(await verifyPath({ chain, anchors, at: world.at, crypto: webCrypto })));

  const [record] = await service.decisions();
  assert.equal(record?.outcome, "issued");
  assert.equal(record?.facts["serial"], leaf?.serial);
});

test("Node's own reader agrees about the certificate, and serial numbers never repeat", async (t) => {
  const service = await newService(t);
  const serials = new Set<string>();
  for (let i = 0; i < 3; i += 1) {
    const { id, nonce } = await challengeOf(service);
    const csr = await keepRequest();
    const { chain_pem } = (await submit(service, id, await evidenceOver(nonce, csr), csr)).json();
    const leaf = new X509Certificate(chain_pem);
    const authority = new X509Certificate(service.keys.authority.certificatePem);
    assert.ok(leaf.checkIssued(authority));
    assert.ok(leaf.verify(authority.publicKey));
    assert.equal(leaf.ca, false);
    serials.add(leaf.serialNumber);
  }
  assert.equal(serials.size, 3);
});

interface Refusal {
  readonly name: string;
  readonly failed: readonly string[];
  readonly attempt: (service: Awaited<ReturnType<typeof newService>>) => ReturnType<typeof submit>;
}

const REFUSALS: readonly Refusal[] = [
  {
    name: "a challenge nobody gave",
    failed: ["challenge.open"],
    attempt: async (service) => {
      const { nonce } = await challengeOf(service);
      const csr = await keepRequest();
      return await submit(service, crypto.randomUUID(), await evidenceOver(nonce, csr), csr);
    },
  },
  {
    name: "a challenge that expired",
    failed: ["challenge.open"],
    attempt: async (service) => {
      const { id, nonce } = await challengeOf(service);
      const csr = await keepRequest();
      service.now = new Date(world.at.getTime() + 300_000);
      return await submit(service, id, await evidenceOver(nonce, csr), csr);
    },
  },
  {
    name: "a challenge that was used, with the proof that was good before",
    failed: ["challenge.open"],
    attempt: async (service) => {
      const { id, nonce } = await challengeOf(service);
      const csr = await keepRequest();
      const evidence = await evidenceOver(nonce, csr);
      assert.equal((await submit(service, id, evidence, csr)).statusCode, 201);
      return await submit(service, id, evidence, csr);
    },
  },
  {
    name: "a challenge that a failed attempt used up",
    failed: ["challenge.open"],
    attempt: async (service) => {
      const { id, nonce } = await challengeOf(service);
      const csr = await keepRequest();
      const wrong = await evidenceOver(filled(32, 1), csr);
      assert.equal((await submit(service, id, wrong, csr)).statusCode, 403);
      return await submit(service, id, await evidenceOver(nonce, csr), csr);
    },
  },
  withProof(
    "evidence over the nonce of another challenge",
    ["nitro.nonce"],
    async (nonce, service) => {
      const other = await challengeOf(service);
      assert.notDeepEqual(other.nonce, nonce);
      const csr = await keepRequest();
      return { csr, evidence: await evidenceOver(other.nonce, csr) };
    },
  ),
  withProof("evidence over the request of another key", ["nitro.user-data"], async (nonce) => ({
    csr: await keepRequest(),
    evidence: await evidenceOver(nonce, await keepRequest()),
  })),
  withProof("evidence over no request at all", ["nitro.user-data"], async (nonce) => {
    const csr = await keepRequest();
    const fields = (all: [string, Uint8Array][]) => all.filter(([name]) => name !== "user_data");
    return { csr, evidence: await evidenceOver(nonce, csr, { fields: fields as never }) };
  }),
  withRequest("a request that can't be read", ["request.format"], async () => filled(64, 0x30)),
  withRequest("a request with a byte after it", ["request.format"], async () =>
    Uint8Array.of(...(await keepRequest()), 0),
  ),
  withRequest("a request signed by another key", ["request.signature"], async () => {
    const csr = (await keepRequest()).slice();
    // A bit of the subject's name: the request still reads well.
    const at = Buffer.from(csr).indexOf("test");
    csr[at] = (csr[at] ?? 0) ^ 1;
    return csr;
  }),
  withRequest("a request without policy hash", ["request.policy-hash"], () =>
    otherRequest({}, null),
  ),
  withRequest("a policy hash of 31 bytes", ["request.policy-hash"], () =>
    otherRequest({}, filled(31, 1)),
  ),
  withRequest("an empty policy hash", ["request.policy-hash"], () =>
    otherRequest({}, new Uint8Array()),
  ),
  withRequest("a key on P-521", ["request.key"], () => otherRequest({ curve: "P-521" })),
  withProof("evidence that is noise", ["nitro.format"], async () => ({
    csr: await keepRequest(),
    evidence: filled(500, 0x5a),
  })),
  withProof("PCR0 of zeros", ["measurement.present"], async (nonce) => {
    const csr = await keepRequest();
    const payload = { pcrs: simulatedPcrs(filled(48, 0)) };
    return { csr, evidence: await evidenceOver(nonce, csr, { payload }) };
  }),
  withProof("evidence from before the challenge's time", ["nitro.time"], async (nonce) => {
    const csr = await keepRequest();
    const payload = { timestamp: world.at.getTime() - 301_000 };
    return { csr, evidence: await evidenceOver(nonce, csr, { payload }) };
  }),
  withDefect("a leaf signed by a stranger of the right name"),
  withDefect("an expired leaf certificate"),
  withDefect("a regional certificate that is not a CA"),
  withDefect("a signature by another key than the leaf's"),
  withDefect("a root nobody trusts"),
  withDefect("debug mode: PCR0 to 2 zero, PCR3 and 4 not", ["nitro.debug", "measurement.present"]),
];

for (const { name, failed, attempt } of REFUSALS) {
  test(`no certificate for ${name}`, async (t) => {
    const service = await newService(t);
    const response = await attempt(service);
    assert.equal(response.statusCode, 403, response.body);
    assert.match(String(response.headers["content-type"]), /^application\/problem\+json/);
    // One answer for every reason: nothing tells an attacker how far it came.
    assert.deepEqual(response.json(), {
      type: "about:blank",
      title: "Forbidden",
      status: 403,
      code: "ATTESTATION_REFUSED",
      detail: "the evidence was not accepted; the log of the service says why",
    });
    const record = (await service.decisions()).at(-1);
    assert.equal(record?.outcome, "refused");
    assert.deepEqual(
      record?.checks.filter(({ outcome }) => outcome === "failed").map((check) => check.name),
      failed,
    );
  });
}

test("no certificate for simulated evidence when no simulated root is configured", async (t) => {
  const service = await newService(t, { simulatedRoots: [] });
  const { id, nonce } = await challengeOf(service);
  const csr = await keepRequest();
  assert.equal((await submit(service, id, await evidenceOver(nonce, csr), csr)).statusCode, 403);
  const [record] = await service.decisions();
  const failed = record?.checks.filter(({ outcome }) => outcome === "failed");
  assert.deepEqual(
    failed?.map(({ name }) => name),
    ["path.anchor"],
  );
});

test("no certificate for evidence under another simulated root", async (t) => {
  const { root } = await newNitroWorld();
  const service = await newService(t, { simulatedRoots: [root] });
  const { id, nonce } = await challengeOf(service);
  const csr = await keepRequest();
  assert.equal((await submit(service, id, await evidenceOver(nonce, csr), csr)).statusCode, 403);
});

test("the authority says which roots it accepts, and marks the simulated one", async (t) => {
  const service = await newService(t);
  const { certificate_pem, accepts } = (await service.app.inject("/v1/authority")).json();
  assert.equal(certificate_pem, service.keys.authority.certificatePem);
  assert.deepEqual(accepts, [
    { platform: "aws-nitro", simulated: false, root_sha256: AWS_NITRO_ROOT_SHA256 },
    {
      platform: "simulated-nitro",
      simulated: true,
      root_sha256: toHex(await webCrypto.digest("SHA-256", world.root.der)),
    },
  ]);
});

test("a certificate never outlives the authority", async (t) => {
  const service = await newService(t);
  const end = service.keys.authority.certificate.notAfter;
  service.now = new Date(end.getTime() - 60_000);
  const keep = {
    spki: service.keys.authority.certificate.spki,
    platform: "simulated-nitro",
    measurement: "01".repeat(32),
    policyHash: toHex(POLICY_HASH),
  } as const;
  const { notAfter } = await issueCertificate(service.keys.authority, keep, 24, {
    now: () => service.now,
  });
  assert.deepEqual(notAfter, end);
});

test("a flood of refusals is refused alike, and counted on the log", async (t) => {
  const service = await newService(t);
  const csr = filled(9, 0x30);
  for (let i = 0; i < 125; i += 1) {
    assert.equal((await submit(service, `nobody-s-${i}`, csr, csr)).statusCode, 403);
  }
  assert.equal((await service.decisions()).length, 120);
  service.now = new Date(world.at.getTime() + 60_000);
  await submit(service, "nobody-s", csr, csr);
  const [last] = (await service.decisions()).slice(-1);
  assert.equal(last?.facts["refusals_passed_over"], 5);
});

type Service = Awaited<ReturnType<typeof newService>>;

function withProof(
  name: string,
  failed: readonly string[],
  make: (nonce: Uint8Array, service: Service) => Promise<{ csr: Uint8Array; evidence: Uint8Array }>,
): Refusal {
  return {
    name,
    failed,
    attempt: async (service) => {
      const { id, nonce } = await challengeOf(service);
      const { csr, evidence } = await make(nonce, service);
      return await submit(service, id, evidence, csr);
    },
  };
}

function withRequest(
  name: string,
  failed: readonly string[],
  make: () => Promise<Uint8Array>,
): Refusal {
  return withProof(name, failed, async (nonce) => {
    const csr = await make();
    return { csr, evidence: await evidenceOver(nonce, csr) };
  });
}

function withDefect(name: string, failed?: readonly string[]): Refusal {
  const defect = [...CHAIN_DEFECTS, ...CONTENT_DEFECTS].find((each) => each.name === name);
  assert.ok(defect !== undefined, name);
  return withProof(name, failed ?? defect.fails, async (nonce) => {
    const csr = await keepRequest();
    return { csr, evidence: await evidenceOver(nonce, csr, await defect.changes?.(world)) };
  });
}
