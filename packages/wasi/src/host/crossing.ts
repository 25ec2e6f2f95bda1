// Renames and links between places that different entries of the policy decide on. They may do no more than a copy could:
// what a program may not read it can't move to where others may, and no name gives a right that the other lacks.
import { RIGHTS } from "@holdfast/policy";
import { DirectoryNode, entryOf, type Node, policyBelow } from "../vfs/nodes.ts";
import { ERRNO } from "./errno.ts";

/** A name in a directory, with the node it names. */
export interface Place {
  readonly parent: DirectoryNode;
  readonly name: string;
  readonly node: Node;
}

const CONTENT_RIGHTS =
  RIGHTS.fd_read |
  RIGHTS.fd_write |
  RIGHTS.fd_allocate |
  RIGHTS.fd_filestat_set_size |
  RIGHTS.path_filestat_set_size;

/** Whether a node may be moved to another name. */
export function mayMove(from: Place, to: { parent: DirectoryNode; name: string }): number {
  if (from.node instanceof DirectoryNode) {
    // A directory that an entry stands at or below would take the entry's files away from under it.
    const pinned =
      policyBelow(from.parent, from.name) !== undefined ||
      policyBelow(to.parent, to.name) !== undefined;
    if (pinned) return ERRNO.acces;
  }
  return mayCopy(from, to) ? ERRNO.success : ERRNO.acces;
}

/** Whether a file may get a second name. */
export function mayLink(from: Place, to: { parent: DirectoryNode; name: string }): number {
  if (!mayCopy(from, to)) return ERRNO.acces;
  const had = entryOf(from.parent, from.name)?.rights ?? 0;
  const gained = (entryOf(to.parent, to.name)?.rights ?? 0) & ~had;
  return (gained & CONTENT_RIGHTS) === 0 ? ERRNO.success : ERRNO.acces;
}

function mayCopy(from: Place, to: { parent: DirectoryNode; name: string }): boolean {
  const source = entryOf(from.parent, from.name);
  const target = entryOf(to.parent, to.name);
  if (source === target) return true;
  const read = ((source?.rights ?? 0) & RIGHTS.fd_read) !== 0;
  return read && ((target?.rights ?? 0) & RIGHTS.fd_write) !== 0;
}
