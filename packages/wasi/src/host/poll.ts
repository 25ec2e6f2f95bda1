// poll_oneoff (WASI Preview 1). Files and streams of a guest are always ready, so only clocks ever wait.
import { RIGHTS } from "@holdfast/policy";
import { ERRNO } from "./errno.ts";
import type { Guest } from "./guest.ts";
import { CLOCK } from "./guest-clock.ts";
import type { GuestMemory } from "./guest-memory.ts";

/** Where the members of a subscription stand; the older generation has an identifier more. */
export interface PollLayout {
  readonly subscriptionBytes: number;
  readonly clockId: number;
  readonly timeout: number;
  readonly clockFlags: number;
}

const EVENT_BYTES = 32;
const TAG = { clock: 0, read: 1, write: 2 } as const;
const ABSOLUTE = 1;
/** A guest that subscribes to more is at fault, not in need. */
const MAXIMUM_SUBSCRIPTIONS = 4096;

interface Event {
  readonly userdata: bigint;
  readonly tag: number;
  readonly errno: number;
  readonly bytes: number;
}

interface Alarm {
  readonly userdata: bigint;
  /** Milliseconds from now. */
  readonly due: number;
}

/** The call, for a guest. */
export function pollCalls(guest: Guest, layout: PollLayout) {
  const { clocks, descriptors } = guest;

  function readiness(memory: GuestMemory, at: number, tag: number): Event {
    const userdata = memory.u64(at);
    const descriptor = descriptors.get(memory.u32(at + 16));
    const ready = (errno: number, bytes: number): Event => ({ userdata, tag, errno, bytes });
    if (descriptor === undefined) return ready(ERRNO.badf, 0);
    if ((descriptor.rights & RIGHTS.poll_fd_readwrite) === 0) return ready(ERRNO.notcapable, 0);
    if (tag === TAG.write) return ready(ERRNO.success, 65_536);
    const { file, stream } = descriptor;
    if (stream === 0) return ready(ERRNO.success, guest.stdin.length - guest.stdinAt);
    return ready(ERRNO.success, Math.max(0, (file?.size ?? 0) - descriptor.position));
  }

  /** When a clock subscription is due; an error number when it can't be. */
  function alarm(memory: GuestMemory, at: number): Alarm | number {
    if (clocks.off) return ERRNO.acces;
    const id = memory.u32(at + layout.clockId);
    const now = clocks.time(id);
    if (now < 0 || id > CLOCK.monotonic) return ERRNO.inval;
    const timeout = Number(memory.u64(at + layout.timeout));
    const absolute = (memory.u16(at + layout.clockFlags) & ABSOLUTE) !== 0;
    const wait = absolute ? timeout - now : timeout;
    return { userdata: memory.u64(at), due: Math.max(0, wait / 1e6) };
  }

  function wait(milliseconds: number): void {
    if (clocks.goes) guest.ring.sleep(milliseconds);
    else clocks.skip(milliseconds);
    guest.enter();
  }

  return {
    poll_oneoff(subscriptions: number, events: number, count: number, result: number): number {
      const memory = guest.enter();
      const [from, to, many] = [subscriptions >>> 0, events >>> 0, count >>> 0];
      if (many === 0 || many > MAXIMUM_SUBSCRIPTIONS) return ERRNO.inval;
      if (!memory.fits(from, many * layout.subscriptionBytes)) return ERRNO.fault;
      if (!memory.fits(to, many * EVENT_BYTES) || !memory.fits(result >>> 0, 4)) return ERRNO.fault;
      const happened: Event[] = [];
      const alarms: Alarm[] = [];
      for (let index = 0; index < many; index += 1) {
        const at = from + index * layout.subscriptionBytes;
        const tag = memory.u8(at + 8);
        if (tag === TAG.clock) {
          const due = alarm(memory, at);
          if (typeof due === "object") alarms.push(due);
          else happened.push({ userdata: memory.u64(at), tag, errno: due, bytes: 0 });
        } else if (tag === TAG.read || tag === TAG.write) {
          happened.push(readiness(memory, at, tag));
        } else {
          return ERRNO.inval;
        }
      }
      const patience = happened.length > 0 ? 0 : Math.min(...alarms.map(({ due }) => due));
      if (patience > 0) wait(patience);
      for (const { userdata, due } of alarms) {
        if (due <= patience) happened.push({ userdata, tag: TAG.clock, errno: 0, bytes: 0 });
      }
      for (const [index, event] of happened.entries()) {
        writeEvent(memory, to + index * EVENT_BYTES, event);
      }
      memory.setU32(result >>> 0, happened.length);
      return ERRNO.success;
    },
  };
}

function writeEvent(memory: GuestMemory, at: number, event: Event): void {
  memory.setBigU64(at, event.userdata);
  memory.setU64(at + 8, event.errno);
  memory.setU8(at + 10, event.tag);
  memory.setU64(at + 16, event.bytes);
  memory.setU64(at + 24, 0);
}
