// The hosts under measurement: ours without its worker thread, node:wasi on a RAM disk, and browser_wasi_shim in memory.
// Each instantiates the guest over a directory with one sub-directory of a hundred files.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WASI as NodeWasi } from "node:wasi";
import {
  Directory,
  File,
  type Inode,
  PreopenDirectory,
  WASI as ShimWasi,
} from "@bjorn3/browser_wasi_shim";
import { KNOWN_RIGHTS } from "@holdfast/policy";
import { FileStore, guestInThisThread } from "@holdfast/wasi";

/** A guest in a host. */
export interface Bench {
  readonly name: string;
  readonly exports: Readonly<Record<string, (...values: number[]) => void>>;
  close(): void;
}

const FILES = Array.from({ length: 100 }, (_, index) => `entry-${index}`);

/** All hosts, fresh. */
export function allHosts(module: WebAssembly.Module): Bench[] {
  return [holdfast(module), nodeWasi(module), browserShim(module)];
}

function holdfast(module: WebAssembly.Module): Bench {
  const store = new FileStore({ maximumBytes: 2 ** 32 });
  for (const name of FILES) store.openWrite(`/many/${name}`).commit();
  const { imports, attach } = guestInThisThread({
    snapshot: store.snapshot(),
    rights: new Map([["/", KNOWN_RIGHTS]]),
    clock: "system",
    random: "system",
  });
  const instance = new WebAssembly.Instance(module, imports);
  attach(instance.exports["memory"] as WebAssembly.Memory);
  return { name: "holdfast", exports: functionsOf(instance), close: () => undefined };
}

function nodeWasi(module: WebAssembly.Module): Bench {
  const directory = mkdtempSync("/dev/shm/holdfast-bench-");
  mkdirSync(join(directory, "many"));
  for (const name of FILES) writeFileSync(join(directory, "many", name), "");
  const wasi = new NodeWasi({ version: "preview1", preopens: { "/": directory } });
  const instance = new WebAssembly.Instance(module, {
    wasi_snapshot_preview1: wasi.wasiImport as Record<string, unknown>,
  });
  wasi.initialize({ exports: { memory: instance.exports["memory"] } } as never);
  return {
    name: "node:wasi",
    exports: functionsOf(instance),
    close: () => rmSync(directory, { recursive: true }),
  };
}

function browserShim(module: WebAssembly.Module): Bench {
  const many = new Map<string, Inode>(FILES.map((name) => [name, new File([])]));
  const root = new PreopenDirectory("/", new Map<string, Inode>([["many", new Directory(many)]]));
  const none = new PreopenDirectory("-", new Map());
  const wasi = new ShimWasi([], [], [none, none, none, root], { debug: false });
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport });
  wasi.initialize({ exports: { memory: instance.exports["memory"] } } as never);
  return { name: "browser_wasi_shim", exports: functionsOf(instance), close: () => undefined };
}

function functionsOf(instance: WebAssembly.Instance): Bench["exports"] {
  return instance.exports as unknown as Bench["exports"];
}
