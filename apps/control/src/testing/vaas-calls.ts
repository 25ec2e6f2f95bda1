// What tests of VaaS ask of it over HTTP, in the words of the original service.
import type { VaasPolicyBody, VeracruzCreated } from "@holdfast/contract";
import { parsePolicy } from "@holdfast/policy";
import { type Answer, call } from "./call.ts";
import { vodFunction } from "./samples.ts";
import type { World } from "./world.ts";

/** Requests to the VaaS of a world. */
export interface VaasCalls {
  /** A policy that VaaS takes. */
  body(change?: Partial<VaasPolicyBody>): VaasPolicyBody;
  create(change?: Partial<VaasPolicyBody>, key?: string): Promise<Answer>;
  created(
    change?: Partial<VaasPolicyBody>,
    key?: string,
  ): Promise<VeracruzCreated & { name: string }>;
  /** Names of the instances that are not over. */
  living(): Promise<string[]>;
  deleteAll(): Promise<void>;
}

/** Requests as somebody with a certificate. */
export function vaasCalls(
  world: World,
  { certificatePem }: { readonly certificatePem: string },
): VaasCalls {
  const body = (change: Partial<VaasPolicyBody> = {}): VaasPolicyBody => ({
    instance_id: "instance1",
    ciphersuite: "TLS1_3_CHACHA20_POLY1305_SHA256",
    debug: true,
    enable_clock: true,
    execution_strategy: "JIT",
    max_memory_mib: 1000,
    programs: vodFunction().programs.map(({ pi_hash: _, ...program }) => program),
    identities: [
      {
        certificate: certificatePem,
        file_rights: [{ file_name: "/user_input/", rights: 534084 }],
        id: 0,
      },
    ],
    file_hashes: [{ file_path: "/program/detector.wasm", hash: "ab".repeat(32) }],
    enclave_cert_expiry: { day: 11, hour: 16, minute: 46, month: 4, year: 2099 },
    ...change,
  });
  const create = (change: Partial<VaasPolicyBody> = {}, key?: string): Promise<Answer> =>
    call("POST", `${world.vaasUrl}/veracruz`, {
      json: body(change),
      headers: key === undefined ? {} : { "idempotency-key": key },
    });
  const created = async (
    change: Partial<VaasPolicyBody> = {},
    key?: string,
  ): Promise<VeracruzCreated & { name: string }> => {
    const answer = JSON.parse((await create(change, key)).text) as VeracruzCreated;
    const port = parsePolicy(answer.policy).serverUrl.port;
    return { ...answer, name: `veracruz-nitro-server:${port}` };
  };
  const living = async (): Promise<string[]> =>
    (await world.vaas.list()).veracruz.flatMap((each) => Object.keys(each));
  const deleteAll = async (): Promise<void> => {
    for (const each of (await world.vaas.list()).veracruz) {
      for (const [name, { instance_hash }] of Object.entries(each)) {
        await world.vaas.delete(name, { instance_hash });
      }
    }
  };
  return { body, create, created, living, deleteAll };
}
