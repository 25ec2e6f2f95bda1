// The layout of a filestat, which the two generations of Preview 1 have differently, and setting of times.
import type { FileSystem } from "../vfs/file-system.ts";
import type { Moment, Node } from "../vfs/nodes.ts";
import { ERRNO } from "./errno.ts";
import type { GuestMemory } from "./guest-memory.ts";

/** Where the members of a filestat stand. */
export interface StatLayout {
  readonly bytes: number;
  readonly links: number;
  readonly wideLinks: boolean;
  readonly size: number;
}

/** The one device of a run. */
const DEVICE = 1;
const FST = { atim: 1, atimNow: 2, mtim: 4, mtimNow: 8 } as const;
const FST_ALL = 15;

/** What a filestat says. */
export interface StatFacts {
  readonly ino: number;
  readonly filetype: number;
  readonly links: number;
  readonly size: number;
  readonly accessed: Moment;
  readonly modified: Moment;
  readonly changed: Moment;
}

/** Writes a filestat to a range that was checked. */
export function writeStat(
  memory: GuestMemory,
  layout: StatLayout,
  at: number,
  facts: StatFacts,
): void {
  memory.setU64(at, DEVICE);
  memory.setU64(at + 8, facts.ino);
  memory.setU64(at + 16, facts.filetype);
  if (layout.wideLinks) memory.setU64(at + layout.links, facts.links);
  else memory.setU32(at + layout.links, facts.links);
  memory.setU64(at + layout.size, facts.size);
  const times = at + layout.size + 8;
  writeMoment(memory, times, facts.accessed);
  // Most files have one time for all three.
  if (facts.modified === facts.accessed) copyMoment(memory, times, times + 8);
  else writeMoment(memory, times + 8, facts.modified);
  if (facts.changed === facts.modified) copyMoment(memory, times + 8, times + 16);
  else writeMoment(memory, times + 16, facts.changed);
}

/** Sets times as fd_filestat_set_times and path_filestat_set_times do. */
export function setTimes(
  fs: FileSystem,
  node: Node,
  [accessed, modified]: readonly [bigint, bigint],
  flags: number,
): number {
  if ((flags & ~FST_ALL) !== 0) return ERRNO.inval;
  if ((flags & FST.atim) !== 0 && (flags & FST.atimNow) !== 0) return ERRNO.inval;
  if ((flags & FST.mtim) !== 0 && (flags & FST.mtimNow) !== 0) return ERRNO.inval;
  if ((flags & FST.atim) !== 0) node.accessed = accessed;
  if ((flags & FST.atimNow) !== 0) node.accessed = fs.now();
  if ((flags & FST.mtim) !== 0) node.modified = modified;
  if ((flags & FST.mtimNow) !== 0) node.modified = fs.now();
  fs.touched(node);
  return ERRNO.success;
}

/** Nanoseconds of a moment, exact, without a bigint for the usual one in milliseconds. */
function writeMoment(memory: GuestMemory, at: number, moment: Moment): void {
  if (typeof moment === "bigint") {
    memory.setBigU64(at, moment);
    return;
  }
  // 1e6 times the moment has more bits than a number holds: it is put together from parts that have not.
  const upper = Math.floor(moment / 0x20_0000) * 1e6;
  const carry = Math.floor(upper / 0x800);
  const lower = (upper - carry * 0x800) * 0x20_0000 + (Math.floor(moment) % 0x20_0000) * 1e6;
  const more = Math.floor(lower / 0x1_0000_0000);
  memory.setU32(at, lower - more * 0x1_0000_0000);
  memory.setU32(at + 4, carry + more);
}

function copyMoment(memory: GuestMemory, from: number, to: number): void {
  memory.setU32(to, memory.u32(from));
  memory.setU32(to + 4, memory.u32(from + 4));
}
