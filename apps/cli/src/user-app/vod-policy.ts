// The seed's user policy of the video detector: two identities and what each may do.
import type { ClientIdentity } from "@holdfast/channel";
import type { UserPolicyBody } from "@holdfast/contract";

/** Paths of the video detector. */
export const VOD = {
  program: "/program/detector.wasm",
  video: "/s3_app_input/in_enc.h264",
  key: "/user_input/key",
  iv: "/user_input/iv",
  output: "/output/",
  firstPicture: "/output/prediction.0.jpg",
  detections: "/output/detections.json",
} as const;

/** Rights as the seed numbers them: write whole files; read and list; run. */
export const SEED_RIGHTS = { write: 534_084, read: 24_582, execute: 536_879_104 } as const;

/** The bridge writes the video and nothing else; the user puts in the key, runs the program, reads what it wrote. */
export function vodUserPolicy(options: {
  functionName: string;
  instanceId: string;
  user: ClientIdentity;
  bridge: ClientIdentity;
}): UserPolicyBody {
  const { write, read, execute } = SEED_RIGHTS;
  return {
    function: options.functionName,
    instanceid: options.instanceId,
    identities: [
      {
        certificate: options.bridge.certificatePem.trimEnd(),
        file_rights: [{ file_name: "/s3_app_input/", rights: write }],
      },
      {
        certificate: options.user.certificatePem.trimEnd(),
        file_rights: [
          { file_name: "/user_input/", rights: write },
          { file_name: VOD.output, rights: read },
          { file_name: "stdout", rights: read },
          { file_name: "stderr", rights: read },
          { file_name: "/program/", rights: execute },
        ],
      },
    ],
  };
}
