// A file system as simple as can be, to hold the real one against: whole contents, objects and recursion. For tests.

/** A node of the model. */
export type ModelNode =
  | { kind: "file"; data: Buffer }
  | { kind: "directory"; names: Map<string, ModelNode> }
  | { kind: "symlink"; target: string };

type Directory = Extract<ModelNode, { kind: "directory" }>;
interface Found {
  readonly directory: Directory;
  readonly name: string;
  readonly node: ModelNode | undefined;
  /** `.` or `..` was the last name. */
  readonly dots: boolean;
}

/** Operations answer undefined when they fail. */
export class ModelFiles {
  readonly root: Directory = { kind: "directory", names: new Map() };

  write(path: string, offset: number, text: string): true | undefined {
    const found = this.#find(path, true);
    if (found === undefined || found.dots) return undefined;
    let node = found.node;
    if (node === undefined) {
      node = { kind: "file", data: Buffer.alloc(0) };
      found.directory.names.set(found.name, node);
    }
    if (node.kind !== "file") return undefined;
    const end = offset + text.length;
    if (text.length > 0 && end > node.data.length) {
      node.data = Buffer.concat([node.data, Buffer.alloc(end - node.data.length)]);
    }
    if (text.length > 0) node.data.write(text, offset);
    return true;
  }

  resize(path: string, size: number): true | undefined {
    const node = this.#find(path, true)?.node;
    if (node?.kind !== "file") return undefined;
    const data = Buffer.alloc(size);
    node.data.copy(data);
    node.data = data;
    return true;
  }

  read(path: string): Buffer | undefined {
    const node = this.#find(path, true)?.node;
    return node?.kind === "file" ? node.data : undefined;
  }

  list(path: string): string[] | undefined {
    const node = this.#find(path, true)?.node;
    return node?.kind === "directory" ? [...node.names.keys()].sort() : undefined;
  }

  kind(path: string): string | undefined {
    return this.#find(path, false)?.node?.kind;
  }

  makeDirectory(path: string): true | undefined {
    return this.#make(path, () => ({ kind: "directory", names: new Map() }));
  }

  symlink(target: string, path: string): true | undefined {
    return this.#make(path, () => ({ kind: "symlink", target }));
  }

  link(from: string, to: string): true | undefined {
    const node = this.#find(from, false)?.node;
    if (node === undefined || node.kind === "directory") return undefined;
    return this.#make(to, () => node);
  }

  unlink(path: string): true | undefined {
    const found = this.#find(path, false);
    if (found?.node === undefined || found.node.kind === "directory") return undefined;
    return found.directory.names.delete(found.name) || undefined;
  }

  removeDirectory(path: string): true | undefined {
    const found = this.#find(path, false);
    if (found?.node?.kind !== "directory" || found.dots || found.node.names.size > 0)
      return undefined;
    return found.directory.names.delete(found.name) || undefined;
  }

  rename(from: string, to: string): true | undefined {
    const source = this.#find(from, false);
    const target = this.#find(to, false);
    if (source?.node === undefined || target === undefined) return undefined;
    if (source.dots || target.dots) return undefined;
    if (source.node === target.node) return true;
    if (source.node.kind === "directory") {
      if (contains(source.node, target.directory)) return undefined;
      if (target.node !== undefined && target.node.kind !== "directory") return undefined;
      if (target.node?.kind === "directory" && target.node.names.size > 0) return undefined;
    } else if (target.node?.kind === "directory") {
      return undefined;
    }
    source.directory.names.delete(source.name);
    target.directory.names.set(target.name, source.node);
    return true;
  }

  /** Everything there is, path by path. */
  describe(): Record<string, string> {
    const all: Record<string, string> = {};
    const walk = (directory: Directory, at: string): void => {
      for (const [name, node] of directory.names) {
        const path = `${at}/${name}`;
        if (node.kind === "file") all[path] = `file ${node.data.toString("latin1")}`;
        else if (node.kind === "symlink") all[path] = `symlink ${node.target}`;
        else {
          all[path] = "directory";
          walk(node, path);
        }
      }
    };
    walk(this.root, "");
    return all;
  }

  #make(path: string, make: () => ModelNode): true | undefined {
    const found = this.#find(path, false);
    if (found === undefined || found.node !== undefined) return undefined;
    found.directory.names.set(found.name, make());
    return true;
  }

  #find(path: string, follow: boolean): Found | undefined {
    return this.#walk([this.root], path.split("/"), follow, 0);
  }

  #walk(trail: Directory[], names: string[], follow: boolean, links: number): Found | undefined {
    const directory = trail.at(-1);
    const [name = "", ...rest] = names;
    if (directory === undefined || links > 40) return undefined;
    if (name === "." || name === "..") {
      const next = name === "." ? trail : trail.slice(0, -1);
      const here = next.at(-1);
      if (here === undefined) return undefined;
      if (rest.length > 0) return this.#walk(next, rest, follow, links);
      return { directory: here, name, node: here, dots: true };
    }
    const node = directory.names.get(name);
    if (rest.length === 0 && !(node?.kind === "symlink" && follow)) {
      return { directory, name, node, dots: false };
    }
    if (node?.kind === "symlink") {
      return this.#walk(trail, [...node.target.split("/"), ...rest], follow, links + 1);
    }
    return node?.kind === "directory"
      ? this.#walk([...trail, node], rest, follow, links)
      : undefined;
  }
}

function contains(directory: Directory, sought: Directory): boolean {
  if (directory === sought) return true;
  return [...directory.names.values()].some(
    (node) => node.kind === "directory" && contains(node, sought),
  );
}
