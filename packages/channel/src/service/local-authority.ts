// An authority for the services of one machine, made on first start. Its key and certificate are one file, for its owner
// alone, which appears whole or not at all: of several services that start at once one makes it, and the others use it.
// It may vouch for the names it was made for and for nothing else, so that trusting it gives nobody the rest of the web.
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Certificate,
  type Clock,
  equalBytes,
  fromPem,
  messageOf,
  parseCertificate,
  toPem,
} from "@holdfast/core";
import { keyPemOf, newSelfSigned } from "../keys.ts";
import { ServiceTlsError } from "./errors.ts";
import { LOCAL_NAMES, nameConstraints, namesOutside } from "./names.ts";

/** An authority and the names that a service needs from it. */
export interface LocalAuthority {
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
  /** Local names, and those asked for. */
  readonly names: readonly string[];
  /** What clients trust. */
  readonly certificateFile: string;
}

const TEN_YEARS = 10 * 365;

/**
 * The authority in a directory, made when there is none: `ca.key` (key and certificate, mode 0600) and `ca.pem`.
 * @param names what services are called beside their local names
 * @throws ServiceTlsError TLS_AUTHORITY_UNUSABLE when others may read the key, its parts don't belong together, it has
 *   ended, or it was made for other names
 */
export async function openLocalAuthority(
  directory: string,
  names: readonly string[],
  clock: Clock,
): Promise<LocalAuthority> {
  const all = [...new Set([...LOCAL_NAMES, ...names])];
  const keyFile = join(directory, "ca.key");
  const certificateFile = join(directory, "ca.pem");
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const text = (await readPrivate(keyFile)) ?? (await makeOnce(keyFile, all, clock));
    const { certificate, privateKey } = readPair(text);
    if (clock.now() > certificate.notAfter) throw new Error("it has ended");
    const outside = namesOutside(certificate.extensions, all);
    if (outside.length > 0) throw new Error(`it was not made for ${outside.join(", ")}`);
    await publish(certificateFile, toPem("CERTIFICATE", certificate.der));
    return { certificate, privateKey, names: all, certificateFile };
  } catch (cause) {
    const what = `${keyFile}: ${messageOf(cause)}; removed, it is made anew at the next start, and clients must trust that`;
    throw new ServiceTlsError("TLS_AUTHORITY_UNUSABLE", what, { cause });
  }
}

async function readPrivate(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) throw new Error("others than its owner may read it (chmod 600)");
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}

/** Makes an authority and keeps it, unless another process was faster: then that one's. */
async function makeOnce(path: string, names: readonly string[], clock: Clock): Promise<string> {
  const { privateKey, der } = await newSelfSigned({
    kind: "authority",
    name: { O: "Holdfast", CN: `local services ${randomBytes(4).toString("hex")}` },
    days: TEN_YEARS,
    clock,
    extensions: [nameConstraints(names)],
  });
  const own = `${path}.${randomBytes(8).toString("hex")}`;
  const text = `${keyPemOf(privateKey)}${toPem("CERTIFICATE", der)}`;
  try {
    await writeFile(own, text, { mode: 0o600, flag: "wx", flush: true });
    await link(own, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  } finally {
    await rm(own, { force: true });
  }
  return await readFile(path, "utf8");
}

function readPair(text: string): { certificate: Certificate; privateKey: KeyObject } {
  const [der = new Uint8Array(), ...more] = fromPem("CERTIFICATE", text);
  if (more.length > 0) throw new Error("one certificate expected");
  const certificate = parseCertificate(der);
  const privateKey = createPrivateKey(text);
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  if (!equalBytes(certificate.spki, spki)) throw new Error("the key is not the certificate's");
  if (!certificate.isCa) throw new Error("the certificate may not issue certificates");
  return { certificate, privateKey };
}

/** The certificate alone, for clients; written again when it is not what it should be. */
async function publish(path: string, text: string): Promise<void> {
  const present = await readFile(path, "utf8").catch(() => undefined);
  if (present === text) return;
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  await writeFile(draft, text, { mode: 0o644, flag: "wx", flush: true });
  await rename(draft, path);
}
