// The certificates between a simulated root and the key that signs documents, in the shape and with the lives of the
// real ones: regional 20 days, zonal 6 days, instance one day, leaf three hours.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  basicConstraints,
  type Clock,
  createCertificate,
  encodeName,
  fromPem,
  keyUsage,
  type NewCertificate,
  parseCertificate,
} from "@holdfast/core";
import type { SimulatedAuthority } from "./authority.ts";
import { certificateSigner, newSerial } from "./sign.ts";

/** A leaf key with its path. */
export interface NitroChain {
  /** As documents carry it: root first, without the leaf. */
  readonly bundle: readonly Uint8Array[];
  readonly leaf: Uint8Array;
  readonly leafKey: KeyObject;
  readonly notAfter: Date;
}

/** The four certificates below the root. */
export type NitroLevel = "regional" | "zonal" | "instance" | "leaf";

/** Changes one certificate before it is signed. */
export type ChangeCertificate = (level: NitroLevel, certificate: NewCertificate) => NewCertificate;

const HOUR = 60 * 60 * 1000;
const MINUTE = 60 * 1000;
const LEVELS: readonly {
  readonly level: NitroLevel;
  readonly hours: number;
  readonly pathLength?: number;
}[] = [
  { level: "regional", hours: 20 * 24, pathLength: 2 },
  { level: "zonal", hours: 6 * 24, pathLength: 1 },
  { level: "instance", hours: 24, pathLength: 0 },
  { level: "leaf", hours: 3 },
];

/** Makes a chain below a simulated root; `change` lets tests spoil one certificate. */
export async function newNitroChain(
  authority: SimulatedAuthority,
  moduleId: string,
  clock: Clock,
  change: ChangeCertificate = (_level, certificate) => certificate,
): Promise<NitroChain> {
  const [rootDer = new Uint8Array()] = fromPem("CERTIFICATE", authority.certificatePem);
  const now = clock.now().getTime();
  const bundle: Uint8Array[] = [rootDer];
  let issuer = parseCertificate(rootDer).subject.der;
  let issuerKey = createPrivateKey(authority.keyPem);
  let leaf: Uint8Array = rootDer;
  for (const { level, hours, pathLength } of LEVELS) {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const subject = encodeName({ O: "Holdfast", OU: "SIMULATED", CN: `${moduleId}.${level}` });
    const fields: NewCertificate = {
      serial: newSerial(),
      issuer,
      subject,
      // Clocks differ; a leaf that starts now would be refused by a verifier a second behind.
      notBefore: new Date(now - MINUTE),
      notAfter: new Date(now + hours * HOUR),
      spki: publicKey.export({ type: "spki", format: "der" }),
      extensions:
        pathLength === undefined
          ? [basicConstraints(false), keyUsage("digitalSignature")]
          : [basicConstraints(true, pathLength), keyUsage("digitalSignature", "keyCertSign")],
      algorithm: "ecdsa-sha384",
    };
    const changed = change(level, fields);
    leaf = await createCertificate(changed, certificateSigner(issuerKey, changed.algorithm));
    if (level !== "leaf") bundle.push(leaf);
    issuer = subject;
    issuerKey = privateKey;
  }
  return { bundle, leaf, leafKey: issuerKey, notAfter: new Date(now + 3 * HOUR) };
}
