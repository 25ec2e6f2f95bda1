// One guest as its host sees it: memory, files, descriptors, clocks, randomness, streams, and how the run ends.
import { Buffer } from "node:buffer";
import type { FileSystem } from "../vfs/file-system.ts";
import { Lookup } from "../vfs/lookup.ts";
import { DescriptorTable } from "./descriptors.ts";
import type { GuestClocks } from "./guest-clock.ts";
import { GuestMemory } from "./guest-memory.ts";
import type { GuestRandomness } from "./guest-random.ts";
import { RECORD, type Ring } from "./ring.ts";

/** Why a run ends before its entry function returns. */
export type Ending =
  | { readonly state: "exited"; readonly exitCode: number }
  | { readonly state: "trapped"; readonly message: string }
  | { readonly state: "limit"; readonly reason: string }
  | { readonly state: "cancelled" };

/** What a guest is made of. */
export interface GuestParts {
  readonly fs: FileSystem;
  readonly clocks: GuestClocks;
  readonly random: GuestRandomness;
  readonly ring: Ring;
  readonly stdin: Uint8Array;
  readonly maximumDescriptors: number;
  readonly maximumOutput: number;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A module whose only function traps. A guest may catch exceptions of its host, but not a trap. */
const UNWINDER = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02,
  0x01, 0x00, 0x07, 0x08, 0x01, 0x04, 0x73, 0x74, 0x6f, 0x70, 0x00, 0x00, 0x0a, 0x05, 0x01, 0x03,
  0x00, 0x00, 0x0b,
]);
const unwind = new WebAssembly.Instance(new WebAssembly.Module(UNWINDER)).exports[
  "stop"
] as () => never;

/** A guest. Calls of the host begin with `enter`. */
export class Guest {
  readonly memory = new GuestMemory();
  readonly fs: FileSystem;
  readonly lookup: Lookup;
  readonly descriptors: DescriptorTable;
  readonly clocks: GuestClocks;
  readonly random: GuestRandomness;
  readonly ring: Ring;
  readonly stdin: Buffer;
  readonly arguments: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
  stdinAt = 0;
  ending: Ending | undefined;
  /** The guest went on after a call that broke off, and was stopped at the next. */
  cutOff = false;
  #outputLeft: number;

  constructor(parts: GuestParts) {
    this.fs = parts.fs;
    this.lookup = new Lookup(parts.fs.root);
    this.descriptors = new DescriptorTable(parts.fs, parts.maximumDescriptors);
    this.clocks = parts.clocks;
    this.random = parts.random;
    this.ring = parts.ring;
    this.stdin = Buffer.from(parts.stdin);
    this.arguments = parts.arguments.map((text) => Buffer.from(`${text}\0`));
    this.environment = Object.entries(parts.environment).map(([name, value]) =>
      Buffer.from(`${name}=${value}\0`),
    );
    this.#outputLeft = parts.maximumOutput;
  }

  /** Begins a call: views of memory that has grown are made anew, and a run asked to end does so. */
  enter(): GuestMemory {
    if (this.memory.bytes.length === 0) this.ring.notePeakMemory(this.memory.refresh());
    if (this.ring.stopped) this.end({ state: "cancelled" });
    // With the stack full a call may break off half-way, or the end of the run itself: a guest may be able to catch
    // that, but gets no further call.
    if (this.fs.altering || this.ending !== undefined) {
      this.cutOff = this.ending === undefined;
      unwind();
    }
    return this.memory;
  }

  /** Ends the run at once; nothing of the guest runs any more. */
  end(ending: Ending): never {
    this.ending ??= ending;
    return unwind();
  }

  /** Gives bytes of the guest's memory to a stream; past the limit the run ends. */
  output(stream: number, at: number, length: number): void {
    const count = Math.min(length, this.#outputLeft);
    this.#outputLeft -= count;
    if (count > 0) {
      this.ring.write(stream === 1 ? RECORD.stdout : RECORD.stderr, this.memory.bytes, at, count);
    }
    if (count < length) this.end({ state: "limit", reason: "RUN_OUTPUT_LIMIT" });
  }
}
