// The rights table as a tree of names, so that a lookup finds the nearest entry on its way down without building paths.
import type { RightsTable } from "@holdfast/policy";

/** A name on the way to an entry, or an entry. */
export interface PolicyNode {
  /** Rights of the entry; undefined on the way to one. */
  readonly rights: number | undefined;
  readonly children: ReadonlyMap<string, PolicyNode>;
}

interface Growing {
  rights: number | undefined;
  readonly children: Map<string, Growing>;
}

/** The tree of a rights table; streams are left out. */
export function policyTree(table: RightsTable): PolicyNode {
  const root = emptyNode();
  for (const [path, rights] of table) {
    if (!path.startsWith("/")) continue;
    let at = root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      const next = at.children.get(name) ?? emptyNode();
      at.children.set(name, next);
      at = next;
    }
    at.rights = rights;
  }
  return root;
}

function emptyNode(): Growing {
  return { rights: undefined, children: new Map() };
}
