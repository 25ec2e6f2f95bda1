// What the steps of CCFaaS work with.
import type { ClientIdentity } from "@holdfast/channel";
import type { VaasClient } from "@holdfast/contract";
import type { Clock } from "@holdfast/core";
import type { Store, StoredInstanceState } from "@holdfast/store";
import type { FastifyBaseLogger } from "fastify";
import type { UploadLimits } from "../config.ts";
import type { InstanceWorks } from "./instance-works.ts";
import type { RemoteConfig } from "./remote-source.ts";

/** Everything CCFaaS needs from outside. */
export interface CcfaasContext {
  readonly store: Store;
  readonly vaas: VaasClient;
  /** Who CCFaaS is toward keeps. */
  readonly loader: ClientIdentity;
  /** How long a connection to a keep may stand still. */
  readonly silenceMs: number;
  readonly limits: UploadLimits;
  readonly remote: RemoteConfig;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
  readonly works: InstanceWorks;
}

/** States of an instance that is on its way up. */
export const UNFINISHED: readonly StoredInstanceState[] = [
  "requested",
  "starting",
  "attested",
  "provisioning",
];

/** The present time as records have it. */
export function timestamp({ clock }: { readonly clock: Clock }): string {
  return clock.now().toISOString();
}
