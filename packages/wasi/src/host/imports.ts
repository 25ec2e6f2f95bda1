// The import object of a guest: both generations of Preview 1 and the Veracruz interface over the same calls.
import { RIGHTS } from "@holdfast/policy";
import {
  IMPORTABLE,
  MODULE_PREVIEW1,
  MODULE_UNSTABLE,
  MODULE_VERACRUZ,
} from "../module/interface.ts";
import { adapt, type PlainCall } from "./adapter.ts";
import { descriptorCalls } from "./descriptor-calls.ts";
import { Descriptor, FILE_RIGHTS } from "./descriptors.ts";
import { ERRNO } from "./errno.ts";
import type { Guest } from "./guest.ts";
import { ioCalls, type Whence } from "./io-calls.ts";
import { pathCalls } from "./path-calls.ts";
import { openCalls } from "./path-open.ts";
import { type PollLayout, pollCalls } from "./poll.ts";
import { processCalls } from "./process-calls.ts";
import type { StatLayout } from "./stat.ts";

/** Functions by module and name, as a guest imports them. */
export type Imports = Record<string, Record<string, (...values: never[]) => unknown>>;

/** Changes each call, for traces. */
export type WrapCall = (name: string, call: PlainCall) => PlainCall;

/** What differs between the generations. */
interface Generation {
  readonly whence: Whence;
  readonly stat: StatLayout;
  readonly poll: PollLayout;
}

const PREVIEW1: Generation = {
  whence: { set: 0, current: 1, end: 2 },
  stat: { bytes: 64, links: 24, wideLinks: true, size: 32 },
  poll: { subscriptionBytes: 48, clockId: 16, timeout: 24, clockFlags: 40 },
};

const UNSTABLE: Generation = {
  whence: { current: 0, end: 1, set: 2 },
  stat: { bytes: 56, links: 20, wideLinks: false, size: 24 },
  poll: { subscriptionBytes: 56, clockId: 24, timeout: 32, clockFlags: 48 },
};

/** All imports a guest may use. */
export function guestImports(guest: Guest, wrap?: WrapCall): Imports {
  const all: Record<string, Record<string, PlainCall>> = {
    [MODULE_PREVIEW1]: generation(guest, PREVIEW1),
    [MODULE_UNSTABLE]: generation(guest, UNSTABLE),
    [MODULE_VERACRUZ]: veracruzCalls(guest),
  };
  return Object.fromEntries(
    Object.entries(all).map(([from, calls]) => {
      return [from, adapt(wrapped(calls, wrap), IMPORTABLE[from] ?? {}, wrap === undefined)];
    }),
  );
}

function wrapped(calls: Record<string, PlainCall>, wrap: WrapCall | undefined) {
  if (wrap === undefined) return calls;
  return Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, wrap(name, call)]));
}

function generation(guest: Guest, { whence, stat, poll }: Generation): Record<string, PlainCall> {
  return {
    ...processCalls(guest),
    ...ioCalls(guest, whence),
    ...descriptorCalls(guest, stat),
    ...openCalls(guest),
    ...pathCalls(guest, stat),
    ...pollCalls(guest, poll),
  };
}

/** The Veracruz interface: a file without a name, for as long as it is open. */
function veracruzCalls(guest: Guest) {
  return {
    fd_create(result: number): number {
      const memory = guest.enter();
      if (!memory.fits(result >>> 0, 4)) return ERRNO.fault;
      if (!guest.descriptors.hasRoom) return ERRNO.mfile;
      const file = guest.fs.createAnonymous();
      if (typeof file === "number") return file;
      const descriptor = new Descriptor(file, FILE_RIGHTS & ~RIGHTS.poll_fd_readwrite, 0);
      memory.setU32(result >>> 0, guest.descriptors.add(descriptor));
      return ERRNO.success;
    },
  };
}
