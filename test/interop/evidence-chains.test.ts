// OpenSSL over certification paths that our verifier accepts or refuses: what we accept, OpenSSL accepts as well, and what
// is refused for its path, it refuses too.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Certificate, toPem } from "../../packages/core/src/index.ts";
import {
  parseNitroDocument,
  parseQuote,
  verifyGpu,
  verifyNitro,
  verifyQuote,
  verifySnp,
} from "../../packages/evidence/src/index.ts";
import {
  CHAIN_DEFECTS,
  GPU_DEFECTS,
  INTEL_DEFECTS,
  newGpuEvidence,
  newIntelEvidence,
  newIntelWorld,
  newNitroDocument,
  newNitroWorld,
  newSnpEvidence,
  newSnpWorld,
  SNP_DEFECTS,
} from "../../packages/testkit/src/index.ts";
import { findProgram, skipWithout } from "../peers/peer.ts";

const openssl = findProgram("openssl");
const PEER = { skip: skipWithout("openssl", [openssl]) };
/** Checks that OpenSSL makes as well; the others are about the evidence, or stricter than RFC 5280 asks. */
const PATH =
  /^(?:pck\.)?path\.(?:signatures|validity|ca|key-usage|path-length|critical-extensions)$/;

interface Path {
  readonly leaf: Uint8Array | Certificate;
  readonly others: readonly (Uint8Array | Certificate)[];
  readonly anchors: readonly Certificate[];
  readonly at: Date;
}

/** Whether OpenSSL accepts a path, and what it says. */
async function opensslVerifies({ leaf, others, anchors, at }: Path): Promise<[boolean, string]> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-chain-"));
  try {
    const file = async (name: string, ders: readonly (Uint8Array | Certificate)[]) => {
      const pem = ders.map((der) =>
        toPem("CERTIFICATE", der instanceof Uint8Array ? der : der.der),
      );
      await writeFile(join(directory, name), pem.join(""));
      return join(directory, name);
    };
    const time = String(Math.floor(at.getTime() / 1000));
    const { status, stdout, stderr } = spawnSync(
      openssl ?? "",
      [
        ...["verify", "-no-CApath", "-no-CAstore", "-attime", time],
        ...["-CAfile", await file("roots.pem", anchors)],
        ...["-untrusted", await file("others.pem", others)],
        await file("leaf.pem", [leaf]),
      ],
      { encoding: "utf8" },
    );
    return [status === 0, `${stdout}${stderr}`];
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function expectSame(name: string, refused: boolean, path: Path): Promise<void> {
  const [accepted, said] = await opensslVerifies(path);
  assert.equal(accepted, !refused, `${name}: ${said}`);
}

test("Nitro paths", PEER, async () => {
  const world = await newNitroWorld();
  const good = { name: "in order", fails: [] };
  // An authority that says nothing of what its key is for may do anything by RFC 5280; not so with us.
  const defects = CHAIN_DEFECTS.filter(
    ({ name, fails: [only = "", more] }) =>
      !more && PATH.test(only) && !name.endsWith("without key usage"),
  );
  for (const defect of [good, ...defects]) {
    const { changes } = { changes: undefined, ...defect };
    const document = await newNitroDocument(world, await changes?.(world));
    const { verdict } = await verifyNitro(document, world.request);
    assert.equal(verdict, defect === good ? "affirmed" : "refused");
    const { leaf, bundle } = parseNitroDocument(document);
    await expectSame(defect.name, verdict === "refused", {
      leaf,
      others: bundle.slice(1),
      anchors: [world.root],
      at: world.at,
    });
  }
});

test("paths of SEV-SNP", PEER, async () => {
  const world = await newSnpWorld();
  for (const { name, fails, changes } of withPathDefects(SNP_DEFECTS)) {
    const { evidence, request, leaf } = await newSnpEvidence(world, changes);
    const { verdict } = await verifySnp(evidence, request);
    assert.equal(verdict, fails.length === 0 ? "affirmed" : "refused");
    await expectSame(name, fails.length > 0, {
      leaf: leaf.certificate,
      others: request.endorsements.certificates,
      anchors: request.anchors ?? [],
      at: request.at,
    });
  }
});

test("paths of SGX and TDX", PEER, async () => {
  const world = await newIntelWorld();
  for (const { name, fails, changes } of withPathDefects(INTEL_DEFECTS)) {
    const { evidence, request, pck } = await newIntelEvidence(world, changes);
    const { verdict } = await verifyQuote(evidence, request);
    assert.equal(verdict, fails.length === 0 ? "affirmed" : "refused");
    const carried = new TextDecoder().decode(parseQuote(evidence).certification.data);
    const [, ...others] = carried
      .replace(/\0+$/, "")
      .split(/(?=-----BEGIN)/)
      .map(fromPemText);
    await expectSame(name, fails.length > 0, {
      leaf: pck.certificate,
      others,
      anchors: request.anchors ?? [],
      at: request.at,
    });
  }
});

test("paths of GPUs", PEER, async () => {
  for (const { name, fails, changes } of withPathDefects(GPU_DEFECTS)) {
    const { evidence, request } = await newGpuEvidence(changes);
    const { verdict } = await verifyGpu(evidence, request);
    assert.equal(verdict, fails.length === 0 ? "affirmed" : "refused");
    const [leaf, ...others] = request.endorsements.certificates;
    await expectSame(name, fails.length > 0, {
      leaf: leaf ?? new Uint8Array(),
      others,
      anchors: request.anchors ?? [],
      at: request.at,
    });
  }
});

/** What is in order, and the defects that OpenSSL must see too. */
function withPathDefects<Changes>(
  defects: readonly {
    name: string;
    fails: readonly string[];
    changes?: Changes;
    request?: unknown;
  }[],
): { name: string; fails: readonly string[]; changes?: Changes }[] {
  const seen = defects.filter(
    ({ fails, request }) =>
      request === undefined && fails.length === 1 && PATH.test(fails[0] ?? ""),
  );
  return [{ name: "in order", fails: [] }, ...seen];
}

function fromPemText(pem: string): Uint8Array {
  return new Uint8Array(Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ""), "base64"));
}
