// Records for tests of the store.
import { createHash, randomUUID } from "node:crypto";
import type {
  FunctionFileRecord,
  NewFunction,
  NewInstance,
  NewKeep,
  NewRevision,
  StoreError,
} from "../index.ts";

export const AT = "2026-01-02T03:04:05.000Z";
export const LATER = "2026-01-02T03:05:00.000Z";
/** Where records are unless a test says otherwise. */
export const NAMESPACE = "default";

/** Whether an error says that something is taken. */
export function conflict(thrown: unknown): boolean {
  return (thrown as StoreError).code === "STORE_CONFLICT";
}

/** A text as a stream of bytes. */
export async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** SHA-256 of a text. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A definition that names files; the same files are the same content. */
export function newRevision(name: string, paths: readonly string[]): NewRevision {
  const definition = JSON.stringify({ function: name, files: paths });
  const files = paths.map((path) => ({
    path,
    kind: "program" as const,
    sha256: file(path).sha256,
  }));
  return { id: randomUUID(), definition, digest: digestOf(definition), files };
}

/** A function whose definition names files. */
export function newFunction(
  name: string,
  paths: readonly string[] = ["/a", "/b"],
  namespace: string = NAMESPACE,
): NewFunction {
  const revision = newRevision(name, paths);
  return { id: randomUUID(), namespace, name, revision, createdAt: AT };
}

/** A stored file; one path, one content. */
export function file(path: string, size = 7): FunctionFileRecord {
  return { path, kind: "program", sha256: digestOf(path), size };
}

/** A file to load. */
export function load(
  path: string,
  priority: number,
  position: number,
): NewInstance["loads"][number] {
  return { path, priority, position, sha256: "00".repeat(32), size: 7 };
}

/** An instance. */
export function newInstance(
  id: string,
  loads: NewInstance["loads"] = [],
  change: Partial<NewInstance> = {},
): NewInstance {
  const key = randomUUID();
  return {
    key,
    namespace: NAMESPACE,
    id,
    functionName: "vod",
    functionDefinition: "{}",
    userPolicy: "{}",
    requestKey: key,
    createdAt: AT,
    loads,
    ...change,
  };
}

/** A keep on a port. */
export function newKeep(port: number, change: Partial<NewKeep> = {}): NewKeep {
  return {
    id: randomUUID(),
    namespace: NAMESPACE,
    name: `server:${port}`,
    node: "node",
    host: "127.0.0.1",
    port,
    instanceHash: "ab",
    requestHash: "cd",
    policy: "{}",
    maxMemoryMib: 1,
    createdAt: AT,
    ...change,
  };
}
