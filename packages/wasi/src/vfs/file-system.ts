// The file system of one run: a snapshot, what the run does to it, and bounds on both. Nothing here asks for rights;
// the calls of the host do. Every operation answers a WASI error number.
import { Buffer } from "node:buffer";
import { MAXIMUM_PATH_BYTES } from "@holdfast/policy";
import { ERRNO } from "../host/errno.ts";
import { type Content, EMPTY_CONTENT } from "../store/content.ts";
import { FileNode } from "./file-node.ts";
import { DirectoryNode, entryOf, LinkNode, type Moment, type Node, policyBelow } from "./nodes.ts";
import { inheritEntry, isWithin, refuseName } from "./placing.ts";
import type { PolicyNode } from "./policy-tree.ts";
import { SpareChunks } from "./spare-chunks.ts";

/** Bounds of a run's files. */
export interface FileSystemLimits {
  /** Bytes of all files together. */
  readonly bytes: number;
  readonly entries: number;
}

/** What a run's files ask of the thread they are in. */
export interface FileSystemHome {
  /** The time that is written on files. */
  now(): Moment;
  /** Told how many bytes of shared memory are no longer needed. */
  letGo(bytes: number): void;
}

/** A longer one could lead nowhere. Links do not count as bytes, so that their number and length bound them. */
const MAXIMUM_LINK_BYTES = MAXIMUM_PATH_BYTES;

/** Files, directories and links of a run. */
export class FileSystem {
  readonly root: DirectoryNode;
  readonly limits: FileSystemLimits;
  /** Bytes of all files, those without a name included. */
  bytes = 0;
  entries = 1;
  /** A limit was reached at least once. */
  limited = false;
  /**
   * An alteration has begun and not ended. It stays so when a full stack breaks one off: names, counts and bytes may
   * then be out of step, and the run must not go on.
   */
  altering = false;
  /** Anything was changed, so that a capture is worth a walk. */
  changed = false;
  /** Paths of snapshot files that were read. */
  readonly inputs = new Set<string>();
  readonly #home: FileSystemHome;
  readonly #spares: SpareChunks;
  #nextIno = 1;

  constructor(limits: FileSystemLimits, policy: PolicyNode, home: FileSystemHome) {
    this.limits = limits;
    this.#home = home;
    this.#spares = new SpareChunks((bytes) => home.letGo(bytes));
    this.root = new DirectoryNode(this.#nextIno++, "", undefined, 0);
    this.root.origin = "/";
    this.root.policy = policy;
    this.root.entry = policy.rights === undefined ? undefined : policy;
  }

  /** Makes an empty file. */
  createFile(parent: DirectoryNode, name: string): FileNode | number {
    const refused = this.#refuseNew(parent, name);
    if (refused !== ERRNO.success) return refused;
    const node = new FileNode(this.#nextIno++, this.now(), EMPTY_CONTENT, this.#spares);
    this.#enter(parent, name, node);
    return node;
  }

  /** Makes a file without a name. */
  createAnonymous(): FileNode | number {
    if (this.entries >= this.limits.entries) return this.#full();
    const node = new FileNode(this.#nextIno++, this.now(), EMPTY_CONTENT, this.#spares);
    node.links = 0;
    node.anonymous = true;
    this.entries += 1;
    return node;
  }

  createDirectory(parent: DirectoryNode, name: string): number {
    const refused = this.#refuseNew(parent, name);
    if (refused !== ERRNO.success) return refused;
    this.#enter(parent, name, this.#newDirectory(parent, name, this.now()));
    return ERRNO.success;
  }

  createLink(parent: DirectoryNode, name: string, target: string): number {
    if (Buffer.byteLength(target) > MAXIMUM_LINK_BYTES) return ERRNO.nametoolong;
    const refused = this.#refuseNew(parent, name);
    if (refused !== ERRNO.success) return refused;
    this.#enter(parent, name, new LinkNode(this.#nextIno++, target, this.now()));
    return ERRNO.success;
  }

  /** Gives a file or link a second name. */
  addName(node: FileNode | LinkNode, parent: DirectoryNode, name: string): number {
    const refused = this.#refuseNew(parent, name);
    if (refused !== ERRNO.success) return refused;
    this.altering = true;
    node.links += 1;
    node.changed = this.now();
    this.#enter(parent, name, node);
    return ERRNO.success;
  }

  /** Takes a name of a file or link away. */
  removeName(parent: DirectoryNode, name: string, node: FileNode | LinkNode): void {
    this.altering = true;
    parent.entries.delete(name);
    node.links -= 1;
    node.changed = this.now();
    this.entries -= 1;
    this.#altered(parent);
    if (node instanceof FileNode) this.#freeWhenUnused(node);
    this.altering = false;
  }

  removeDirectory(parent: DirectoryNode, name: string, node: DirectoryNode): number {
    if (node.entries.size > 0) return ERRNO.notempty;
    this.altering = true;
    parent.entries.delete(name);
    node.removed = true;
    this.entries -= 1;
    this.#altered(parent);
    this.altering = false;
    return ERRNO.success;
  }

  /** Moves a node; what stood at the new name, and may be replaced, goes. */
  rename(
    from: { parent: DirectoryNode; name: string; node: Node },
    to: { parent: DirectoryNode; name: string; node: Node | undefined },
  ): number {
    const { node } = from;
    if (to.node === node) return ERRNO.success;
    if (to.parent.removed) return ERRNO.noent;
    const fault = refuseName(to.parent, to.name, node);
    if (fault !== ERRNO.success) return fault;
    if (node instanceof DirectoryNode && isWithin(to.parent, node)) return ERRNO.inval;
    if (to.node instanceof DirectoryNode) {
      if (!(node instanceof DirectoryNode)) return ERRNO.isdir;
      const removed = this.removeDirectory(to.parent, to.name, to.node);
      if (removed !== ERRNO.success) return removed;
    } else if (to.node !== undefined) {
      if (node instanceof DirectoryNode) return ERRNO.notdir;
      this.removeName(to.parent, to.name, to.node);
    }
    this.altering = true;
    from.parent.entries.delete(from.name);
    to.parent.entries.set(to.name, node);
    node.changed = this.now();
    this.#altered(from.parent);
    this.#altered(to.parent);
    if (node instanceof DirectoryNode) {
      node.name = to.name;
      node.parent = to.parent;
      node.listing = undefined;
      inheritEntry(node, entryOf(to.parent, to.name));
    }
    this.altering = false;
    return ERRNO.success;
  }

  /** Sets a file's size within the bounds. */
  resize(node: FileNode, size: number): number {
    const grown = size - node.size;
    if (this.bytes + grown > this.limits.bytes) return this.#full();
    this.altering = true;
    const done = node.resize(size);
    if (done) {
      this.bytes += grown;
      this.#wrote(node);
    }
    this.altering = false;
    return done ? ERRNO.success : ERRNO.nospc;
  }

  /** Writes bytes of a buffer into a file, which grows when it must. @returns false when there is no room */
  write(node: FileNode, source: Buffer, at: number, to: number, length: number): boolean {
    const grown = to + length - node.size;
    if (grown > 0 && this.bytes + grown > this.limits.bytes) {
      this.limited = true;
      return false;
    }
    this.altering = true;
    const done = node.copyIn(source, at, to, length);
    if (done && grown > 0) {
      this.bytes += grown;
      node.size += grown;
    }
    this.#wrote(node);
    this.altering = false;
    return done;
  }

  /** Notes that a file is read; called once a file. */
  noteRead(node: FileNode): void {
    node.wasRead = true;
    if (node.original && node.origin !== undefined) this.inputs.add(node.origin);
  }

  /** Notes that times were set. */
  touched(node: Node): void {
    node.touched = true;
    node.changed = this.now();
    this.changed = true;
  }

  /** A descriptor of a file was closed. */
  closed(node: FileNode): void {
    this.altering = true;
    node.opens -= 1;
    if (node.anonymous && node.opens === 0) this.entries -= 1;
    this.#freeWhenUnused(node);
    this.altering = false;
  }

  now(): Moment {
    return this.#home.now();
  }

  /** Puts a directory of the snapshot in place. */
  loadDirectory(parent: DirectoryNode, name: string, now: Moment): DirectoryNode {
    const node = this.#newDirectory(parent, name, now);
    parent.entries.set(name, node);
    this.entries += 1;
    return node;
  }

  /** Puts a file of the snapshot in place. */
  loadFile(parent: DirectoryNode, name: string, content: Content, now: Moment): FileNode {
    const node = new FileNode(this.#nextIno++, now, content, this.#spares);
    parent.entries.set(name, node);
    this.entries += 1;
    this.bytes += content.size;
    return node;
  }

  /** Puts a link of the snapshot in place. */
  loadLink(parent: DirectoryNode, name: string, target: string, now: Moment): LinkNode {
    const node = new LinkNode(this.#nextIno++, target, now);
    parent.entries.set(name, node);
    this.entries += 1;
    return node;
  }

  #newDirectory(parent: DirectoryNode, name: string, now: Moment): DirectoryNode {
    const node = new DirectoryNode(this.#nextIno++, name, parent, now);
    node.policy = policyBelow(parent, name);
    node.entry = entryOf(parent, name);
    return node;
  }

  #enter(parent: DirectoryNode, name: string, node: Node): void {
    this.altering = true;
    parent.entries.set(name, node);
    this.entries += 1;
    this.#altered(parent);
    this.altering = false;
  }

  #wrote(node: FileNode): void {
    const now = this.now();
    node.modified = now;
    node.changed = now;
    this.changed = true;
  }

  #altered(directory: DirectoryNode): void {
    const now = this.now();
    directory.listing = undefined;
    directory.modified = now;
    directory.changed = now;
    this.changed = true;
  }

  #refuseNew(parent: DirectoryNode, name: string): number {
    if (parent.removed) return ERRNO.noent;
    if (this.entries >= this.limits.entries) return this.#full();
    return refuseName(parent, name, undefined);
  }

  #full(): number {
    this.limited = true;
    return ERRNO.nospc;
  }

  #freeWhenUnused(node: FileNode): void {
    if (node.links > 0 || node.opens > 0) return;
    this.bytes -= node.size;
    node.resize(0);
  }
}
