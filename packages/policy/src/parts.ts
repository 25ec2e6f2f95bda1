// Parts that the policies share: file rights, certificates, hashes, identities' ids.
import { equalBytes, fromPem, messageOf, parseCertificate } from "@holdfast/core";
import { PolicyError } from "./errors.ts";
import { isStream, normalizePath } from "./path.ts";
import { isRights, KNOWN_RIGHTS } from "./rights.ts";
import type { RightsTable } from "./rights-table.ts";
import { child, type Shape } from "./shape.ts";

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
const MAXIMUM_CERTIFICATE_TEXT = 16 * 1024;

/** A list of file rights: paths in order, rights known, each path once. */
export function readFileRights(shape: Shape, value: unknown, pointer: string): FileRight[] {
  const seen = new Set<string>();
  return shape.array(value, pointer, MAXIMUM_RIGHTS, (entry, at) => {
    const object = shape.object(entry, at, { required: ["file_name", "rights"] });
    const name = shape.text(object["file_name"], child(at, "file_name"));
    const path = readPath(shape, object["file_name"], child(at, "file_name"));
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

/** A path of a file: not a stream, not the root. */
export function readFilePath(shape: Shape, value: unknown, pointer: string): string {
  const text = shape.text(value, pointer);
  const path = value === undefined || text === "" ? undefined : readPath(shape, value, pointer);
  if (path !== undefined && (isStream(path) || path === "/")) {
    shape.faults.add("PATH_NOT_A_FILE", pointer, `${path} can't be a file`);
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
    return { text, der };
  } catch (thrown) {
    shape.faults.add("CERTIFICATE_UNREADABLE", pointer, messageOf(thrown));
    return none;
  }
}

/** Notes certificates that stand twice: which identity's rights would count? */
export function refuseSameCertificates(
  shape: Shape,
  certificates: readonly { der: Uint8Array }[],
  pointer: string,
): void {
  certificates.forEach(({ der }, index) => {
    const first = certificates.findIndex((other) => equalBytes(other.der, der));
    if (der.length > 0 && first < index) {
      shape.faults.add(
        "CERTIFICATE_DUPLICATE",
        `${pointer}/${index}/certificate`,
        `the same certificate as identity ${first}`,
      );
    }
  });
}

/** Notes values that stand twice in a list. */
export function refuseDuplicates(
  shape: Shape,
  values: readonly (string | number)[],
  pointer: string,
  member: string,
  code: string,
): void {
  values.forEach((value, index) => {
    if (values.indexOf(value) < index) {
      shape.faults.add(code, `${pointer}/${index}/${member}`, `${member} ${value} stands twice`);
    }
  });
}

function readRights(shape: Shape, value: unknown, pointer: string): number {
  const rights = shape.integer(value, pointer, 0, 2 ** 32 - 1);
  if (!isRights(rights)) {
    shape.faults.add("RIGHTS_UNKNOWN", pointer, `${rights} has bits outside ${KNOWN_RIGHTS}`);
  }
  return rights;
}
