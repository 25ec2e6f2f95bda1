// A guest in the caller's own thread: no worker, no limits of time, nothing that ends it. For benches and tools that
// trust what they run; keeps use a Runner.
import { directoriesOf, limitsOf, neededDirectories, preopensOf } from "../run/defaults.ts";
import type { RunOptions } from "../run/options.ts";
import { makeGuest } from "../worker/run-job.ts";
import { guestImports, type Imports } from "./imports.ts";
import { createRing } from "./ring.ts";

/** The import object for an instance, and what to do with its memory. */
export interface InThreadGuest {
  readonly imports: Imports;
  attach(memory: WebAssembly.Memory): void;
}

/** Makes the host of one guest. Streams have no receiver: what is written there fills up and then blocks. */
export function guestInThisThread(
  options: Pick<RunOptions, "snapshot" | "rights" | "directories" | "clock" | "random">,
): InThreadGuest {
  const directories = directoriesOf(options, options.snapshot);
  const guest = makeGuest({
    ...options,
    rights: [...options.rights],
    directories: neededDirectories(options.rights, directories),
    preopens: preopensOf(directories),
    arguments: [],
    environment: {},
    stdin: new Uint8Array(),
    ring: createRing(),
    ...limitsOf({ storageBytes: 2 ** 40 }),
  });
  return {
    imports: guestImports(guest),
    attach: (memory) => guest.memory.attach(memory),
  };
}
