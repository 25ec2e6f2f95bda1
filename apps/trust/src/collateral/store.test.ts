// The store behind the door of appraisals, against a real server: what is asked for when, and what is never believed.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toBase64 } from "@holdfast/core";
import {
  type IntelChanges,
  newIntelEvidence,
  newIntelWorld,
  newKeys,
  newSnpWorld,
  REPORT_DATA,
  SNP_FIELDS,
} from "@holdfast/testkit";
import { newService, type ServiceChanges, type TestService } from "../testing/service.ts";
import {
  amdAnswers,
  intelAnswers,
  newVendor,
  type VendorAnswer,
  type VendorServer,
} from "../testing/vendor.ts";

type TcbInfoChange = NonNullable<IntelChanges["tcbInfo"]>;
type TcbInfoJson = Parameters<TcbInfoChange>[0];

const intel = await newIntelWorld();
const { evidence, answers, platform } = await intelAnswers(intel);
const TCB = "/tdx/certification/v4/tcb?fmspc=B0C06F000000";
/** The documents' last moment. */
const END = new Date("2026-06-19T00:00:00Z");
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

async function verdictOf({ app }: TestService, quote = evidence): Promise<string> {
  const payload = { evidence: toBase64(quote), report_data: toBase64(REPORT_DATA) };
  const answer = await app.inject({ method: "POST", url: "/v1/appraisals", payload });
  return answer.json().verdict;
}

async function start(
  t: TestContext,
  changes: ServiceChanges = {},
): Promise<{ vendor: VendorServer; service: TestService }> {
  const vendor = await newVendor(t, answers);
  const service = await newService(t, {
    at: intel.at,
    simulatedRoots: [intel.root.certificate],
    collateralSources: { intel: vendor.url },
    ...changes,
  });
  return { vendor, service };
}

async function dataDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-collateral-"));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

const later = (service: TestService, ms: number): void => {
  service.now = new Date(service.now.getTime() + ms);
};

test("a miss asks the source, a hit does not", async (t) => {
  const { vendor, service } = await start(t);
  assert.equal(await verdictOf(service), "affirmed", service.reports.join());
  assert.equal(vendor.asked.length, 4);
  assert.equal(await verdictOf(service), "affirmed");
  assert.equal(vendor.asked.length, 4);
  assert.deepEqual(service.reports, []);
});

test("without a source nobody is asked, and nothing is affirmed", async (t) => {
  const { vendor, service } = await start(t, { collateralSources: {} });
  assert.equal(await verdictOf(service), "not-judged");
  assert.deepEqual(vendor.asked, []);
});

test("asks below the configured address alone, and follows no redirection", async (t) => {
  const { vendor, service } = await start(t);
  const other = await newVendor(t, answers);
  vendor.instead = { status: 302, headers: { location: `${other.url}${TCB}` } };
  assert.equal(await verdictOf(service), "not-judged");
  assert.deepEqual(other.asked, []);
  assert.deepEqual(
    vendor.asked.toSorted(),
    [...answers.keys()].map((path) => `/base${path}`).toSorted(),
  );
});

test("an operator's bundle past its time does not stand in the source's way", async (t) => {
  const old = (document: Pick<TcbInfoJson, "nextUpdate">): void => {
    document.nextUpdate = "2026-05-31T00:00:00Z";
  };
  const { request } = await newIntelEvidence(intel, { tcbInfo: old, identity: old });
  const collateral = request.endorsements;
  const offline = await start(t, { collateral, collateralSources: {} });
  assert.equal(await verdictOf(offline.service), "refused");
  const { vendor, service } = await start(t, { collateral });
  assert.equal(await verdictOf(service), "affirmed");
  assert.equal(vendor.asked.length, 4);
});

test("an operator's bundle that holds is enough", async (t) => {
  const { request } = await newIntelEvidence(intel);
  const { vendor, service } = await start(t, { collateral: request.endorsements });
  assert.equal(await verdictOf(service), "affirmed");
  assert.deepEqual(vendor.asked, []);
});

test("a forged quote makes nobody ask", async (t) => {
  const { vendor, service } = await start(t);
  const quoteSigner = newKeys("p256").privateKey;
  const { evidence: forged } = await intelAnswers(intel, { quoteSigner });
  assert.equal(await verdictOf(service, forged), "refused");
  assert.deepEqual(vendor.asked, []);
});

test("fifty who ask at once make one question each", async (t) => {
  const { vendor, service } = await start(t);
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => verdictOf(service)));
  assert.deepEqual(new Set(verdicts), new Set(["affirmed"]));
  assert.equal(vendor.asked.length, 4);
});

test("asks anew before the end, and serves the old one until then", async (t) => {
  const { vendor, service } = await start(t);
  assert.equal(await verdictOf(service), "affirmed");
  later(service, DAY);
  vendor.instead = { status: 503 };
  assert.equal(await verdictOf(service), "affirmed");
  await service.store.settled();
  assert.equal(vendor.asked.length, 8);

  const renew = (document: Pick<TcbInfoJson, "issueDate" | "nextUpdate">): void => {
    document.issueDate = "2026-06-02T00:00:00Z";
    document.nextUpdate = "2026-07-02T00:00:00Z";
  };
  vendor.answers = (await intelAnswers(intel, { tcbInfo: renew, identity: renew })).answers;
  vendor.instead = undefined;
  later(service, MINUTE);
  assert.equal(await verdictOf(service), "affirmed");
  await service.store.settled();
  assert.equal(vendor.asked.length, 12);
  service.now = new Date(END.getTime() + DAY);
  vendor.instead = { status: 503 };
  assert.equal(await verdictOf(service), "affirmed");
});

test("an older document takes no newer one's place", async (t) => {
  const { vendor, service } = await start(t);
  assert.equal(await verdictOf(service), "affirmed");
  const age = (info: TcbInfoJson): void => {
    info.issueDate = "2026-05-19T00:00:00Z";
  };
  vendor.answers = (await intelAnswers(intel, { tcbInfo: age })).answers;
  later(service, DAY);
  await verdictOf(service);
  await service.store.settled();
  assert.match(service.reports.join(), /tcb.*older than the one at hand/);
});

test("nothing is served past its time when the source is down", async (t) => {
  const { vendor, service } = await start(t);
  assert.equal(await verdictOf(service), "affirmed");
  vendor.instead = { status: 500 };
  service.now = END;
  assert.equal(await verdictOf(service), "affirmed");
  service.now = new Date(END.getTime() + 1000);
  assert.equal(await verdictOf(service), "not-judged");
});

const WRONG: readonly (readonly [name: string, make: () => Promise<VendorAnswer>, why: RegExp])[] =
  [
    [
      "a signature by another key",
      async () => await tcbAnswer({ tcbKey: newKeys("p256").privateKey }),
      /tcb-info.signature/,
    ],
    [
      "another platform's information",
      async () =>
        await tcbAnswer({
          tcbInfo: (info) => {
            info.fmspc = "00906ED50000";
          },
        }),
      /tcb-info.supplied/,
    ],
    [
      "information past its time",
      async () =>
        await tcbAnswer({
          tcbInfo: (info) => {
            info.nextUpdate = "2026-05-31T00:00:00Z";
          },
        }),
      /tcb-info.dates/,
    ],
    ["no information at all", async () => ({ body: "<html>" }), /no certificate/],
    [
      "issuers that can't be decoded",
      async () => ({ ...answers.get(TCB), headers: { "TCB-Info-Issuer-Chain": "%E0%" } }),
      /malformed/i,
    ],
    [
      "an error with the right text",
      async () => ({ ...answers.get(TCB), status: 500 }),
      /status 500/,
    ],
    ["more than fits", async () => ({ body: new Uint8Array(3 * 1024 * 1024) }), /over/],
  ];

async function tcbAnswer(changes: Parameters<typeof intelAnswers>[1]): Promise<VendorAnswer> {
  const changed = (await intelAnswers(intel, changes)).answers.get(TCB);
  assert.ok(changed);
  return changed;
}

for (const [name, make, why] of WRONG) {
  test(`not kept: ${name}`, async (t) => {
    const directory = await dataDirectory(t);
    const { vendor, service } = await start(t, { dataDirectory: directory });
    vendor.answers = new Map([...answers, [TCB, await make()]]);
    assert.equal(await verdictOf(service), "not-judged");
    assert.match(service.reports.join(), why);
    assert.equal((await readdir(join(directory, "collateral"))).length, 3);
    // Not asked again at once, but in time.
    vendor.answers = answers;
    assert.equal(await verdictOf(service), "not-judged");
    assert.equal(vendor.asked.length, 4);
    later(service, MINUTE);
    assert.equal(await verdictOf(service), "affirmed");
  });
}

test("a source that is asked too often is left alone as long as it says", async (t) => {
  const { vendor, service } = await start(t);
  vendor.instead = { status: 429, headers: { "retry-after": "600" } };
  assert.equal(await verdictOf(service), "not-judged");
  const asked = vendor.asked.length;
  vendor.instead = undefined;
  later(service, 9 * MINUTE);
  assert.equal(await verdictOf(service), "not-judged");
  assert.equal(vendor.asked.length, asked);
  later(service, 2 * MINUTE);
  assert.equal(await verdictOf(service), "affirmed");
});

test("what was kept survives a restart without any source", async (t) => {
  const directory = await dataDirectory(t);
  const { vendor, service } = await start(t, { dataDirectory: directory });
  assert.equal(await verdictOf(service), "affirmed");
  const again = await start(t, { dataDirectory: directory, collateralSources: {} });
  assert.equal(await verdictOf(again.service), "affirmed");
  assert.equal(vendor.asked.length, 4);
  assert.deepEqual(again.vendor.asked, []);
  const stale = await start(t, { dataDirectory: directory, collateralSources: {} });
  stale.service.now = new Date(END.getTime() + 1000);
  assert.equal(await verdictOf(stale.service), "not-judged");
});

test("a broken file of the cache is reported and fetched anew, a cut-off write swept away", async (t) => {
  const directory = await dataDirectory(t);
  const { service } = await start(t, { dataDirectory: directory });
  assert.equal(await verdictOf(service), "affirmed");
  const cache = join(directory, "collateral");
  const [first = "", second = ""] = await readdir(cache);
  await writeFile(join(cache, first), "{");
  await writeFile(join(cache, `${second}.0123456789ab`), "{");
  const again = await start(t, { dataDirectory: directory });
  assert.equal(await verdictOf(again.service), "affirmed");
  assert.equal(again.vendor.asked.length, 1);
  assert.match(again.service.reports.join(), new RegExp(first));
  assert.equal((await readdir(cache)).length, 4);
});

test("names that are not what they must be are not asked for", async (t) => {
  const { vendor, service } = await start(t, {
    collateralSources: { intel: "http://127.0.0.1:1", amd: "http://127.0.0.1:1" },
  });
  const hostile = ["", "../../../x", "B0C06F000000", "b0c06f000000&a=b", "b0c06f00000%30", "//x/"];
  const found = await service.store.obtain([
    ...hostile.map((fmspc) => ({ kind: "intel-tcb", tee: "tdx", fmspc }) as const),
    ...hostile.map(
      (chipId) =>
        ({
          kind: "amd-vcek",
          product: "milan",
          chipId,
          tcb: { bl: 1, tee: 1, snp: 1, ucode: 1 },
        }) as const,
    ),
  ]);
  assert.equal(found.intel.length + found.certificates.length, 0);
  // Had one been asked for, that nobody listens there would have been reported.
  assert.deepEqual([service.reports, vendor.asked], [[], []]);
});

test("the certificate of a platform that a quote only names comes first, then its documents", async (t) => {
  const { vendor, service } = await start(t);
  vendor.answers = new Map([...answers, platform]);
  const named = await newIntelEvidence(intel, { certificationType: 3 });
  assert.equal(await verdictOf(service, named.evidence), "affirmed", service.reports.join());
  assert.equal(vendor.asked.length, 5);
  assert.match(vendor.asked[0] ?? "", /pckcert\?qeid=0{32}&encrypted_ppid=(?:ee){384}&cpusvn=/);
  assert.equal(await verdictOf(service, named.evidence), "affirmed");
  assert.equal(vendor.asked.length, 5);
  // A certificate of another platform is kept for what it is, and the quote is refused.
  const other = await newIntelEvidence(intel, {
    certificationType: 3,
    qeSigner: newKeys("p256").privateKey,
  });
  assert.equal(await verdictOf(service, other.evidence), "refused");
});

test("a chip's certificate, its authorities and their list come from AMD's source", async (t) => {
  const world = await newSnpWorld();
  const snp = await amdAnswers(world);
  const vendor = await newVendor(t, snp.answers);
  const service = await newService(t, {
    at: world.at,
    simulatedRoots: [world.ark.certificate],
    collateralSources: { amd: vendor.url },
  });
  const ask = async (): Promise<string> => {
    const payload = {
      evidence: toBase64(snp.evidence),
      report_data: toBase64(SNP_FIELDS.reportData),
    };
    const answer = await service.app.inject({ method: "POST", url: "/v1/appraisals", payload });
    return answer.json().verdict;
  };
  assert.equal(await ask(), "affirmed", service.reports.join());
  assert.equal(await ask(), "affirmed");
  assert.deepEqual(
    vendor.asked.toSorted(),
    [...snp.answers.keys()].map((path) => `/base${path}`).toSorted(),
  );
});
