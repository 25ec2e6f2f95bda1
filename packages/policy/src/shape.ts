// Reads untrusted JSON values member by member and collects every fault instead of stopping at the first.
import { type Fault, PolicyError } from "./errors.ts";
import { isDeceptive } from "./path.ts";

/** A JSON object whose members are not judged yet. */
export type Untrusted = Readonly<Record<string, unknown>>;

const MAXIMUM_FAULTS = 100;

/** Collects faults while a document is read. */
export class Faults {
  readonly #list: Fault[] = [];

  /** Notes a fault. */
  add(code: string, pointer: string, message: string): void {
    if (this.#list.length < MAXIMUM_FAULTS) this.#list.push({ code, pointer, message });
  }

  /** How many were noted. */
  get count(): number {
    return this.#list.length;
  }

  /** @throws PolicyError POLICY_INVALID when there is any fault */
  settle(what: string): void {
    const [first] = this.#list;
    if (first === undefined) return;
    const more = this.#list.length > 1 ? ` (and ${this.#list.length - 1} more)` : "";
    const where = first.pointer === "" ? "" : `${first.pointer}: `;
    throw new PolicyError("POLICY_INVALID", `${what}: ${where}${first.message}${more}`, this.#list);
  }
}

/** Which members an object has. */
export interface Members {
  readonly required: readonly string[];
  readonly optional?: readonly string[];
}

/** Reads values of one document. */
export class Shape {
  readonly faults: Faults;

  constructor(faults: Faults) {
    this.faults = faults;
  }

  /** An object with the given members and no others; what else stands in it is a fault. */
  object(value: unknown, pointer: string, members: Members): Untrusted {
    const object = this.openObject(value, pointer, members.required);
    const known = new Set([...members.required, ...(members.optional ?? [])]);
    for (const name of Object.keys(object)) {
      if (!known.has(name))
        this.faults.add("MEMBER_UNKNOWN", child(pointer, name), `unknown member ${name}`);
    }
    return object;
  }

  /** An object with the given members and perhaps others. */
  openObject(value: unknown, pointer: string, required: readonly string[]): Untrusted {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.faults.add("TYPE_OBJECT", pointer, "an object is expected");
      return {};
    }
    for (const name of required) {
      if (!Object.hasOwn(value, name)) {
        this.faults.add("MEMBER_MISSING", child(pointer, name), `member ${name} is missing`);
      }
    }
    return value as Untrusted;
  }

  /** An array, each element read by `read`. An absent value is an empty array: its absence is noted elsewhere. */
  array<T>(
    value: unknown,
    pointer: string,
    maximum: number,
    read: (value: unknown, pointer: string) => T,
  ): T[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.faults.add("TYPE_ARRAY", pointer, "an array is expected");
      return [];
    }
    if (value.length > maximum) {
      this.faults.add(
        "ARRAY_TOO_LONG",
        pointer,
        `${value.length} elements, at most ${maximum} expected`,
      );
      return [];
    }
    return value.map((element, index) => read(element, child(pointer, String(index))));
  }

  /** A string of 1 to `maximum` characters, or of none when `empty` is allowed. */
  text(
    value: unknown,
    pointer: string,
    options: { maximum?: number; empty?: boolean } = {},
  ): string {
    if (value === undefined) return "";
    if (typeof value !== "string") {
      this.faults.add("TYPE_STRING", pointer, "a string is expected");
      return "";
    }
    const maximum = options.maximum ?? 4096;
    if (value.length > maximum || (value === "" && !options.empty)) {
      this.faults.add(
        "STRING_LENGTH",
        pointer,
        `${options.empty ? 0 : 1} to ${maximum} characters are expected`,
      );
    }
    // Bytes of such a text are not what a reader sees.
    if (!value.isWellFormed()) {
      this.faults.add("STRING_CHARACTER", pointer, "broken Unicode");
    }
    return value;
  }

  /** A name of 1 to 256 characters, none of which a terminal, a log or a database could take for something else. */
  name(value: unknown, pointer: string): string {
    const name = this.text(value, pointer, { maximum: 256 });
    if (name.isWellFormed() && isDeceptive(name)) {
      this.faults.add("STRING_CHARACTER", pointer, "a control character can't be in a name");
    }
    return name;
  }

  /** A whole number in a range; 2000.0 is one, true is not. */
  integer(value: unknown, pointer: string, minimum: number, maximum: number): number {
    if (value === undefined) return minimum;
    if (typeof value !== "number" || !Number.isInteger(value)) {
      this.faults.add("TYPE_INTEGER", pointer, "a whole number is expected");
      return minimum;
    }
    if (value < minimum || value > maximum) {
      this.faults.add("NUMBER_RANGE", pointer, `${value} is not from ${minimum} to ${maximum}`);
    }
    return value;
  }

  /** A boolean. */
  boolean(value: unknown, pointer: string): boolean {
    if (value !== undefined && typeof value !== "boolean") {
      this.faults.add("TYPE_BOOLEAN", pointer, "true or false is expected");
    }
    return value === true;
  }
}

/** A JSON pointer one step further down (RFC 6901). */
export function child(pointer: string, name: string): string {
  return `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
