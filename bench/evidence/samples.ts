// Evidence to measure with: many pieces from one platform each, under roots of our own, so that nothing is fetched and
// nothing is the same twice.
import type { CryptoPort } from "../../packages/core/src/index.ts";
import {
  type EndorsementFile,
  type EvidenceRequest,
  readEndorsements,
} from "../../packages/evidence/src/index.ts";
import {
  newIntelEvidence,
  newIntelWorld,
  newKeys,
  newNitroDocument,
  newNitroWorld,
  newSnpEvidence,
  newSnpWorld,
  newTpmEvidence,
  newVcek,
  SNP_FIELDS,
} from "../../packages/testkit/src/index.ts";

/** A platform with its evidence. */
export interface Platform {
  readonly name: string;
  readonly evidence: readonly Uint8Array[];
  /** Endorsements as files, for those who read them anew each time. */
  readonly files: readonly EndorsementFile[];
  readonly request: Omit<EvidenceRequest, "crypto" | "endorsements">;
}

/** Platforms of every kind that is measured, `count` pieces each. */
export async function platforms(count: number): Promise<Platform[]> {
  return [
    await snp(count),
    await tdx(count),
    await sgx(count),
    await nitro(count),
    await tpm(count),
  ];
}

/** A request for a platform over a crypto port. */
export function requestOf({ files, request }: Platform, crypto: CryptoPort): EvidenceRequest {
  return { ...request, crypto, endorsements: readEndorsements(files) };
}

async function snp(count: number): Promise<Platform> {
  const world = await newSnpWorld();
  const keys = newKeys("p384");
  const leaf = await newVcek(world.ask, keys);
  const made = await many(count, (index) =>
    newSnpEvidence(world, {
      leaf: async () => leaf,
      signer: keys.privateKey,
      fields: { reportData: SNP_FIELDS.reportData.map((byte) => byte ^ index) },
    }),
  );
  const certificates = [leaf, world.ask].map(({ certificate }) => certificate.der);
  return {
    name: "SEV-SNP report, chain and list",
    evidence: made.map(({ evidence }) => evidence),
    files: [...certificates, world.list.der].map(asFile),
    request: { at: world.at, anchors: [world.ark.certificate] },
  };
}

async function tdx(count: number): Promise<Platform> {
  return await intel("TDX quote v4, whole collateral", "tdx4", count);
}

async function sgx(count: number): Promise<Platform> {
  return await intel("SGX quote v3, whole collateral", "sgx3", count);
}

async function intel(name: string, kind: "tdx4" | "sgx3", count: number): Promise<Platform> {
  const world = await newIntelWorld();
  const made = await many(count, () => newIntelEvidence(world, { kind }));
  const [first] = made;
  if (first === undefined) throw new Error("nothing to measure");
  const { endorsements } = first.request;
  const set = Object.fromEntries(
    endorsements.intel.flatMap(({ text, signature }, index) => {
      const member = index === 0 ? "tcb_info" : "qe_identity";
      return [
        [member, text],
        [`${member}_signature`, Buffer.from(signature).toString("hex")],
      ];
    }),
  );
  const files = [
    new TextEncoder().encode(JSON.stringify(set)),
    ...endorsements.certificates.map(({ der }) => der),
    ...endorsements.revocationLists.map(({ der }) => der),
  ];
  return {
    name,
    evidence: made.map(({ evidence }) => evidence),
    files: files.map(asFile),
    request: { at: world.at, anchors: [world.root.certificate] },
  };
}

async function nitro(count: number): Promise<Platform> {
  const world = await newNitroWorld();
  const made = await many(count, (index) =>
    newNitroDocument(world, { payload: { nonce: Uint8Array.of(index & 255, index >> 8) } }),
  );
  return {
    name: "Nitro document, chain of five",
    evidence: made,
    files: [],
    request: { at: world.at, anchors: [world.root] },
  };
}

async function tpm(count: number): Promise<Platform> {
  const made = await many(count, () => newTpmEvidence({ kind: "ecc" }));
  return {
    name: "TPM quote, P-256",
    evidence: made.map(({ evidence }) => encodeTpm(evidence)),
    files: [],
    request: {
      at: new Date("2026-06-01T00:00:00Z"),
      tpm: { akNames: made.map(({ akName }) => akName) },
    },
  };
}

function encodeTpm(evidence: Awaited<ReturnType<typeof newTpmEvidence>>["evidence"]): Uint8Array {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  const { signature } = evidence;
  if (signature.kind !== "ecdsa") throw new Error("an ECDSA signature is expected");
  const sized = (half: Uint8Array) => Buffer.concat([Buffer.from([0, half.length]), half]);
  const structure = Buffer.concat([
    Buffer.from([0, 0x18, 0, 0x0b]),
    sized(signature.r),
    sized(signature.s),
  ]);
  const pcrs = [...(evidence.pcrs.get("sha256") ?? [])].map(([index, value]) => [
    index,
    Buffer.from(value).toString("hex"),
  ]);
  return new TextEncoder().encode(
    JSON.stringify({
      ak_public: base64(evidence.area?.bytes ?? new Uint8Array()),
      message: base64(evidence.quote),
      signature: base64(structure),
      pcrs: { sha256: Object.fromEntries(pcrs) },
    }),
  );
}

async function many<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let index = 0; index < count; index += 1) made.push(await make(index));
  return made;
}

function asFile(bytes: Uint8Array, index: number): EndorsementFile {
  return { name: String(index), bytes };
}
