// An authority for the services of one machine, made on first start. Its key and certificate are one file, for its owner
// alone, which appears whole or not at all: of several services that start at once one makes it, and the others use it.
// It may vouch for the names it was made for and for nothing else, so that trusting it gives nobody the rest of the web.
// Before it ends another one takes its place, and clients have long trusted both by then.
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Certificate,
  type Clock,
  EXTENSION,
  equalBytes,
  fromPem,
  messageOf,
  type NewExtension,
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

const DAY_MS = 24 * 60 * 60 * 1000;
const TEN_YEARS = 10 * 365;
/** Time before its end in which its successor is trusted beside it: for clients to take note. */
const OVERLAP_MS = 365 * DAY_MS;
/** Time before its end from which its successor issues: more than the life of what it issued. */
const HANDOVER_MS = 120 * DAY_MS;

/**
 * The authority in a directory, made when there is none: `ca.key` (key and certificate, mode 0600) and `ca.pem`, what
 * clients are to trust. A year before its end it gets a successor for the same names (`ca-after-SERIAL.key`), whose
 * certificate stands in `ca.pem` beside its own; four months before its end the successor issues. One that has ended, as
 * in a directory that was restored years later, is succeeded at once.
 * @param names what services are called beside their local names
 * @throws ServiceTlsError TLS_AUTHORITY_UNUSABLE when others may read a key, its parts don't belong together, or it was
 *   made for other names
 */
export async function openLocalAuthority(
  directory: string,
  names: readonly string[],
  clock: Clock,
): Promise<LocalAuthority> {
  const all = [...new Set([...LOCAL_NAMES, ...names])];
  const certificateFile = join(directory, "ca.pem");
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const trusted = await line(directory, all, clock);
    const [oldest, successor = oldest] = trusted;
    const issuing = leftOf(oldest, clock) > HANDOVER_MS ? oldest : successor;
    await publish(
      certificateFile,
      trusted.map(({ certificate }) => toPem("CERTIFICATE", certificate.der)).join(""),
    );
    return { ...issuing, names: all, certificateFile };
  } catch (cause) {
    const what = `${messageOf(cause)}; removed, it is made anew at the next start, and clients must trust that`;
    throw new ServiceTlsError("TLS_AUTHORITY_UNUSABLE", what, { cause });
  }
}

/** A key and its certificate. */
type Pair = Pick<LocalAuthority, "certificate" | "privateKey">;

/**
 * The authority of this time, and the one after it when that is to be known already. Files are made once and never moved,
 * so that services that start at once come to the same.
 */
async function line(
  directory: string,
  names: readonly string[],
  clock: Clock,
): Promise<[Pair, ...Pair[]]> {
  let pair = await openPair(join(directory, "ca.key"), names, nameConstraints(names), clock);
  for (;;) {
    const left = leftOf(pair, clock);
    if (left > OVERLAP_MS) return [pair];
    const { serial, extensions } = pair.certificate;
    const value = extensions.get(EXTENSION.nameConstraints)?.value ?? new Uint8Array();
    const sameNames = { oid: EXTENSION.nameConstraints, critical: true, value };
    const file = join(directory, `ca-after-${serial}.key`);
    const next = await openPair(file, names, sameNames, clock);
    if (left > 0) return [pair, next];
    pair = next;
  }
}

/** Milliseconds until its end. */
function leftOf({ certificate }: Pair, clock: Clock): number {
  return certificate.notAfter.getTime() - clock.now().getTime();
}

async function openPair(
  path: string,
  names: readonly string[],
  constraints: NewExtension,
  clock: Clock,
): Promise<Pair> {
  try {
    const pair = readPair((await readPrivate(path)) ?? (await makeOnce(path, constraints, clock)));
    const outside = namesOutside(pair.certificate.extensions, names);
    if (outside.length > 0) throw new Error(`it was not made for ${outside.join(", ")}`);
    return pair;
  } catch (cause) {
    throw new Error(`${path}: ${messageOf(cause)}`, { cause });
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
async function makeOnce(path: string, constraints: NewExtension, clock: Clock): Promise<string> {
  const { privateKey, der } = await newSelfSigned({
    kind: "authority",
    name: { O: "Holdfast", CN: `local services ${randomBytes(4).toString("hex")}` },
    days: TEN_YEARS,
    clock,
    extensions: [constraints],
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

function readPair(text: string): Pair {
  const [der = new Uint8Array(), ...more] = fromPem("CERTIFICATE", text);
  if (more.length > 0) throw new Error("one certificate expected");
  const certificate = parseCertificate(der);
  const privateKey = createPrivateKey(text);
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  if (!equalBytes(certificate.spki, spki)) throw new Error("the key is not the certificate's");
  if (!certificate.isCa) throw new Error("the certificate may not issue certificates");
  return { certificate, privateKey };
}

/** Certificates alone, for clients; written again when it is not what it should be. */
async function publish(path: string, text: string): Promise<void> {
  const present = await readFile(path, "utf8").catch(() => undefined);
  if (present === text) return;
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  await writeFile(draft, text, { mode: 0o644, flag: "wx", flush: true });
  await rename(draft, path);
}
