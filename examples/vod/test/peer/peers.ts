// Peers and vectors that a machine may lack: a test that needs one is skipped with a reason, and fails where peers are
// required.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";

const VECTORS = resolve(import.meta.dirname, "../../../../../shared/vectors/vod");

/** Skips the test for this reason, or fails it with HOLDFAST_PEERS=required. */
export function withoutPeer(context: TestContext, reason: string): void {
  if (process.env["HOLDFAST_PEERS"] === "required") throw new Error(`peer required: ${reason}`);
  context.skip(reason);
}

/** Whether a command is there; when not, the test is skipped or failed. */
export function hasPeer(context: TestContext, command: string, flag = "-version"): boolean {
  if (spawnSync(command, [flag]).error === undefined) return true;
  withoutPeer(context, `${command} not found`);
  return false;
}

/** A file of the test vectors beside the repository; undefined, and the test skipped, where they are absent. */
export function vector(context: TestContext, ...path: readonly string[]): string | undefined {
  const file = join(VECTORS, ...path);
  if (existsSync(file)) return file;
  context.skip(`test vectors absent: ${path.join("/")} of ../shared/vectors/vod`);
  return undefined;
}
