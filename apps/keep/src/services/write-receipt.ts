// The receipt of a run: what went in, what came out and how it ended, by digest, signed with the keep's attested key.
import { createHash } from "node:crypto";
import { type ReceiptFile, signReceipt } from "@holdfast/channel";
import type { Snapshot, StoredNode } from "@holdfast/wasi";
import type { KeepState } from "../state/keep-state.ts";
import type { OutputLog } from "../state/output-log.ts";
import type { RunEnd } from "../state/run-record.ts";
import type { RunStart } from "./end-run.ts";

type FileNode = Extract<StoredNode, { kind: "file" }>;

/** Writes and signs a receipt. @param written what the run left behind */
export async function writeReceipt(
  keep: KeepState,
  start: RunStart,
  { outcome, at }: RunEnd,
  written: readonly StoredNode[],
): Promise<string> {
  const { record, programSha256, snapshot, digests, stdin } = start;
  const { verdict, measurement } = keep.attested;
  const outputs = await outputFiles(keep, written);
  return signReceipt(
    {
      version: 1,
      run: record.id,
      policy_hash: keep.policyHash,
      measurement,
      platform: verdict.platform,
      simulated: verdict.simulated,
      program: { path: record.program, sha256: programSha256 },
      requested_by: record.starter,
      state: outcome.state,
      ...(outcome.exitCode === undefined ? {} : { exit_code: outcome.exitCode }),
      ...(outcome.trap === undefined ? {} : { trap: outcome.trap }),
      ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
      started_at: record.startedAt.toISOString(),
      ended_at: at.toISOString(),
      duration_ms: Math.round(outcome.durationMs),
      peak_memory_bytes: outcome.peakMemoryBytes,
      inputs: await inputFiles(keep, snapshot, digests, outcome.inputs),
      outputs,
      stdin: streamOf([stdin], stdin.length),
      stdout: outputOf(record.stdout),
      stderr: outputOf(record.stderr),
    },
    keep.attested,
  );
}

async function inputFiles(
  keep: KeepState,
  snapshot: Snapshot,
  digests: ReadonlyMap<string, string>,
  paths: readonly string[],
): Promise<ReceiptFile[]> {
  const wanted = new Set(paths);
  const files: ReceiptFile[] = [];
  for (const node of snapshot.nodes) {
    if (node.kind !== "file" || !wanted.has(node.path)) continue;
    files.push(await fileOf(keep, node, digests.get(node.path)));
  }
  return files;
}

async function outputFiles(
  keep: KeepState,
  written: readonly StoredNode[],
): Promise<ReceiptFile[]> {
  const files: ReceiptFile[] = [];
  for (const node of written) {
    if (node.kind !== "file") continue;
    const file = await fileOf(keep, node);
    files.push(file);
    // Others may have written there meanwhile.
    const { store } = keep;
    const stands = store.stat(file.path)?.kind === "file" && store.content(file.path);
    if (stands === node.content) keep.digests.set(file.path, file.sha256);
  }
  return files;
}

async function fileOf(
  { hashing }: KeepState,
  { path, content }: FileNode,
  known?: string,
): Promise<ReceiptFile> {
  return { path, size: content.size, sha256: known ?? (await hashing.digestOf(content)) };
}

function outputOf(log: OutputLog): { size: number; sha256: string } {
  return streamOf(log.read(), log.size);
}

function streamOf(parts: Iterable<Uint8Array>, size: number): { size: number; sha256: string } {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return { size, sha256: hash.digest("hex") };
}
