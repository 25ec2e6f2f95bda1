// Receipts: what a keep signed verifies without it, and nothing else does.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  canonicalJson,
  fixedClock,
  fromText,
  type JsonValue,
  toBase64Url,
  toPem,
} from "@holdfast/core";
import { type Policy, policyHash } from "@holdfast/policy";
import { ChannelError } from "./errors.ts";
import { newIdentity, newKeepKey } from "./keys.ts";
import { RECEIPT_TYPE, type ReceiptClaims } from "./receipt.ts";
import type { KeepCredentials } from "./serve-keep.ts";
import { signReceipt } from "./sign-receipt.ts";
import {
  type Authority,
  issueLeaf,
  MEASUREMENT,
  newAuthority,
  newPolicy,
} from "./testing/small-keep.ts";
import { verifyReceipt } from "./verify-receipt.ts";

const clock = fixedClock(new Date());
const HOUR = 60 * 60 * 1000;
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

describe("receipts", () => {
  let authority: Authority;
  let policy: Policy;
  let keep: KeepCredentials;
  let claims: ReceiptClaims;

  before(async () => {
    authority = await newAuthority(clock);
    const identity = await newIdentity({ commonName: "somebody", clock });
    policy = newPolicy({ authority, identity, port: 1, clock });
    keep = await credentials(authority, policy);
    const now = clock.now().toISOString();
    claims = {
      version: 1,
      run: "1",
      policy_hash: await policyHash(policy.text),
      measurement: MEASUREMENT,
      platform: "simulated-nitro",
      simulated: true,
      program: { path: "/program/run.wasm", sha256: EMPTY },
      requested_by: 0,
      state: "exited",
      exit_code: 0,
      started_at: now,
      ended_at: now,
      duration_ms: 1,
      peak_memory_bytes: 65536,
      inputs: [{ path: "/in/x", size: 0, sha256: EMPTY }],
      outputs: [],
      stdin: { size: 0, sha256: EMPTY },
      stdout: { size: 0, sha256: EMPTY },
      stderr: { size: 0, sha256: EMPTY },
    };
  });

  test("what the keep signed verifies", async () => {
    const verdict = await verifyReceipt({ receipt: signReceipt(claims, keep), policy });
    assert.equal(verdict.affirmed, true, JSON.stringify(verdict.checks));
    assert.deepEqual(verdict.claims, claims);
    assert.equal(verdict.keep.simulated, true);
  });

  test("a changed claim", async () => {
    const receipt = signReceipt(claims, keep);
    const [head, , signature] = receipt.split(".");
    const changed = part({ ...claims, exit_code: 1 } as unknown as JsonValue);
    await fails("receipt.signature", [head, changed, signature].join("."));
  });

  test("a signature by another key than the certificate's", async () => {
    const other = await credentials(authority, policy);
    await fails("receipt.signature", signReceipt(claims, { ...other, chainPem: keep.chainPem }));
  });

  test("a keep of another authority", async () => {
    const stranger = await credentials(await newAuthority(clock), policy);
    await fails("path.signatures", signReceipt(claims, stranger));
  });

  test("a keep that ran another policy", async () => {
    const other = await credentials(authority, policy, { policyHash: "00".repeat(32) });
    await fails("keep.policy-hash", signReceipt(claims, other));
  });

  test("claims that the certificate does not bear out", async () => {
    const measurement = "6b".repeat(32);
    await fails("receipt.measurement", signReceipt({ ...claims, measurement }, keep));
    await fails("receipt.platform", signReceipt({ ...claims, platform: "aws-nitro" }, keep));
    await fails("receipt.simulated", signReceipt({ ...claims, simulated: false }, keep));
    await fails("receipt.policy-hash", signReceipt({ ...claims, policy_hash: EMPTY }, keep));
  });

  test("a run that ended when the certificate no longer held, or before it began", async () => {
    const later = new Date(clock.now().getTime() + 48 * HOUR).toISOString();
    await fails("path.validity", signReceipt({ ...claims, ended_at: later }, keep));
    await fails("receipt.times", signReceipt({ ...claims, started_at: later }, keep));
  });

  test("a skipped check stands as not performed", async () => {
    const later = new Date(clock.now().getTime() + 12 * HOUR).toISOString();
    const receipt = signReceipt({ ...claims, ended_at: later }, keep);
    const verdict = await verifyReceipt({ receipt, policy, skip: new Set(["dates"]) });
    const dates = verdict.checks.filter(({ outcome }) => outcome === "not performed");
    assert.ok(dates.length > 0);
  });

  test("what is no receipt at all", async () => {
    const receipt = signReceipt(claims, keep);
    const [head, payload, signature] = receipt.split(".");
    const header = JSON.parse(Buffer.from(head!, "base64url").toString());
    const withHeader = (members: object): string =>
      `${part({ ...header, ...members })}.${payload}.${signature}`;
    const without = (name: keyof ReceiptClaims): string =>
      `${head}.${part({ ...claims, [name]: undefined } as unknown as JsonValue)}.${signature}`;
    const broken = [
      "",
      "a.b",
      `${receipt}.x`,
      `${head}.${payload}.!`,
      `${head}.${toBase64Url(fromText("[]"))}.${signature}`,
      withHeader({ alg: "none" }),
      withHeader({ typ: "JWT" }),
      withHeader({ crit: ["exp"] }),
      withHeader({ x5c: [] }),
      withHeader({ x5c: Array(7).fill(header.x5c[0]) }),
      withHeader({ x5c: ["AAAA"] }),
      without("state"),
      without("inputs"),
      without("stdout"),
      `${head}.${part({ ...claims, version: 2 } as unknown as JsonValue)}.${signature}`,
    ];
    for (const each of broken) {
      await assert.rejects(verifyReceipt({ receipt: each, policy }), (thrown) => {
        assert.ok(thrown instanceof ChannelError, String(thrown));
        assert.equal(thrown.code, "CHANNEL_RECEIPT");
        return true;
      });
    }
    assert.equal(header.typ, RECEIPT_TYPE);
  });

  async function fails(name: string, receipt: string): Promise<void> {
    const verdict = await verifyReceipt({ receipt, policy });
    assert.equal(verdict.affirmed, false);
    const failed = verdict.checks.filter(({ outcome }) => outcome === "failed");
    assert.ok(
      failed.some((check) => check.name === name),
      JSON.stringify(failed),
    );
  }
});

async function credentials(
  authority: Authority,
  policy: Policy,
  change: Parameters<typeof issueLeaf>[4] = {},
): Promise<KeepCredentials> {
  const key = await newKeepKey(new Uint8Array(32), "keep");
  const leaf = await issueLeaf(authority, key, policy, clock, change);
  return {
    privateKey: key.privateKey,
    chainPem: toPem("CERTIFICATE", leaf) + authority.certificatePem,
  };
}

function part(value: JsonValue): string {
  return toBase64Url(fromText(canonicalJson(value)));
}
