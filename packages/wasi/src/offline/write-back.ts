// Brings what a run changed back into the host directories it was given. Everything is written out of sight first, so that
// a full disk leaves the directories as they were.
import { messageOf } from "@holdfast/core";
import { WasiError } from "../errors.ts";
import { contentViews } from "../store/content.ts";
import type { Changes, StoredNode } from "../store/snapshot.ts";
import type { HostFiles, StagedFile } from "./host-files.ts";
import { type DirectoryMapping, guestPath } from "./load.ts";

/** What was done to the host, in host paths. */
export interface WrittenBack {
  readonly written: readonly string[];
  readonly removed: readonly string[];
  /** Links that would lead out of their directory, and paths outside every directory. */
  readonly skipped: readonly string[];
}

/** A guest path in the host. */
interface Place {
  /** The mapped directory it is in. */
  readonly directory: string;
  readonly host: string;
  /** The path below the mapped directory. */
  readonly inside: string;
}

/** A node, where it goes, and, for a file, its content waiting there. */
interface Planned {
  readonly node: StoredNode;
  readonly place: Place;
  readonly staged: StagedFile | undefined;
}

/**
 * Removes and writes. Nothing outside the mapped directories is touched.
 * @throws WasiError OFFLINE_WRITE_BACK; its message says whether anything was changed
 */
export async function writeBack(
  files: HostFiles,
  mappings: readonly DirectoryMapping[],
  changes: Changes,
): Promise<WrittenBack> {
  const placeOf = placesOf(files, mappings);
  const skipped: string[] = [];
  const planned: Planned[] = [];
  try {
    for (const node of changes.written) {
      const place = placeOf(node.path);
      if (place !== undefined && !leadsOut(node, place)) {
        planned.push({ node, place, staged: await stage(files, node, place) });
      } else if (node.kind !== "directory") skipped.push(node.path);
    }
  } catch (cause) {
    await dropAll(planned);
    throw failure("nothing was changed", cause);
  }
  const removed = [...changes.removed]
    .sort((a, b) => (a < b ? 1 : -1))
    .flatMap((path) => placeOf(path)?.host ?? []);
  try {
    for (const path of removed) await files.remove(path);
    for (const each of planned) await put(files, each);
  } catch (cause) {
    await dropAll(planned);
    throw failure("some of it was changed", cause);
  }
  return { written: planned.map(({ place }) => place.host), removed, skipped };
}

function placesOf(
  files: HostFiles,
  mappings: readonly DirectoryMapping[],
): (path: string) => Place | undefined {
  const longestFirst = mappings
    .map(({ host, guest }) => ({ host, guest: guestPath(guest) }))
    .sort((a, b) => b.guest.length - a.guest.length);
  return (path) => {
    for (const { host, guest } of longestFirst) {
      const prefix = guest === "/" ? "/" : `${guest}/`;
      if (!path.startsWith(prefix)) continue;
      const inside = path.slice(prefix.length);
      const at = inside.split("/").reduce((above, name) => files.join(above, name), host);
      return { directory: host, host: at, inside };
    }
    return undefined;
  };
}

async function stage(
  files: HostFiles,
  node: StoredNode,
  { host, directory }: Place,
): Promise<StagedFile | undefined> {
  if (node.kind !== "file") return undefined;
  return files.stage({ path: host, within: directory, pieces: contentViews(node.content) });
}

async function put(files: HostFiles, { node, place, staged }: Planned): Promise<void> {
  if (node.kind === "directory") await files.makeDirectory(place.host);
  else if (node.kind === "symlink") await files.makeLink(place.host, node.target);
  else await staged?.place();
}

async function dropAll(planned: readonly Planned[]): Promise<void> {
  await Promise.allSettled(planned.map(({ staged }) => staged?.drop()));
}

function failure(state: string, cause: unknown): WasiError {
  return new WasiError(
    "OFFLINE_WRITE_BACK",
    `what the program wrote can't be written back, ${state}: ${messageOf(cause)}`,
    { cause },
  );
}

/** Whether a relative link leaves the directory it is in by its text. */
function leadsOut(node: StoredNode, { inside }: Place): boolean {
  if (node.kind !== "symlink") return false;
  if (node.target.startsWith("/")) return true;
  let depth = inside.split("/").length - 1;
  for (const name of node.target.split("/")) {
    if (name === "..") depth -= 1;
    else if (name !== "" && name !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
