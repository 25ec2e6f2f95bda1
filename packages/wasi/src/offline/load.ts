// Reads host directories into a snapshot, with bounds.
import { messageOf } from "@holdfast/core";
import { normalizePath, PolicyError } from "@holdfast/policy";
import { WasiError } from "../errors.ts";
import { type Content, EMPTY_CONTENT } from "../store/content.ts";
import { ChunkWriter } from "../store/file-writer.ts";
import type { Snapshot, StoredNode } from "../store/snapshot.ts";
import type { HostFiles } from "./host-files.ts";

/** A host directory and where the guest sees it. */
export interface DirectoryMapping {
  readonly host: string;
  /** As the guest names it: `/data`, `/`, or without a leading slash. */
  readonly guest: string;
}

/** Bounds of what is read. */
export interface LoadLimits {
  readonly bytes: number;
  readonly entries: number;
}

/** A snapshot, and what could not be taken into it, in words. */
export interface Loaded {
  readonly snapshot: Snapshot;
  readonly skipped: readonly string[];
}

/** The path in the store of a directory as the guest names it. */
export function guestPath(guest: string): string {
  try {
    return normalizePath(guest.startsWith("/") ? guest : `/${guest}`);
  } catch (cause) {
    throw new WasiError("OFFLINE_DIRECTORY", `${guest}: ${messageOf(cause)}`, { cause });
  }
}

/** @throws WasiError OFFLINE_DIRECTORY when a directory can't be read or the bounds are passed */
export async function loadDirectories(
  files: HostFiles,
  mappings: readonly DirectoryMapping[],
  limits: LoadLimits,
): Promise<Loaded> {
  const nodes = new Map<string, StoredNode>();
  const skipped: string[] = [];
  let bytesLeft = limits.bytes;

  async function readContent(path: string): Promise<Content> {
    let content = EMPTY_CONTENT;
    const writer = new ChunkWriter(
      {
        reserve(bytes) {
          bytesLeft -= bytes;
          if (bytesLeft < 0) throw tooMuch(`more than ${limits.bytes} bytes`);
        },
        release: () => undefined,
        letGo: () => undefined,
        place: (placed) => {
          content = placed;
        },
      },
      EMPTY_CONTENT,
    );
    for await (const piece of files.read(path)) writer.write(piece);
    writer.commit();
    return content;
  }

  async function load(host: string, guest: string): Promise<void> {
    const entries = await files.list(host);
    for (const { name, kind, modified } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const from = files.join(host, name);
      const path = pathBelow(guest, name);
      if (path === undefined || kind === "other") {
        skipped.push(from);
        continue;
      }
      if (nodes.size >= limits.entries) throw tooMuch(`more than ${limits.entries} files`);
      const moment = BigInt(modified.getTime()) * 1_000_000n;
      const times = { path, accessed: moment, modified: moment };
      if (kind === "file") nodes.set(path, { kind, content: await readContent(from), ...times });
      if (kind === "symlink")
        nodes.set(path, { kind, target: await files.readLink(from), ...times });
      if (kind === "directory") {
        nodes.set(path, { kind, ...times });
        await load(from, path);
      }
    }
  }

  for (const { host, guest } of mappings) {
    const path = guestPath(guest);
    for (const above of parents(path)) {
      if (!nodes.has(above)) {
        nodes.set(above, { kind: "directory", path: above, accessed: 0n, modified: 0n });
      }
    }
    try {
      await load(host, path);
    } catch (thrown) {
      if (thrown instanceof WasiError) throw thrown;
      throw new WasiError("OFFLINE_DIRECTORY", `${host}: ${messageOf(thrown)}`, { cause: thrown });
    }
  }
  return { snapshot: { nodes: inOrder(nodes) }, skipped };
}

/** The path of an entry; undefined when the store has no spelling for its name. */
function pathBelow(directory: string, name: string): string | undefined {
  const path = directory === "/" ? `/${name}` : `${directory}/${name}`;
  try {
    return normalizePath(path) === path ? path : undefined;
  } catch (thrown) {
    if (thrown instanceof PolicyError) return undefined;
    throw thrown;
  }
}

function parents(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  return names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`);
}

/** A path sorts behind its parents, whose text it begins with. */
function inOrder(nodes: ReadonlyMap<string, StoredNode>): StoredNode[] {
  return [...nodes.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function tooMuch(what: string): WasiError {
  return new WasiError("OFFLINE_DIRECTORY", `the directories hold ${what}`);
}
