// Runs tpm2-tools: no shell, no inherited environment, bounded time and output, files in a directory of their own.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AttesterError } from "../errors.ts";

/** How to reach the TPM. */
export interface TpmAccess {
  /** The tools' TCTI: `device:/dev/tpmrm0`, or `swtpm:host=127.0.0.1,port=2321`. */
  readonly tcti: string;
  /** Where the tools are looked for. */
  readonly path?: string;
  readonly timeoutMs?: number;
}

/** Runs one tool. */
export type RunTool = (name: string, ...args: readonly string[]) => Promise<void>;

const PATH = "/usr/bin:/usr/local/bin";
const MAXIMUM_OUTPUT = 256 * 1024;

/** A runner of tools for a TPM. */
export function toolsFor({ tcti, path = PATH, timeoutMs = 30_000 }: TpmAccess): RunTool {
  return (name, ...args) =>
    new Promise((done, failed) => {
      const options = {
        env: { PATH: path, TPM2TOOLS_TCTI: tcti },
        timeout: timeoutMs,
        maxBuffer: MAXIMUM_OUTPUT,
      };
      execFile(name, args, options, (error, _stdout, stderr) => {
        if (error === null) done();
        else failed(failureOf(name, error, stderr));
      });
    });
}

/** Does something with a directory of its own, for the owner alone, which is gone afterwards. */
export async function inScratch<T>(action: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-tpm-"));
  try {
    return await action(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function failureOf(name: string, error: Error & { code?: unknown }, stderr: string): AttesterError {
  if (error.code === "ENOENT") {
    return new AttesterError("ATTESTER_UNREACHABLE", `${name} is not installed (tpm2-tools)`, {
      cause: error,
    });
  }
  const last = stderr.trim().split("\n").at(-1)?.slice(0, 300);
  return new AttesterError("ATTESTER_REFUSED", `${name}: ${last || error.message}`, {
    cause: error,
  });
}
