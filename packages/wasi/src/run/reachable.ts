// The part of a snapshot that a program's rights reach. The host in the worker refuses everything else anyway; but files
// are shared memory, and what a worker was never given is safe from a program that breaks out into its thread.
import type { RightsTable } from "@holdfast/policy";
import type { Snapshot } from "../store/snapshot.ts";
import { type PolicyNode, policyTree } from "../vfs/policy-tree.ts";

interface Place {
  readonly policy: PolicyNode | undefined;
  readonly rights: number;
}

/** What lies where there is any right, and the directories on the way to it. */
export function reachable(snapshot: Snapshot, rights: RightsTable): Snapshot {
  const root = policyTree(rights);
  const directories = new Map<string, Place>([["/", { policy: root, rights: root.rights ?? 0 }]]);
  const nodes = snapshot.nodes.filter(({ path, kind }) => {
    const at = path.lastIndexOf("/");
    const above = directories.get(path.slice(0, at) || "/");
    if (above === undefined) return false;
    const policy = above.policy?.children.get(path.slice(at + 1));
    const place = { policy, rights: policy?.rights ?? above.rights };
    if (kind !== "directory") return place.rights !== 0;
    if (place.rights === 0 && policy === undefined) return false;
    directories.set(path, place);
    return true;
  });
  return { nodes };
}
