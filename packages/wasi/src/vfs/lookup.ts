// Path resolution inside a directory (WASI Preview 1, "path resolution"): `..` stops at the directory of the descriptor,
// absolute paths and links to them are refused, and where the principal has no rights nothing is said of what exists.
import { ERRNO } from "../host/errno.ts";
import { DirectoryNode, entryOf, LinkNode, type Node, policyBelow } from "./nodes.ts";

const MAXIMUM_LINKS = 40;
const SLASH = 47;

/** Finds nodes by path. The result stands in its fields, which the next lookup overwrites. */
export class Lookup {
  /** The directory that has, or would have, the name. */
  parent: DirectoryNode;
  name = "";
  node: Node | undefined;
  /** Rights of the deciding entry; zero when there is none. */
  rights = 0;
  /** The path ended in a slash. */
  slash = false;
  /** The last name was `.` or `..`, or the path was only slashes. */
  dots = false;

  constructor(root: DirectoryNode) {
    this.parent = root;
  }

  /**
   * Resolves a path below a directory. That the last name does not exist is no error here.
   * @param follow whether a link as last name is followed
   * @param slashFollows whether a slash behind a link follows it too, as it does where a directory is wanted
   * @returns an error number, or zero
   */
  find(base: DirectoryNode, path: string, follow: boolean, slashFollows = true): number {
    let directory = base;
    let rest = path;
    let links = 0;
    let at = 0;
    if (path.length === 0) return ERRNO.noent;
    if (path.charCodeAt(0) === SLASH) return ERRNO.notcapable;
    for (;;) {
      while (rest.charCodeAt(at) === SLASH) at += 1;
      if (at >= rest.length) return this.#foundDirectory(directory);
      let end = rest.indexOf("/", at);
      if (end < 0) end = rest.length;
      const name = at === 0 && end === rest.length ? rest : rest.slice(at, end);
      at = end;
      const last = onlySlashes(rest, end);
      if (name === "." || name === "..") {
        if (name === "..") {
          if (directory === base || directory.parent === undefined) return ERRNO.notcapable;
          directory = directory.parent;
        }
        if (last) return this.#foundDirectory(directory);
        continue;
      }
      const node = directory.entries.get(name);
      const slash = end < rest.length;
      if (last && !(node instanceof LinkNode && (follow || (slash && slashFollows)))) {
        return this.#found(directory, name, node, slash);
      }
      if (node === undefined) return missing(directory, name, rest.slice(end));
      if (node instanceof DirectoryNode) {
        if (node.policy === undefined && (node.entry?.rights ?? 0) === 0) return ERRNO.acces;
        directory = node;
        continue;
      }
      if ((entryOf(directory, name)?.rights ?? 0) === 0) return ERRNO.acces;
      if (!(node instanceof LinkNode)) return ERRNO.notdir;
      links += 1;
      if (links > MAXIMUM_LINKS) return ERRNO.loop;
      if (node.target.charCodeAt(0) === SLASH) return ERRNO.notcapable;
      rest = node.target + rest.slice(end);
      at = 0;
    }
  }

  #found(parent: DirectoryNode, name: string, node: Node | undefined, slash: boolean): number {
    this.parent = parent;
    this.name = name;
    this.node = node;
    this.rights = entryOf(parent, name)?.rights ?? 0;
    this.slash = slash;
    this.dots = false;
    return ERRNO.success;
  }

  #foundDirectory(directory: DirectoryNode): number {
    this.parent = directory.parent ?? directory;
    this.name = directory.name;
    this.node = directory;
    this.rights = directory.entry?.rights ?? 0;
    this.slash = true;
    this.dots = true;
    return ERRNO.success;
  }
}

/** A missing directory on the way: where the principal has no rights, the answer is the same as for one that is there. */
function missing(directory: DirectoryNode, name: string, rest: string): number {
  let policy = policyBelow(directory, name);
  let entry = entryOf(directory, name);
  for (const next of rest.split("/")) {
    if (next === "" || next === "." || next === "..") continue;
    policy = policy?.children.get(next);
    if (policy?.rights !== undefined) entry = policy;
  }
  return policy === undefined && (entry?.rights ?? 0) === 0 ? ERRNO.acces : ERRNO.noent;
}

function onlySlashes(text: string, from: number): boolean {
  for (let at = from; at < text.length; at += 1) {
    if (text.charCodeAt(at) !== SLASH) return false;
  }
  return true;
}
