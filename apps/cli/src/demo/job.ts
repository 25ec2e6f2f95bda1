// What the demo's people know and hold while the job runs.
import type { ClientIdentity } from "@holdfast/channel";
import type { UserPolicyBody } from "@holdfast/contract";
import type { Policy } from "@holdfast/policy";
import type { Context } from "../context.ts";
import type { KeepBundle } from "../processes/build.ts";
import type { PolicyExpectations } from "../user-app/review-policy.ts";
import type { ModelFiles } from "./model-files.ts";
import type { Stage } from "./stage.ts";
import type { Story } from "./story.ts";
import type { EncryptedVideo } from "./video.ts";

/** Everything around the job. */
export interface Scene {
  readonly context: Context;
  readonly story: Story;
  readonly stage: Stage;
  readonly bundle: KeepBundle;
  readonly model: ModelFiles;
  readonly video: EncryptedVideo;
  /** Where pictures, detections, receipt and policy are left for the user. */
  readonly results: string;
}

/** The instance, once it is there. */
export interface Instance {
  readonly user: ClientIdentity;
  readonly bridge: ClientIdentity;
  readonly asked: UserPolicyBody;
  readonly policy: Policy;
  readonly policyHash: string;
  readonly expected: PolicyExpectations;
}

/** The demo's names. */
export const NAMES = {
  function: "vod_small",
  instance: "demo-1",
  object: "front-door/in_enc.h264",
} as const;
