// Canonical JSON (RFC 8785, JCS): one text for one value, for signing. Members are sorted by UTF-16 code units and
// numbers written as ECMAScript does, which is what the specification asks for.

/** Values that JSON can carry; undefined members are left out. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined };

/**
 * The canonical text of a value.
 * @throws TypeError for numbers that JSON can't carry and broken Unicode
 */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) return canonicalObject(value as JsonObject);
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError("JSON carries no infinities");
  }
  if (typeof value === "string" && !value.isWellFormed()) {
    throw new TypeError("JSON carries no broken Unicode");
  }
  return JSON.stringify(value);
}

type JsonObject = { readonly [name: string]: JsonValue | undefined };

function canonicalObject(value: JsonObject): string {
  const members = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    // The default order of strings is by code units.
    .sort()
    .map((name) => `${canonicalJson(name)}:${canonicalJson(value[name] ?? null)}`);
  return `{${members.join(",")}}`;
}
