// Where a node may be put, and what follows for what lies below it.
import { Buffer } from "node:buffer";
import { MAXIMUM_PATH_BYTES, MAXIMUM_PATH_NAMES } from "@holdfast/policy";
import { ERRNO } from "../host/errno.ts";
import { DirectoryNode, type Node, pathIn } from "./nodes.ts";
import type { PolicyNode } from "./policy-tree.ts";

const MAXIMUM_NAME_BYTES = 255;

/**
 * Whether a name may stand in a directory: names and depths that the store would refuse are refused here, where the
 * guest learns why.
 * @param node what is moved there, with all below it; undefined for something new
 * @returns an error number, or zero
 */
export function refuseName(parent: DirectoryNode, name: string, node: Node | undefined): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return ERRNO.inval;
  if (Buffer.byteLength(name) > MAXIMUM_NAME_BYTES) return ERRNO.nametoolong;
  const path = pathIn(parent, name);
  const below = node instanceof DirectoryNode ? extentOf(node) : { bytes: 0, names: 0 };
  const bytes = Buffer.byteLength(path) + below.bytes;
  const names = path.split("/").length - 1 + below.names;
  return bytes > MAXIMUM_PATH_BYTES || names > MAXIMUM_PATH_NAMES
    ? ERRNO.nametoolong
    : ERRNO.success;
}

/** Whether a directory is another one, or lies in it. */
export function isWithin(directory: DirectoryNode, ancestor: DirectoryNode): boolean {
  for (let at: DirectoryNode | undefined = directory; at !== undefined; at = at.parent) {
    if (at === ancestor) return true;
  }
  return false;
}

/** Makes an entry of the policy decide on a directory and all below it, as after a move. */
export function inheritEntry(directory: DirectoryNode, entry: PolicyNode | undefined): void {
  directory.entry = entry;
  for (const node of directory.entries.values()) {
    if (node instanceof DirectoryNode) inheritEntry(node, entry);
  }
}

/** The longest path below a directory, in bytes and names. */
function extentOf(directory: DirectoryNode): { bytes: number; names: number } {
  let bytes = 0;
  let names = 0;
  for (const [name, node] of directory.entries) {
    const below = node instanceof DirectoryNode ? extentOf(node) : { bytes: 0, names: 0 };
    bytes = Math.max(bytes, 1 + Buffer.byteLength(name) + below.bytes);
    names = Math.max(names, 1 + below.names);
  }
  return { bytes, names };
}
