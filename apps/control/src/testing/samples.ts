// Functions and user policies as the seed writes them, with files small enough for tests.
import { createHash } from "node:crypto";
import { newIdentity } from "@holdfast/channel";
import type { CcfaasClient, FunctionBody, UserPolicyBody } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";

/** Bytes of a test file. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Contents of the files of `vodFunction`. */
export const FILES: Readonly<Record<string, Uint8Array>> = {
  "/program/detector.wasm": bytesOf("\0asm stands in for the detector"),
  "/program_data/coco.names": bytesOf("person\nbicycle\n"),
  "/program_data/yolov3.cfg": bytesOf("[net]\nwidth=416\n"),
  "/program_data/yolov3.weights": bytesOf("weights"),
};
export const PROGRAM = "/program/detector.wasm";
export const DATA_FILES: readonly string[] = Object.keys(FILES).filter((path) => path !== PROGRAM);

/** The seed's function, over these contents. */
export function vodFunction(name = "vod_small"): FunctionBody {
  const hashOf = (path: string): string => sha256(FILES[path] ?? new Uint8Array());
  return {
    data_files: DATA_FILES.map((path) => ({ data_file: path, pi_hash: hashOf(path) })),
    debug: true,
    enable_clock: true,
    execution_strategy: "JIT",
    file_rights: [
      { file_name: "/program/", rights: 534084 },
      { file_name: "/program_data/", rights: 534084 },
    ],
    function: name,
    max_memory_mib: 2000,
    programs: [
      {
        file_rights: [
          { file_name: "/program_data/", rights: 24582 },
          { file_name: "/s3_app_input/", rights: 24582 },
          { file_name: "/user_input/", rights: 24582 },
          { file_name: "/output/", rights: 550470 },
          { file_name: "/program_internal/", rights: 550470 },
          { file_name: "stdout", rights: 534084 },
          { file_name: "stderr", rights: 534084 },
        ],
        id: 0,
        pi_hash: hashOf(PROGRAM),
        program_file_name: PROGRAM,
      },
    ],
  };
}

/** The identities of the seed's user program: one for the bridge, one for the user. */
export async function newIdentities(): Promise<{
  bridge: { certificatePem: string; keyPem: string };
  user: { certificatePem: string; keyPem: string };
}> {
  return {
    bridge: await newIdentity({ commonName: "bridge", clock: systemClock }),
    user: await newIdentity({ commonName: "user", clock: systemClock }),
  };
}

/** The user policy that the seed's user program sends. */
export function userPolicy(
  identities: Awaited<ReturnType<typeof newIdentities>>,
  change: { instanceid?: string; function?: string } = {},
): UserPolicyBody {
  return {
    function: change.function ?? "vod_small",
    instanceid: change.instanceid ?? "0",
    identities: [
      {
        certificate: identities.bridge.certificatePem,
        file_rights: [{ file_name: "/s3_app_input/", rights: 534084 }],
      },
      {
        certificate: identities.user.certificatePem,
        file_rights: [
          { file_name: "/user_input/", rights: 534084 },
          { file_name: "/output/", rights: 24582 },
          { file_name: "stdout", rights: 24582 },
          { file_name: "stderr", rights: 24582 },
          { file_name: "/program/", rights: 536879104 },
        ],
      },
    ],
  };
}

/** Registers the seed's function and uploads all of its files. */
export async function provisionVod(ccfaas: CcfaasClient, name = "vod_small"): Promise<void> {
  await ccfaas.registerFunction(vodFunction(name));
  await ccfaas.uploadProgram(name, PROGRAM, FILES[PROGRAM] ?? new Uint8Array());
  for (const path of DATA_FILES) {
    await ccfaas.uploadDataFile(name, path, FILES[path] ?? new Uint8Array());
  }
}

/** Asks until an answer satisfies; tests wait for what happens, never for a time to pass. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isGood: (answer: T) => boolean,
): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (tries > 3000) throw new Error(`it never came: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
