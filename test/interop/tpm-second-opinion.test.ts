// tpm2_checkquote over quotes that our verifier affirms or refuses: what we affirm it accepts, and a signature, a nonce or
// PCR values that we refuse it refuses too. It has no opinion about the key, nor about what was quoted.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../../packages/core/src/index.ts";
import { type TpmRequest, verifyTpm } from "../../packages/evidence/src/index.ts";
import {
  newTpmEvidence,
  TPM_DEFECTS,
  type TpmBankFields,
  type TpmChanges,
} from "../../packages/testkit/src/index.ts";
import { findProgram, skipWithout } from "../peers/peer.ts";

const checker = findProgram("tpm2_checkquote");
const PEER = { skip: skipWithout("tpm2-tools", [checker]) };
const NUMBERS: Readonly<Record<string, number>> = { sha1: 4, sha256: 11, sha384: 12 };
/** Sizes of C structures, which the tools write as they lie in memory. */
const [SELECTION, DIGEST, MOST_DIGESTS] = [8, 66, 8];
/** Checks whose failures are the tool's as well. */
const SHARED = /^tpm\.(?:signature|nonce|pcr-digest)$/;

type Made = Awaited<ReturnType<typeof newTpmEvidence>>;

/** PCR values as \`tpm2_quote -o\` writes them: a selection, and lists of digests. */
function pcrFile(
  banks: readonly Pick<TpmBankFields, "name" | "indices">[],
  { pcrs }: Made["evidence"],
): Buffer {
  const digests = banks.flatMap(({ name, indices }) =>
    indices.map((index) => pcrs.get(name)?.get(index) ?? new Uint8Array()),
  );
  const list = Buffer.alloc(4 + MOST_DIGESTS * DIGEST);
  list.writeUInt32LE(digests.length);
  for (const [position, digest] of digests.entries()) {
    const at = 4 + position * DIGEST;
    list.writeUInt16LE(digest.length, at);
    list.set(digest, at + 2);
  }
  const selection = Buffer.alloc(4 + 16 * SELECTION);
  selection.writeUInt32LE(banks.length);
  for (const [position, { name, indices }] of banks.entries()) {
    const at = 4 + position * SELECTION;
    selection.writeUInt16LE(NUMBERS[name] ?? 0, at);
    selection.writeUInt8(3, at + 2);
    for (const index of indices) {
      const byte = at + 3 + (index >> 3);
      selection.writeUInt8(selection.readUInt8(byte) | (1 << (index & 7)), byte);
    }
  }
  const count = Buffer.alloc(4);
  count.writeUInt32LE(1);
  return Buffer.concat([selection, count, list]);
}

/** Whether the tool accepts, and what it says. */
async function toolAccepts(made: Made, nonce: Uint8Array): Promise<[boolean, string]> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-tpm-"));
  try {
    const file = async (name: string, bytes: Uint8Array) => {
      await writeFile(join(directory, name), bytes);
      return join(directory, name);
    };
    const { evidence, written } = made;
    const banks = [{ name: "sha256", indices: [0, 7, 16] }] as const;
    const { status, stdout, stderr } = spawnSync(
      checker ?? "",
      [
        ["-u", await file("key", written.publicArea)],
        ["-m", await file("quote", evidence.quote)],
        ["-s", await file("signature", written.signature)],
        ["-f", await file("pcrs", pcrFile(banks, evidence))],
        ["-g", "sha256", "-q", toHex(nonce)],
      ].flat(),
      { encoding: "utf8" },
    );
    return [status === 0, stdout + stderr];
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function both(changes?: TpmChanges, change?: Partial<TpmRequest>) {
  const made = await newTpmEvidence(changes);
  const request = { ...made.request, ...change };
  const ours = await verifyTpm(made.evidence, request);
  const [theirs, said] = await toolAccepts(made, request.nonce ?? new Uint8Array());
  return { ours, theirs, said };
}

// The tool can't verify RSAPSS (tpm2-tools issue 3283).
for (const kind of ["ecc", "rsassa"] as const) {
  test(`a quote of kind ${kind} that is affirmed is accepted`, PEER, async () => {
    const { ours, theirs, said } = await both({ kind });
    assert.equal(ours.verdict, "affirmed");
    assert.ok(theirs, said);
  });
}

test("a signature, a nonce or values that are refused are refused there too", PEER, async () => {
  // It takes SHA-1 for what the evidence says it is; ours never does.
  const shared = TPM_DEFECTS.filter(
    ({ fails, changes }) => fails.every((name) => SHARED.test(name)) && changes?.hash !== "sha1",
  );
  assert.ok(shared.length > 7);
  for (const { name, changes, request } of shared) {
    const { ours, theirs, said } = await both(changes, request);
    assert.equal(ours.verdict, "refused", name);
    assert.equal(theirs, false, `${name}: ${said}`);
  }
});
