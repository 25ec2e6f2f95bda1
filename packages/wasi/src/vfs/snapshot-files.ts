// From a snapshot to the files of a run, and from those to what the run changed.
import type { Changes, Snapshot, StoredNode } from "../store/snapshot.ts";
import { FileNode } from "./file-node.ts";
import type { FileSystem } from "./file-system.ts";
import { DirectoryNode, type Moment, type Node, pathIn } from "./nodes.ts";

/**
 * Fills an empty file system. Parents come before children; a node without its parent is left out.
 * @param moment what times the guest sees on the files; undefined for those that the snapshot has
 */
export function loadSnapshot(fs: FileSystem, snapshot: Snapshot, moment: Moment | undefined): void {
  const directories = new Map<string, DirectoryNode>([["/", fs.root]]);
  for (const stored of snapshot.nodes) {
    const at = stored.path.lastIndexOf("/");
    const parent = directories.get(stored.path.slice(0, at) || "/");
    if (parent === undefined) continue;
    const node = load(fs, parent, stored.path.slice(at + 1), stored);
    node.origin = stored.path;
    node.accessed = moment ?? stored.accessed;
    node.modified = moment ?? stored.modified;
    node.changed = node.modified;
    if (node instanceof FileNode) node.original = true;
    if (node instanceof DirectoryNode) directories.set(stored.path, node);
  }
}

/** Makes a directory and those above it where nothing stands; files in the way stay. */
export function ensureDirectory(fs: FileSystem, path: string): DirectoryNode | undefined {
  let at = fs.root;
  for (const name of path.split("/").filter((part) => part !== "")) {
    const next: Node = at.entries.get(name) ?? fs.loadDirectory(at, name, 0);
    if (!(next instanceof DirectoryNode)) return undefined;
    at = next;
  }
  return at;
}

/** What differs from the snapshot. Pieces of files are handed over, so nothing may be written afterwards. */
export function captureChanges(fs: FileSystem, snapshot: Snapshot): Changes {
  if (!fs.changed) return { removed: [], written: [] };
  const written: StoredNode[] = [];
  const kept = new Set<string>();
  const walk = (directory: DirectoryNode): void => {
    for (const name of [...directory.entries.keys()].sort()) {
      const node = directory.entries.get(name);
      if (node === undefined) continue;
      const path = pathIn(directory, name);
      if (node.origin === path) kept.add(path);
      if (isChanged(node, path)) written.push(storedNode(node, path));
      if (node instanceof DirectoryNode) walk(node);
    }
  };
  walk(fs.root);
  const removed = snapshot.nodes.map(({ path }) => path).filter((path) => !kept.has(path));
  return { removed, written };
}

function load(fs: FileSystem, parent: DirectoryNode, name: string, stored: StoredNode) {
  switch (stored.kind) {
    case "directory":
      return fs.loadDirectory(parent, name, 0);
    case "file":
      return fs.loadFile(parent, name, stored.content, 0);
    case "symlink":
      return fs.loadLink(parent, name, stored.target, 0);
  }
}

/** A directory made for the rights table has no origin either, but is only worth keeping once something is in it. */
function isChanged(node: Node, path: string): boolean {
  if (node.origin !== path || node.touched) return true;
  return node instanceof FileNode && node.dirty;
}

function storedNode(node: Node, path: string): StoredNode {
  const times = { accessed: nanoseconds(node.accessed), modified: nanoseconds(node.modified) };
  if (node instanceof FileNode) return { kind: "file", path, content: node.capture(), ...times };
  if (node instanceof DirectoryNode) return { kind: "directory", path, ...times };
  return { kind: "symlink", path, target: node.target, ...times };
}

/** A moment in nanoseconds. */
export function nanoseconds(moment: Moment): bigint {
  return typeof moment === "bigint" ? moment : BigInt(Math.trunc(moment)) * 1_000_000n;
}
