// The throw-away root under which simulated evidence is made. Nothing but the software that holds its key stands behind
// it; a verifier accepts it only when its configuration names this very certificate.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  basicConstraints,
  type Clock,
  createCertificate,
  encodeName,
  equalBytes,
  fromPem,
  keyUsage,
  messageOf,
  parseCertificate,
  toPem,
} from "@holdfast/core";
import { AttesterError } from "../errors.ts";
import { certificateSigner, newSerial } from "./sign.ts";

/** A simulated root: its certificate, and the key that signs below it. */
export interface SimulatedAuthority {
  readonly certificatePem: string;
  readonly keyPem: string;
}

const YEAR = 365 * 24 * 60 * 60 * 1000;
const HOUR = 60 * 60 * 1000;
const CERTIFICATE_FILE = "root.pem";
const KEY_FILE = "root.key";

/** Makes a simulated root: P-384, like the one it stands in for, and saying SIMULATED in its name. */
export async function newSimulatedAuthority(clock: Clock): Promise<SimulatedAuthority> {
  const keyPem = newKeyPem();
  return { keyPem, certificatePem: await certify(keyPem, clock) };
}

/**
 * The simulated root kept in a directory as `root.pem` and `root.key` (mode 0600), made when there is none.
 * Processes that start at the same time end up with the same root; one that was cut off is continued.
 * @throws AttesterError ATTESTER_AUTHORITY when the files don't belong together or can't be used
 */
export async function openSimulatedAuthority(
  directory: string,
  clock: Clock,
): Promise<SimulatedAuthority> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const keyPem = await readOrMake(join(directory, KEY_FILE), 0o600, newKeyPem);
    const certificatePem = await readOrMake(join(directory, CERTIFICATE_FILE), 0o644, () =>
      certify(keyPem, clock),
    );
    const [der = new Uint8Array()] = fromPem("CERTIFICATE", certificatePem);
    if (!equalBytes(parseCertificate(der).spki, spkiOf(keyPem))) {
      throw new Error(`${KEY_FILE} is not the key of ${CERTIFICATE_FILE}`);
    }
    return { certificatePem, keyPem };
  } catch (cause) {
    throw new AttesterError(
      "ATTESTER_AUTHORITY",
      `simulated root in ${directory} can't be used: ${messageOf(cause)}`,
      { cause },
    );
  }
}

async function readOrMake(
  file: string,
  mode: number,
  make: () => Promise<string> | string,
): Promise<string> {
  const present = await readFile(file, "utf8").catch(unlessAbsent);
  if (present !== undefined) return present;
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await writeFile(draft, await make(), { mode, flush: true });
    // A link never replaces: the first of several makers wins, whole.
    await link(draft, file).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== "EEXIST") throw thrown;
    });
  } finally {
    await rm(draft, { force: true });
  }
  return await readFile(file, "utf8");
}

function unlessAbsent(thrown: NodeJS.ErrnoException): undefined {
  if (thrown.code !== "ENOENT") throw thrown;
}

function newKeyPem(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function spkiOf(keyPem: string): Uint8Array {
  return createPublicKey(createPrivateKey(keyPem)).export({ type: "spki", format: "der" });
}

async function certify(keyPem: string, clock: Clock): Promise<string> {
  const now = clock.now().getTime();
  const name = encodeName({
    O: "Holdfast",
    OU: "SIMULATED",
    CN: `simulated.nitro-enclaves ${randomBytes(4).toString("hex")}`,
  });
  const der = await createCertificate(
    {
      serial: newSerial(),
      issuer: name,
      subject: name,
      notBefore: new Date(now - HOUR),
      notAfter: new Date(now + 30 * YEAR),
      spki: spkiOf(keyPem),
      extensions: [basicConstraints(true), keyUsage("digitalSignature", "keyCertSign", "cRLSign")],
      algorithm: "ecdsa-sha384",
    },
    certificateSigner(createPrivateKey(keyPem)),
  );
  return toPem("CERTIFICATE", der);
}
