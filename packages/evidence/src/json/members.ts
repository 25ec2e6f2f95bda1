// Reads members of JSON documents by the type that is expected of each. A member of another type is a malformed document,
// not a default.
import { fromHex, HoldfastError, toHex } from "@holdfast/core";
import { malformed } from "../errors.ts";

/** A JSON object whose members are not judged yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

const MAXIMUM_TEXT = 1 << 20;
const MAXIMUM_ITEMS = 256;

/** An object of a text. */
export function jsonObject(text: string): JsonObject {
  if (text.length > MAXIMUM_TEXT) throw malformed(`document of ${text.length} characters`);
  try {
    return asObject(JSON.parse(text), "document");
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    throw malformed("document is not JSON", cause);
  }
}

/** A value that must be an object. */
export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed(`${where}: an object is expected`);
  }
  return value as JsonObject;
}

/** A text member. */
export function textOf(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== "string" || value.length > 1024) throw malformed(`${name}: text expected`);
  return value;
}

/** A member of hexadecimal digits, of a length in bytes; lower case. */
export function hexOf(object: JsonObject, name: string, length: number): string {
  try {
    const bytes = fromHex(textOf(object, name));
    if (bytes.length !== length)
      throw malformed(`${name}: ${bytes.length} bytes, ${length} expected`);
    return toHex(bytes);
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw malformed(`${name}: ${length} bytes in hexadecimal expected`, cause);
  }
}

/** A whole number between 0 and a bound. */
export function numberOf(object: JsonObject, name: string, maximum: number): number {
  const value = object[name];
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > maximum) {
    throw malformed(`${name}: whole number up to ${maximum} expected`);
  }
  return value;
}

/** A time in the one form Intel writes: `2026-01-31T00:00:00Z`. */
export function timeOf(object: JsonObject, name: string): Date {
  const text = textOf(object, name);
  const date = new Date(text);
  const canonical = `${text.slice(0, -1)}.000Z`;
  if (Number.isNaN(date.getTime()) || date.toISOString() !== canonical) {
    throw malformed(`${name}: ${JSON.stringify(text)} is no time of the form 2026-01-31T00:00:00Z`);
  }
  return date;
}

/** Elements of an array member; an absent one has none when `optional`. */
export function itemsOf(
  object: JsonObject,
  name: string,
  options: { optional?: boolean } = {},
): readonly unknown[] {
  const value = object[name];
  if (value === undefined && options.optional) return [];
  if (!Array.isArray(value) || value.length > MAXIMUM_ITEMS) {
    throw malformed(`${name}: array of at most ${MAXIMUM_ITEMS} expected`);
  }
  return value;
}

/** Texts of an array member; absent means none. */
export function textsOf(object: JsonObject, name: string): string[] {
  return itemsOf(object, name, { optional: true }).map((item) => {
    if (typeof item !== "string" || item.length > 256) throw malformed(`${name}: texts expected`);
    return item;
  });
}
