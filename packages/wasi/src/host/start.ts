// What a guest finds open: the streams its rights table names, and directories from descriptor 3.
import { RIGHTS, type RightsTable } from "@holdfast/policy";
import type { Preopen } from "../run/options.ts";
import { DirectoryNode } from "../vfs/nodes.ts";
import {
  Descriptor,
  DIRECTORY_RIGHTS,
  GUEST_RIGHTS,
  PATH_RIGHTS,
  STREAM_RIGHTS,
} from "./descriptors.ts";
import type { Guest } from "./guest.ts";

/** Opens them. A stream without an entry is not there at all; its number stays free. */
export function openAtStart(guest: Guest, rights: RightsTable, preopens: readonly Preopen[]): void {
  for (const [stream, name] of ["stdin", "stdout", "stderr"].entries()) {
    const granted = rights.get(name);
    if (granted === undefined) continue;
    // Each goes one way: a right to read stdout would else reach what others put into stdin.
    const other = stream === 0 ? RIGHTS.fd_write : RIGHTS.fd_read;
    guest.descriptors.setStream(new Descriptor(stream, granted & STREAM_RIGHTS & ~other, 0));
  }
  for (const { path, name } of preopens) {
    const node = directoryAt(guest, path);
    if (node === undefined || !guest.descriptors.hasRoom) continue;
    // What may be done below is decided by the policy at each path; here the descriptor does not narrow it.
    const granted = PATH_RIGHTS | (node.entry?.rights ?? 0);
    const descriptor = new Descriptor(node, granted & DIRECTORY_RIGHTS, GUEST_RIGHTS);
    descriptor.preopen = name;
    guest.descriptors.add(descriptor);
  }
}

function directoryAt(guest: Guest, path: string): DirectoryNode | undefined {
  const root = guest.fs.root;
  if (path === "/") return root;
  let at = root;
  for (const name of path.split("/").slice(1)) {
    const node = at.entries.get(name);
    // A link may stand where the table has a directory: it is not followed.
    if (!(node instanceof DirectoryNode)) return undefined;
    at = node;
  }
  return at;
}
