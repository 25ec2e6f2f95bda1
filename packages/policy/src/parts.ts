// Parts that the policies share: file rights, certificates, hashes, identities' ids.
import { fromPem, messageOf, parseCertificate, toHex } from "@holdfast/core";
import { PolicyError } from "./errors.ts";
import { isStream, normalizePath } from "./path.ts";
import { isRights, KNOWN_RIGHTS } from "./rights.ts";
import type { RightsTable } from "./rights-table.ts";
import { child, type Shape, type Untrusted } from "./shape.ts";

/** One entry of `file_rights`, as written. */
export interface FileRight {
  readonly file_name: string;
  readonly rights: number;
}

/** Bounds that keep a hostile policy small. */
export const MAXIMUM_IDENTITIES = 256;
export const MAXIMUM_PROGRAMS = 256;
export const MAXIMUM_FILES = 4096;
const MAXIMUM_RIGHTS = 1024;
/** How a directory is spelled, the root too. */
const DIRECTORY = /\/\.?$/;
const MAXIMUM_CERTIFICATE_TEXT = 16 * 1024;

/** A list of file rights: paths in order, rights known, each path once. */
export function readFileRights(shape: Shape, value: unknown, pointer: string): FileRight[] {
  const seen = new Set<string>();
  return shape.array(value, pointer, MAXIMUM_RIGHTS, (entry, at) => {
    const object = shape.object(entry, at, { required: ["file_name", "rights"] });
    const name = shape.text(object["file_name"], child(at, "file_name"));
    const path = name === "" ? undefined : readPath(shape, name, child(at, "file_name"));
    if (path !== undefined && seen.has(path)) {
      shape.faults.add("RIGHTS_DUPLICATE", child(at, "file_name"), `${path} has an entry already`);
    }
    if (path !== undefined) seen.add(path);
    return { file_name: name, rights: readRights(shape, object["rights"], child(at, "rights")) };
  });
}

/** The table of a list of file rights that was read without fault. */
export function tableOf(entries: readonly FileRight[]): RightsTable {
  return new Map(entries.map(({ file_name, rights }) => [normalizePath(file_name), rights]));
}

/** Entries that are spelled as directories, with a slash at their end; in their one spelling, which has none. */
export function directoriesIn(entries: readonly Pick<FileRight, "file_name">[]): string[] {
  return entries
    .filter(({ file_name }) => DIRECTORY.test(file_name))
    .map(({ file_name }) => normalizePath(file_name));
}

/** A path in its one spelling; undefined when it is absent or at fault. */
export function readPath(shape: Shape, value: unknown, pointer: string): string | undefined {
  if (typeof value !== "string") return undefined;
  try {
    return normalizePath(value);
  } catch (thrown) {
    if (!(thrown instanceof PolicyError)) throw thrown;
    shape.faults.add(thrown.code, pointer, thrown.message);
    return undefined;
  }
}

/** A path of a file: not a stream, not the root, not spelled as a directory. */
export function readFilePath(shape: Shape, value: unknown, pointer: string): string {
  const text = shape.text(value, pointer);
  const path = text === "" ? undefined : readPath(shape, value, pointer);
  if (path !== undefined && (isStream(path) || DIRECTORY.test(text))) {
    shape.faults.add("PATH_NOT_A_FILE", pointer, `${text} can't be a file`);
  }
  return text;
}

/** A SHA-256, 64 hexadecimal digits; given in lower case. */
export function readHash(shape: Shape, value: unknown, pointer: string): string {
  const text = shape.text(value, pointer, { maximum: 256 });
  if (text !== "" && !/^[0-9a-fA-F]{64}$/.test(text)) {
    shape.faults.add("HASH_FORMAT", pointer, "64 hexadecimal digits are expected");
  }
  return text.toLowerCase();
}

/** The text of one certificate and its DER; text is kept exactly as written. */
export function readCertificate(
  shape: Shape,
  value: unknown,
  pointer: string,
): { text: string; der: Uint8Array } {
  const text = shape.text(value, pointer, { maximum: MAXIMUM_CERTIFICATE_TEXT });
  const none = { text, der: new Uint8Array() };
  if (text === "") return none;
  try {
    const [der, ...more] = fromPem("CERTIFICATE", text);
    if (der === undefined || more.length > 0) {
      shape.faults.add("CERTIFICATE_COUNT", pointer, "exactly one certificate is expected");
      return none;
    }
    parseCertificate(der);
    refuseTextAround(shape, text, pointer);
    return { text, der };
  } catch (thrown) {
    shape.faults.add("CERTIFICATE_UNREADABLE", pointer, messageOf(thrown));
    return none;
  }
}

/** Notes text before or after the PEM blocks: a private key pasted along would be published with the policy. */
export function refuseTextAround(shape: Shape, text: string, pointer: string): void {
  const rest = text.replaceAll(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g, "");
  if (rest.trim() !== "") {
    shape.faults.add("CERTIFICATE_TEXT", pointer, "something other than certificates stands here");
  }
}

/** Notes certificates that stand twice: which identity's rights would count? */
export function refuseSameCertificates(
  shape: Shape,
  certificates: readonly { der: Uint8Array }[],
  pointer: string,
): void {
  const first = new Map<string, number>();
  for (const [index, { der }] of certificates.entries()) {
    const key = toHex(der);
    const earlier = first.get(key);
    if (der.length > 0 && earlier !== undefined) {
      shape.faults.add(
        "CERTIFICATE_DUPLICATE",
        `${pointer}/${index}/certificate`,
        `the same certificate as identity ${earlier}`,
      );
    }
    if (earlier === undefined) first.set(key, index);
  }
}

/** Where a value stands that must stand once. */
export interface Place {
  /** The value in its one spelling; undefined when it is absent or at fault, which is noted elsewhere. */
  readonly value: string | number | undefined;
  readonly pointer: string;
}

/** Notes values that stand twice. */
export function refuseDuplicates(shape: Shape, places: readonly Place[], code: string): void {
  const seen = new Set<string | number>();
  for (const { value, pointer } of places) {
    if (value === undefined) continue;
    if (seen.has(value)) shape.faults.add(code, pointer, `${value} stands twice`);
    seen.add(value);
  }
}

/** Digests by their paths' one spelling; a path that has none is noted elsewhere. */
export function pinsOf(
  files: readonly { readonly path: string; readonly hash: string }[],
): ReadonlyMap<string, string> {
  const entries = files.map(({ path, hash }) => [spelling(path), hash] as const);
  return new Map(entries.filter((entry): entry is [string, string] => entry[0] !== undefined));
}

/** Places of a numeric member in a list of untrusted objects. */
export function idPlaces(untrusted: unknown, pointer: string): Place[] {
  return places(untrusted, pointer, "id", (value) =>
    typeof value === "number" ? value : undefined,
  );
}

/** Places of a path member in a list of untrusted objects. */
export function pathPlaces(untrusted: unknown, pointer: string, member: string): Place[] {
  return places(untrusted, pointer, member, spelling);
}

/** The one spelling of an untrusted path; undefined when it has none. */
export function spelling(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  try {
    return normalizePath(value);
  } catch (thrown) {
    if (!(thrown instanceof PolicyError)) throw thrown;
    return undefined;
  }
}

function places(
  untrusted: unknown,
  pointer: string,
  member: string,
  read: (value: unknown) => string | number | undefined,
): Place[] {
  if (!Array.isArray(untrusted)) return [];
  return untrusted.slice(0, MAXIMUM_FILES).map((entry: unknown, index) => ({
    value:
      typeof entry === "object" && entry !== null && Object.hasOwn(entry, member)
        ? read((entry as Untrusted)[member])
        : undefined,
    pointer: `${pointer}/${index}/${member}`,
  }));
}

function readRights(shape: Shape, value: unknown, pointer: string): number {
  if (Number.isInteger(value) && !isRights(value)) {
    shape.faults.add("RIGHTS_UNKNOWN", pointer, `${value} has bits outside ${KNOWN_RIGHTS}`);
    return 0;
  }
  return shape.integer(value, pointer, 0, KNOWN_RIGHTS);
}
