// `holdfast evidence` as people and scripts use it: forms of evidence, folders, exit codes, advice, audits.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { suite, test } from "node:test";
import { fromText, toBase64, toHex, toPem, webCrypto } from "@holdfast/core";
import {
  type Decision,
  encodeRecord,
  FIRST_PREVIOUS,
  hashOfLine,
  NO_ENDORSEMENTS,
  verifyEvidence,
} from "@holdfast/evidence";
import {
  type NitroWorld,
  newNitroDocument,
  newNitroWorld,
  newSnpEvidence,
  newSnpWorld,
} from "@holdfast/testkit";
import { parseTypeName } from "./evidence/type-names.ts";
import { inEmptyDirectory, run, runJson } from "./testing/run.ts";

const MAIN = resolve(import.meta.dirname, "main.ts");

suite("evidence verify", () => {
  inEmptyDirectory();

  test("takes evidence in every form, and its endorsements from a folder in a folder", async () => {
    const { evidence, request } = await newSnpEvidence(await newSnpWorld());
    const { certificates, revocationLists } = request.endorsements;
    mkdirSync("beside/deeper", { recursive: true });
    for (const [index, { der }] of certificates.entries()) {
      writeFileSync(`beside/${index}.pem`, toPem("CERTIFICATE", der));
    }
    for (const [index, { der }] of revocationLists.entries()) {
      writeFileSync(`beside/deeper/${index}.crl`, der);
    }
    writeFileSync("beside/notes.txt", "nothing that endorses");
    writeFileSync("root.der", request.anchors?.[0]?.der ?? "");
    const forms = {
      raw: evidence,
      hex: `${toHex(evidence)}\n`,
      base64: toBase64(evidence),
      json: JSON.stringify({ evidence: toBase64(evidence) }),
      wrapped: toBase64(fromText(JSON.stringify({ quote: toHex(evidence) }))),
    };
    const options = ["--endorsements", "beside", "--root", "root.der", "--type", "sev-snp"];
    const bound = [
      "--at",
      request.at.toISOString(),
      "--report-data",
      toHex(request.reportData ?? new Uint8Array()),
    ];
    for (const [form, bytes] of Object.entries(forms)) {
      writeFileSync(form, bytes);
      const { code, value } = await runJson(["evidence", "verify", form, ...options, ...bound]);
      assert.equal(code, 0, `${form}: ${JSON.stringify(value["checks"])}`);
      assert.equal(value["simulated"], true);
      assert.equal(value["claimsProven"], true);
      assert.match(JSON.stringify(value["ignored"]), /notes\.txt/);
    }
    const open = await run(["evidence", "verify", "raw", "--at", request.at.toISOString()]);
    assert.equal(open.code, 3);
    assert.match(open.stdout, /NOT JUDGED/);
    assert.match(open.stdout, /proven by nothing/);
    assert.match(open.stdout, /snp\.leaf: give the certificate of the chip/);
    const foreign = await runJson(["evidence", "verify", "raw", ...options, "--report-data", "00"]);
    assert.deepEqual([foreign.code, foreign.value["verdict"]], [1, "refused"]);
    const mistaken = await runJson(["evidence", "verify", "raw", "--type", "tdx"]);
    assert.deepEqual([mistaken.code, mistaken.value["verdict"]], [1, "refused"]);
  });

  test("accepts any of several values of one claim, whatever the case of its name", async () => {
    const world = await newNitroWorld();
    const options = await writtenNitro(world);
    const image = toHex(world.image);
    const other = "00".repeat(48);
    const of = (...values: string[]) => values.flatMap((value) => ["--expect", value]);
    const codes = await Promise.all(
      [
        of(`PCR0=${other}`, `pcr0=${image.toUpperCase()}`),
        of(`nonZeroPcrs.0=0x${image}`),
        of(`pcr0=${other}`),
        of(`pcr9=${other}`),
        of("noSuchClaim=00"),
      ].map(async (each) => (await run(["evidence", "verify", ...options, ...each])).code),
    );
    assert.deepEqual(codes, [0, 0, 1, 1, 1]);
  });

  test("does without a check only when told, and never with one that failed", async () => {
    const { evidence, request } = await newSnpEvidence(await newSnpWorld());
    writeFileSync("report", evidence);
    writeFileSync(
      "chain.pem",
      request.endorsements.certificates.map(({ der }) => toPem("CERTIFICATE", der)).join(""),
    );
    writeFileSync("root.der", request.anchors?.[0]?.der ?? "");
    const options = ["report", "--root", "root.der", "--endorsements", "chain.pem"];
    const at = ["--at", request.at.toISOString()];
    const codeOf = async (...more: string[]) =>
      (await run(["evidence", "verify", ...options, ...at, ...more])).code;
    assert.equal(await codeOf(), 3);
    assert.equal(await codeOf("--waive", "snp.revocation"), 0);
    assert.equal(
      await codeOf("--waive", "snp.revocation", "snp.report-data", "--report-data", "01"),
      1,
    );
  });

  test("ends with the verdict's exit code as a process, and one object on stdout", async () => {
    const options = await writtenNitro(await newNitroWorld());
    const spawned = (...more: string[]) =>
      spawnSync(process.execPath, [MAIN, "evidence", "verify", ...options, ...more, "--json"], {
        encoding: "utf8",
      });
    const affirmed = spawned();
    assert.equal(affirmed.status, 0, affirmed.stderr);
    assert.equal(JSON.parse(affirmed.stdout).verdict, "affirmed");
    const refused = spawned("--nonce", "00");
    assert.equal(refused.status, 1);
    assert.equal(JSON.parse(refused.stdout).verdict, "refused");
  });

  test("lets nothing in evidence speak to the terminal", async () => {
    const world = await newNitroWorld();
    const evil = await newNitroDocument(world, { payload: { moduleId: "i-\u001b[2Jx" } });
    writeFileSync("evil", evil);
    const { stdout } = await run(["evidence", "show", "evil"]);
    assert.ok(!stdout.includes("\u001b"));
  });
});

suite("evidence show", () => {
  inEmptyDirectory();

  test("shows what comes beside evidence, and refuses what is neither", async () => {
    const { evidence, request } = await newSnpEvidence(await newSnpWorld());
    writeFileSync("root.der", request.anchors?.[0]?.der ?? "");
    const certificate = await runJson(["evidence", "show", "root.der"]);
    assert.equal(certificate.value["type"], "endorsement");
    assert.match(JSON.stringify(certificate.value["claims"]), /"certificates":\[\{"subject"/);
    writeFileSync("cut", evidence.subarray(0, 1000));
    for (const [file, content] of [
      ["noise", "neither"],
      ["cut", evidence.subarray(0, 1000)],
      ["empty", ""],
    ] as const) {
      writeFileSync(file, content);
      const { code, value } = await runJson(["evidence", "show", file]);
      assert.equal(code, 1, file);
      assert.match(String(value.error?.code), /^EVIDENCE_/, file);
      const judged = await runJson(["evidence", "verify", file]);
      assert.deepEqual([judged.code, judged.value["verdict"]], [1, "refused"], file);
    }
  });
});

test("kinds of evidence are known by the names that others have for them", () => {
  const names: Readonly<Record<string, string>> = {
    "AWS Nitro attestation document": "nitro",
    "AMD SEV-SNP report v5": "sev-snp",
    snp: "sev-snp",
    "Intel SGX quote v3 (sample PKI)": "sgx",
    "Intel TDX quote v5": "tdx",
    "Azure vTPM evidence (SEV-SNP)": "azure",
    "az-tdx-vtpm": "azure",
    az_snp_vtpm: "azure",
    "TPM 2.0 quote (CoCo evidence JSON)": "tpm",
    "TDX CC event log (CCEL)": "event-log",
    ccel: "event-log",
    "Arm CCA attestation token": "cca",
    "Arm PSA token": "psa",
    "Interoperable RA-TLS certificate (SGX)": "ra-tls",
    ratls: "ra-tls",
    "Attested CSR (Enarx steward)": "enarx-csr",
    "NVIDIA GPU attestation (SPDM report)": "nvidia-gpu",
    "EAR (JWT)": "ear",
  };
  for (const [name, type] of Object.entries(names)) assert.equal(parseTypeName(name), type, name);
  assert.equal(parseTypeName("attestation"), undefined);
});

suite("evidence audit", () => {
  inEmptyDirectory();

  test("finds a whole log to hold, tells what time changes, and a change that time does not explain", async () => {
    const world = await newNitroWorld();
    const evidence = await newNitroDocument(world);
    const { checks, verdict } = await verifyEvidence(evidence, {
      at: world.at,
      crypto: webCrypto,
      endorsements: NO_ENDORSEMENTS,
      anchors: [world.root],
      nonce: world.nonce,
    });
    const decision: Decision = {
      kind: "appraise",
      outcome: verdict,
      time: world.at.toISOString(),
      checks,
      evidence: toBase64(evidence),
      nonce: toHex(world.nonce),
      facts: { type: "nitro" },
    };
    writeFileSync("root.pem", toPem("CERTIFICATE", world.root.der));
    await writeLog("whole", [decision, decision]);
    const whole = await run(["evidence", "audit", "whole", "--root", "root.pem"]);
    assert.equal(whole.code, 0, whole.stdout);
    assert.match(whole.stdout, /2 decisions, each the same/);
    assert.match(whole.stdout, /would differ +path\.validity in 2 decisions/);
    const same = ["--root", "root.pem", "--at", world.at.toISOString()];
    const then = await run(["evidence", "audit", "whole", ...same]);
    assert.doesNotMatch(then.stdout, /would differ/);

    const passedOver = { ...decision, facts: { ...decision.facts, basis_passed_over: true } };
    await writeLog("over", [passedOver]);
    const over = await run(["evidence", "audit", "over"]);
    assert.equal(over.code, 0, over.stdout);
    assert.match(over.stdout, /not repeated +decision 0 .*too much to keep/);

    // Rewritten with every hash made anew: only judging again shows it.
    const lied = checks.map((each) =>
      each.name === "nitro.debug" ? { ...each, outcome: "failed" as const } : each,
    );
    await writeLog("lied", [decision, { ...decision, checks: lied }]);
    const found = await runJson(["evidence", "audit", "lied", ...same]);
    assert.equal(found.code, 1);
    assert.match(JSON.stringify(found.value["decisions"]), /"name":"nitro\.debug"/);

    const [first = "", second = ""] = readFileSync("whole", "utf8").split("\n");
    writeFileSync("cut", `${second}\n`);
    const cut = await run(["evidence", "audit", "cut", ...same]);
    assert.equal(cut.code, 1);
    assert.match(cut.stdout, /failed +log\.sequence/);
    const head = await hashOfLine(second, webCrypto);
    const kept = ["evidence", "audit", "whole", ...same, "--head"];
    assert.equal((await run([...kept, head])).code, 0);
    assert.equal((await run([...kept, await hashOfLine(first, webCrypto)])).code, 1);
  });
});

/** A document and its root on disk, and the options to judge it by. */
async function writtenNitro(world: NitroWorld): Promise<string[]> {
  writeFileSync("document", await newNitroDocument(world));
  writeFileSync("root.pem", toPem("CERTIFICATE", world.root.der));
  return ["document", "--root", "root.pem", "--at", world.at.toISOString()];
}

async function writeLog(path: string, decisions: readonly Decision[]): Promise<void> {
  let previous = FIRST_PREVIOUS;
  const lines: string[] = [];
  for (const [sequence, decision] of decisions.entries()) {
    const line = encodeRecord({ ...decision, sequence, previous });
    lines.push(line);
    previous = await hashOfLine(line, webCrypto);
  }
  writeFileSync(path, `${lines.join("\n")}\n`);
}
