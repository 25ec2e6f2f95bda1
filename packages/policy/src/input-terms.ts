// Files that nobody uploads: the keep fetches them itself from a place that nobody has to trust, for their digests are in
// the policy; one with a key comes sealed, and the key is released to the keep alone.
import { pathPlaces, readFilePath, readHash, refuseDuplicates, spelling } from "./parts.ts";
import { child, type Shape } from "./shape.ts";

/** A file that the keep fetches. */
export interface PolicyInput {
  /** Normalised; the policy pins what stands there. */
  readonly path: string;
  /** `https://...`, or `oci://REGISTRY/REPOSITORY`. */
  readonly source: string;
  /** Of the bytes as they are fetched, lower-case hexadecimal. */
  readonly sha256: string;
  /** Bytes as they are fetched. */
  readonly size: number;
  /** Name of the key that opens them; absent when they are the file itself. */
  readonly key?: string;
}

/** Digests by normalised path, lower-case hexadecimal. */
export type Pins = ReadonlyMap<string, string>;

const MAXIMUM_INPUTS = 256;
const MAXIMUM_BYTES = 2 ** 40;
/** A sealed file of nothing: magic, nonce and tag. */
const LEAST_SEALED_BYTES = 8 + 12 + 16;
/** What one key and nonce may seal (NIST SP 800-38D), and the same. */
const MOST_SEALED_BYTES = 2 ** 36 - 32 + LEAST_SEALED_BYTES;
const KEY_NAME = /^[a-z0-9][a-z0-9._-]{0,127}$/;
/** What a URL may be written with (RFC 3986): what parsers drop, or a terminal hides, would make it another than is read. */
const VISIBLE = /^[!-~]+$/;
const REPOSITORY = /^[^/]+\/[a-z0-9]+(?:[._/-][a-z0-9]+)*$/;

/** Reads the list of inputs. */
export function readInputs(shape: Shape, value: unknown, at: string, pins: Pins): PolicyInput[] {
  refuseDuplicates(shape, pathPlaces(value, at, "path"), "INPUT_DUPLICATE");
  return shape
    .array(value, at, MAXIMUM_INPUTS, (entry, pointer) => readInput(shape, entry, pointer, pins))
    .filter((input) => input !== undefined);
}

function readInput(shape: Shape, value: unknown, at: string, pins: Pins): PolicyInput | undefined {
  const object = shape.object(value, at, {
    required: ["path", "source", "sha256", "size"],
    optional: ["key"],
  });
  const path = spelling(readFilePath(shape, object["path"], child(at, "path")));
  const isSealed = object["key"] !== undefined;
  const input = {
    source: readSource(shape, object["source"], child(at, "source")),
    sha256: readHash(shape, object["sha256"], child(at, "sha256")),
    size: shape.integer(object["size"], child(at, "size"), 1, MAXIMUM_BYTES),
    ...(isSealed ? { key: readKeyName(shape, object["key"], child(at, "key")) } : {}),
  };
  if (isSealed && (input.size < LEAST_SEALED_BYTES || input.size > MOST_SEALED_BYTES)) {
    const text = `a sealed file has ${LEAST_SEALED_BYTES} to ${MOST_SEALED_BYTES} bytes`;
    shape.faults.add("INPUT_SIZE", child(at, "size"), text);
  }
  if (path === undefined) return undefined;
  const pin = pins.get(path);
  if (pin === undefined) {
    shape.faults.add("INPUT_UNPINNED", child(at, "path"), `${path} has no hash in the policy`);
  } else if (!isSealed && pin !== input.sha256) {
    const text = `without a key what is fetched is the file, and ${path} has hash ${pin}`;
    shape.faults.add("INPUT_DIGEST", child(at, "sha256"), text);
  }
  return { path, ...input };
}

function readSource(shape: Shape, value: unknown, pointer: string): string {
  const source = shape.text(value, pointer, { maximum: 2048 });
  if (source !== "" && !isSource(source)) {
    const text = "an https URL without credentials, or oci://REGISTRY/REPOSITORY is expected";
    shape.faults.add("INPUT_SOURCE", pointer, text);
  }
  return source;
}

/** The digest decides what is taken: where a web server is one's own, it need not speak TLS. */
function isSource(source: string): boolean {
  const url = VISIBLE.test(source) ? URL.parse(source) : null;
  if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") return false;
  if (url.protocol === "oci:") return REPOSITORY.test(source.slice("oci://".length));
  return url.protocol === "https:" || url.protocol === "http:";
}

function readKeyName(shape: Shape, value: unknown, pointer: string): string {
  const name = shape.text(value, pointer, { maximum: 128 });
  if (name !== "" && !KEY_NAME.test(name)) {
    const text = "lower-case letters, digits, dots, underscores and dashes are expected";
    shape.faults.add("INPUT_KEY", pointer, text);
  }
  return name;
}
