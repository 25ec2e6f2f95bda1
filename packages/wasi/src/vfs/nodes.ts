// What a run's file system is made of. Times are nanoseconds as bigint when a guest set them, else milliseconds.

import type { FileNode } from "./file-node.ts";
import type { Listing } from "./listing.ts";
import type { PolicyNode } from "./policy-tree.ts";

/** WASI file types. */
export const FILETYPE = { character: 2, directory: 3, file: 4, symlink: 7 } as const;

/** A moment: nanoseconds as bigint, or milliseconds as number. */
export type Moment = bigint | number;

/** A file, directory or symbolic link. */
export type Node = FileNode | DirectoryNode | LinkNode;

/** A directory. `entry` is the nearest entry of the rights table; `policy` is not null when one lies here or below. */
export class DirectoryNode {
  readonly filetype: 3 = FILETYPE.directory;
  readonly ino: number;
  readonly entries = new Map<string, Node>();
  /** Where the snapshot had it; undefined for what the run made. */
  origin: string | undefined;
  name: string;
  parent: DirectoryNode | undefined;
  policy: PolicyNode | undefined;
  entry: PolicyNode | undefined;
  removed = false;
  /** The encoded listing, until something changes. */
  listing: Listing | undefined;
  accessed: Moment;
  modified: Moment;
  changed: Moment;
  /** Times were set by the guest. */
  touched = false;

  constructor(ino: number, name: string, parent: DirectoryNode | undefined, now: Moment) {
    this.ino = ino;
    this.name = name;
    this.parent = parent;
    this.accessed = now;
    this.modified = now;
    this.changed = now;
  }

  get links(): number {
    return this.removed ? 0 : 1;
  }

  get size(): number {
    return 0;
  }
}

/** A symbolic link. */
export class LinkNode {
  readonly filetype: 7 = FILETYPE.symlink;
  readonly ino: number;
  readonly target: string;
  origin: string | undefined;
  links = 1;
  accessed: Moment;
  modified: Moment;
  changed: Moment;
  touched = false;

  constructor(ino: number, target: string, now: Moment) {
    this.ino = ino;
    this.target = target;
    this.accessed = now;
    this.modified = now;
    this.changed = now;
  }

  get size(): number {
    return Buffer.byteLength(this.target);
  }
}

/** The policy node of a name in a directory; undefined when no entry lies there or below. */
export function policyBelow(directory: DirectoryNode, name: string): PolicyNode | undefined {
  return directory.policy?.children.get(name);
}

/** The entry that decides on a name in a directory. */
export function entryOf(directory: DirectoryNode, name: string): PolicyNode | undefined {
  const policy = directory.policy?.children.get(name);
  return policy?.rights === undefined ? directory.entry : policy;
}

/** The path of a directory from the root. */
export function pathOf(directory: DirectoryNode): string {
  const names: string[] = [];
  for (let at = directory; at.parent !== undefined; at = at.parent) names.push(at.name);
  return `/${names.reverse().join("/")}`;
}

/** The path of a name in a directory. */
export function pathIn(directory: DirectoryNode, name: string): string {
  const path = pathOf(directory);
  return path === "/" ? `/${name}` : `${path}/${name}`;
}
