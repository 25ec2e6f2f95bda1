// What the steps of VaaS work with.
import type { Clock } from "@holdfast/core";
import type { Store, StoredKeep } from "@holdfast/store";
import type { FastifyBaseLogger } from "fastify";
import type { KeepsConfig } from "../config.ts";
import type { KeepHandle, KeepLauncher } from "../keeps/keep-launcher.ts";
import type { Attestation } from "./attestation.ts";
import type { KeepAges } from "./keep-ages.ts";
import type { Turns } from "./turns.ts";

/** Everything VaaS needs from outside. */
export interface VaasContext {
  readonly store: Store;
  readonly launcher: KeepLauncher;
  readonly attestation: Attestation;
  readonly config: KeepsConfig;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
  /** Ids of keeps between their record and their process, in this very process. */
  readonly launching: Set<string>;
  readonly ages: KeepAges;
  /** Steps of one keep follow one another. */
  readonly turns: Turns;
}

/** The host label under which instances are listed and found, as in the original. */
export const INSTANCE_HOST = "veracruz-nitro-server";

/** The present time as records have it. */
export function timestamp({ clock }: { readonly clock: Clock }): string {
  return clock.now().toISOString();
}

/** The processes of a recorded keep. */
export function handleOf({ id, loader, keep }: StoredKeep): KeepHandle {
  return {
    id,
    ...(loader === undefined ? {} : { loader }),
    ...(keep === undefined ? {} : { keep }),
  };
}

/** Whether a keep is over. */
export function isOver({ state }: Pick<StoredKeep, "state">): boolean {
  return state === "ended" || state === "failed";
}
