// Brings what a run changed into the store, which may have moved on since the run's snapshot: the last to commit wins
// a file; a directory that someone filled meanwhile stays.
import { ancestors, normalizePath } from "@holdfast/policy";
import { WasiError } from "../errors.ts";
import type { Changes, StoredNode } from "./snapshot.ts";
import type { StoreTree } from "./store-tree.ts";

/** Applies removals, then what stands anew. The caller rolls back when this throws. */
export function applyChanges(tree: StoreTree, changes: Changes): void {
  const deepestFirst = [...changes.removed].sort((a, b) => depth(b) - depth(a));
  for (const path of deepestFirst) removeIfThere(tree, path);
  for (const node of changes.written) putWithParents(tree, node);
}

function removeIfThere(tree: StoreTree, path: string): void {
  if (tree.get(path) === undefined) return;
  try {
    tree.remove(path);
  } catch (thrown) {
    if (!(thrown instanceof WasiError && thrown.code === "STORE_NOT_EMPTY")) throw thrown;
  }
}

function putWithParents(tree: StoreTree, node: StoredNode): void {
  // The worker is ours, but what it says came from a guest's names.
  if (normalizePath(node.path) !== node.path) {
    throw new WasiError("STORE_CONFLICT", `not a normalised path: ${node.path}`);
  }
  for (const path of ancestors(node.path).slice(1).reverse()) {
    if (tree.get(path) === undefined) {
      tree.put({ kind: "directory", path, accessed: node.accessed, modified: node.modified });
    }
  }
  tree.put(node);
}

function depth(path: string): number {
  return path.split("/").length;
}
