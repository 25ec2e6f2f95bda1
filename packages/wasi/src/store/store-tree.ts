// The tree behind the store: nodes by path, names by directory, and a journal to take alterations back.
import { WasiError } from "../errors.ts";
import type { StoredNode } from "./snapshot.ts";

/** Nodes by normalised path; the root is always there. */
export class StoreTree {
  readonly #nodes = new Map<string, StoredNode>();
  readonly #names = new Map<string, Set<string>>();
  #journal: (() => void)[] = [];
  #bytes = 0;
  #dropped = 0;

  constructor() {
    this.#nodes.set("/", { kind: "directory", path: "/", accessed: 0n, modified: 0n });
    this.#names.set("/", new Set());
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of nodes, the root included. */
  get entries(): number {
    return this.#nodes.size;
  }

  /** The node at a path. */
  get(path: string): StoredNode | undefined {
    return this.#nodes.get(path);
  }

  /** Nodes of a directory sorted by name. @throws WasiError STORE_NOT_FOUND, STORE_NOT_A_DIRECTORY */
  children(path: string): StoredNode[] {
    const names = this.#names.get(path);
    if (names === undefined) {
      const node = this.#nodes.get(path);
      throw node === undefined
        ? new WasiError("STORE_NOT_FOUND", `no directory ${path}`)
        : new WasiError("STORE_NOT_A_DIRECTORY", `${path} is a ${node.kind}`);
    }
    return [...names].sort().flatMap((name) => this.#nodes.get(below(path, name)) ?? []);
  }

  /** Puts a node in place of a file or link, or where nothing was; its directory must be there. */
  put(node: StoredNode): void {
    const old = this.#nodes.get(node.path);
    const wasDirectory = old?.kind === "directory";
    if (wasDirectory !== (node.kind === "directory") && old !== undefined) {
      throw new WasiError("STORE_CONFLICT", `${node.path} is a ${old.kind}`);
    }
    if (node.path === "/") return;
    const [parent, name] = split(node.path);
    const siblings = this.#names.get(parent);
    if (siblings === undefined) {
      throw new WasiError("STORE_CONFLICT", `${parent} is no directory`);
    }
    this.#set(node.path, node);
    if (old === undefined) {
      siblings.add(name);
      this.#journal.push(() => siblings.delete(name));
      if (node.kind === "directory") {
        this.#names.set(node.path, new Set());
        this.#journal.push(() => this.#names.delete(node.path));
      }
    }
  }

  /** Takes a node away. @throws WasiError STORE_NOT_FOUND, STORE_NOT_EMPTY */
  remove(path: string): void {
    const node = this.#nodes.get(path);
    if (node === undefined) throw new WasiError("STORE_NOT_FOUND", `nothing at ${path}`);
    const names = this.#names.get(path);
    if (path === "/" || (names !== undefined && names.size > 0)) {
      throw new WasiError("STORE_NOT_EMPTY", `${path} is not empty`);
    }
    const [parent, name] = split(path);
    const siblings = this.#names.get(parent);
    this.#set(path, undefined);
    siblings?.delete(name);
    this.#journal.push(() => siblings?.add(name));
    if (names !== undefined) {
      this.#names.delete(path);
      this.#journal.push(() => this.#names.set(path, names));
    }
  }

  /** All nodes but the root, parents before children, sorted by name. */
  inOrder(): StoredNode[] {
    const all: StoredNode[] = [];
    const walk = (path: string): void => {
      for (const node of this.children(path)) {
        all.push(node);
        if (node.kind === "directory") walk(node.path);
      }
    };
    walk("/");
    return all;
  }

  /** Where the journal stands. */
  mark(): number {
    return this.#journal.length;
  }

  /** Takes back everything since a mark. */
  rollBack(mark: number): void {
    while (this.#journal.length > mark) this.#journal.pop()?.();
    this.#dropped = 0;
  }

  /** What was done stands. @returns bytes of content that nothing here refers to any more */
  forget(): number {
    const dropped = this.#dropped;
    this.#journal = [];
    this.#dropped = 0;
    return dropped;
  }

  #set(path: string, node: StoredNode | undefined): void {
    const old = this.#nodes.get(path);
    const write = (value: StoredNode | undefined): void => {
      if (value === undefined) this.#nodes.delete(path);
      else this.#nodes.set(path, value);
    };
    const grown = bytesOf(node) - bytesOf(old);
    write(node);
    this.#bytes += grown;
    this.#dropped += bytesDropped(old, node);
    this.#journal.push(() => {
      write(old);
      this.#bytes -= grown;
    });
  }
}

function below(path: string, name: string): string {
  return path === "/" ? `/${name}` : `${path}/${name}`;
}

function split(path: string): [string, string] {
  const at = path.lastIndexOf("/");
  return [path.slice(0, at) || "/", path.slice(at + 1)];
}

/** Bytes in pieces of one node that are not in the other: an append goes on with most of them. */
function bytesDropped(old: StoredNode | undefined, node: StoredNode | undefined): number {
  if (old?.kind !== "file") return 0;
  const kept = node?.kind === "file" ? node.content.chunks : [];
  return old.content.chunks.reduce(
    (sum, chunk, index) => sum + (chunk === kept[index] ? 0 : (chunk?.byteLength ?? 0)),
    0,
  );
}

function bytesOf(node: StoredNode | undefined): number {
  return node?.kind === "file" ? node.content.size : 0;
}
