// Random sequences of operations, done to the host and to a model; both must agree on every answer, and what a run hands
// back must make the store what the model is.
import assert from "node:assert/strict";
import { it } from "node:test";
import { RIGHTS } from "@holdfast/policy";
import fc from "fast-check";
import { contentBytes } from "../store/content.ts";
import { FileStore } from "../store/file-store.ts";
import { ModelFiles } from "../testing/model-files.ts";
import { ALL, DIRECTORY, Probe } from "../testing/probe.ts";

const name = fc.constantFrom("a", "b", "c");
const path = fc
  .array(
    fc.oneof({ weight: 8, arbitrary: name }, { weight: 1, arbitrary: fc.constantFrom(".", "..") }),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((names) => names.join("/"));
/** Around the beginning, and around the border of the first piece. */
const offset = fc.constantFrom(0, 1, 5, 1024 * 1024 - 2, 1024 * 1024);
const text = fc.constantFrom("", "x", "hello", "0123456789");

const operation = fc.oneof(
  fc.record({ do: fc.constant("write" as const), path, offset, text }),
  fc.record({ do: fc.constant("resize" as const), path, offset }),
  fc.record({ do: fc.constant("read" as const), path }),
  fc.record({ do: fc.constant("list" as const), path }),
  fc.record({ do: fc.constant("kind" as const), path }),
  fc.record({ do: fc.constant("mkdir" as const), path }),
  fc.record({ do: fc.constant("unlink" as const), path }),
  fc.record({ do: fc.constant("rmdir" as const), path }),
  fc.record({ do: fc.constant("rename" as const), path, to: path }),
  fc.record({ do: fc.constant("link" as const), path, to: path }),
  fc.record({ do: fc.constant("symlink" as const), path, to: path }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const KINDS: Readonly<Record<number, string>> = { 3: "directory", 4: "file", 7: "symlink" };

function onModel(model: ModelFiles, step: Operation): unknown {
  switch (step.do) {
    case "write":
      return model.write(step.path, step.offset, step.text);
    case "resize":
      return model.resize(step.path, step.offset);
    case "read":
      return model.read(step.path)?.toString("latin1");
    case "list":
      return model.list(step.path);
    case "kind":
      return model.kind(step.path);
    case "mkdir":
      return model.makeDirectory(step.path);
    case "unlink":
      return model.unlink(step.path);
    case "rmdir":
      return model.removeDirectory(step.path);
    case "rename":
      return model.rename(step.path, step.to);
    case "link":
      return model.link(step.path, step.to);
    case "symlink":
      return model.symlink(step.path, step.to);
  }
}

function onHost(probe: Probe, step: Operation): unknown {
  const root = probe.dir();
  const succeeded = (result: number): true | undefined => (result >= 0 ? true : undefined);
  const opened = <T>(fd: number, act: (fd: number) => T): T | undefined => {
    if (fd < 0) return undefined;
    const result = act(fd);
    probe.do("fd_close", fd);
    return result;
  };
  switch (step.do) {
    case "write":
      return opened(probe.create(root, step.path), (fd) => {
        return succeeded(probe.write(fd, step.text, BigInt(step.offset)));
      });
    case "resize":
      return opened(probe.open(root, step.path, { rights: ALL }), (fd) => {
        return succeeded(0 - probe.do("fd_filestat_set_size", fd, BigInt(step.offset)));
      });
    case "read":
      return opened(probe.open(root, step.path), (fd) => {
        const all = probe.read(fd, 2 * 1024 * 1024);
        return typeof all === "string" ? all : undefined;
      });
    case "list":
      return opened(
        probe.open(root, step.path, { oflags: DIRECTORY, rights: ALL & ~RIGHTS.fd_write }),
        (fd) => probe.names(fd),
      );
    case "kind": {
      const stat = probe.stat(root, step.path, false);
      return typeof stat === "number" ? undefined : KINDS[stat.filetype];
    }
    case "mkdir":
      return succeeded(probe.named("path_create_directory", root, step.path));
    case "unlink":
      return succeeded(probe.named("path_unlink_file", root, step.path));
    case "rmdir":
      return succeeded(probe.named("path_remove_directory", root, step.path));
    case "rename":
      return succeeded(probe.rename(root, step.path, root, step.to));
    case "link":
      return succeeded(probe.link(root, step.path, root, step.to));
    case "symlink":
      return succeeded(probe.symlink(step.path, root, step.to));
  }
}

function describeStore(store: FileStore): Record<string, string> {
  return Object.fromEntries(
    store.snapshot().nodes.map((node) => {
      if (node.kind === "directory") return [node.path, "directory"];
      if (node.kind === "symlink") return [node.path, `symlink ${node.target}`];
      return [node.path, `file ${Buffer.from(contentBytes(node.content)).toString("latin1")}`];
    }),
  );
}

it("agrees with the model on any sequence of operations, and commits what the model holds", () => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 40 }),
      fc.array(operation, { maxLength: 20 }),
      (first, second) => {
        const model = new ModelFiles();
        const store = new FileStore({ maximumBytes: 1 << 30 });
        // Two runs one after the other: the second starts from what the first committed, without its hard links.
        const runs = [first, second.filter(() => first.every((step) => step.do !== "link"))];
        for (const steps of runs) {
          const probe = new Probe({ store });
          for (const step of steps) {
            assert.deepEqual(onHost(probe, step), onModel(model, step), JSON.stringify(step));
          }
          store.apply(probe.changes());
          assert.deepEqual(describeStore(store), model.describe());
        }
      },
    ),
    { numRuns: 300 },
  );
});
