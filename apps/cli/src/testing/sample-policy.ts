// Policies for tests: the seed's video detector, composed as the services compose it.
import { type ClientIdentity, newIdentity } from "@holdfast/channel";
import type { UserPolicyBody } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import {
  composeFullPolicy,
  composeVaasPolicy,
  parseFunctionPolicy,
  parseUserPolicy,
} from "@holdfast/policy";
import { vodUserPolicy } from "../user-app/vod-policy.ts";

const HASH = "ab".repeat(32);
const READ = 24_582;
const WRITE = 534_084;

/** A function as an administrator writes it. */
export const SAMPLE_FUNCTION = {
  function: "vod",
  execution_strategy: "JIT",
  max_memory_mib: 64,
  debug: false,
  enable_clock: false,
  programs: [
    {
      id: 0,
      program_file_name: "/program/detector.wasm",
      pi_hash: HASH,
      file_rights: [
        { file_name: "/user_input/", rights: READ },
        { file_name: "/output/", rights: 550_470 },
        { file_name: "stdout", rights: WRITE },
      ],
    },
  ],
  data_files: [{ data_file: "/program_data/coco.names", pi_hash: HASH }],
  file_rights: [
    { file_name: "/program/", rights: WRITE },
    { file_name: "/program_data/", rights: WRITE },
  ],
};

/** A policy with the identities it was made for. */
export interface SamplePolicy {
  readonly text: string;
  readonly asked: UserPolicyBody;
  readonly user: ClientIdentity;
  readonly bridge: ClientIdentity;
  readonly authorityPem: string;
  readonly measurement: string;
}

/** Composes a full policy; keeps at port 1 are not there. */
export async function samplePolicy(): Promise<SamplePolicy> {
  const identity = (commonName: string): Promise<ClientIdentity> =>
    newIdentity({ commonName, clock: systemClock });
  const [user, bridge, loader, authority] = await Promise.all(
    ["user", "bridge", "loader", "authority"].map(identity),
  );
  if (!user || !bridge || !loader || !authority) throw new Error("no identities");
  const asked = vodUserPolicy({ functionName: "vod", instanceId: "0", user, bridge });
  const vaas = composeVaasPolicy({
    functionPolicy: parseFunctionPolicy(SAMPLE_FUNCTION),
    userPolicy: parseUserPolicy(asked),
    instanceId: "CCFaaS",
    loaderCertificatePem: loader.certificatePem,
  });
  const measurement = "cd".repeat(32);
  const text = composeFullPolicy(vaas, {
    serverUrl: "127.0.0.1:1",
    attestationUrl: "127.0.0.1:3010",
    attestationCertificatePem: authority.certificatePem,
    nitroMeasurement: measurement,
    now: systemClock.now(),
  });
  return { text, asked, user, bridge, authorityPem: authority.certificatePem, measurement };
}
