// Brings what a run changed back into the host directories it was given.
import { contentViews } from "../store/content.ts";
import type { Changes, StoredNode } from "../store/snapshot.ts";
import type { HostFiles } from "./host-files.ts";
import { type DirectoryMapping, guestPath } from "./load.ts";

/** What was done to the host, in host paths. */
export interface WrittenBack {
  readonly written: readonly string[];
  readonly removed: readonly string[];
  /** Links that would lead out of their directory, and paths outside every directory. */
  readonly skipped: readonly string[];
}

/** Removes and writes. Nothing outside the mapped directories is touched. */
export async function writeBack(
  files: HostFiles,
  mappings: readonly DirectoryMapping[],
  changes: Changes,
): Promise<WrittenBack> {
  const places = mappings
    .map(({ host, guest }) => ({ host, guest: guestPath(guest) }))
    .sort((a, b) => b.guest.length - a.guest.length);
  const written: string[] = [];
  const removed: string[] = [];
  const skipped: string[] = [];

  function hostPath(path: string): { host: string; inside: string } | undefined {
    for (const place of places) {
      const prefix = place.guest === "/" ? "/" : `${place.guest}/`;
      if (!path.startsWith(prefix)) continue;
      const inside = path.slice(prefix.length);
      return {
        host: inside.split("/").reduce((at, name) => files.join(at, name), place.host),
        inside,
      };
    }
    return undefined;
  }

  async function put(node: StoredNode): Promise<void> {
    const place = hostPath(node.path);
    const leaves =
      node.kind === "symlink" && place !== undefined && leadsOut(place.inside, node.target);
    if (place === undefined || leaves) {
      if (node.kind !== "directory") skipped.push(node.path);
      return;
    }
    if (node.kind === "directory") await files.makeDirectory(place.host);
    else if (node.kind === "symlink") await files.makeLink(place.host, node.target);
    else await files.write(place.host, contentViews(node.content));
    written.push(place.host);
  }

  const deepestFirst = [...changes.removed].sort((a, b) => (a < b ? 1 : -1));
  for (const path of deepestFirst) {
    const place = hostPath(path);
    if (place === undefined) continue;
    await files.remove(place.host);
    removed.push(place.host);
  }
  for (const node of changes.written) await put(node);
  return { written, removed, skipped };
}

/** Whether a relative link leaves the directory it is in by its text. */
function leadsOut(inside: string, target: string): boolean {
  if (target.startsWith("/")) return true;
  let depth = inside.split("/").length - 1;
  for (const name of target.split("/")) {
    if (name === "..") depth -= 1;
    else if (name !== "" && name !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
