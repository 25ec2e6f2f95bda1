// What the steps of CCFaaS work with.
import type { ClientIdentity } from "@holdfast/channel";
import type { VaasClient } from "@holdfast/contract";
import type { Clock } from "@holdfast/core";
import type { RemoteConfig } from "@holdfast/oci";
import type { Store, StoredInstanceState } from "@holdfast/store";
import type { FastifyBaseLogger } from "fastify";
import type { UploadLimits } from "../config.ts";
import { namespaceOf } from "../http/namespace.ts";
import type { InstanceWorks } from "./instance-works.ts";

/** Everything CCFaaS needs from outside. */
export interface CcfaasParts {
  readonly store: Store;
  /** VaaS, within a namespace. */
  readonly vaasIn: (namespace: string) => VaasClient;
  /** Who CCFaaS is toward keeps. */
  readonly loader: ClientIdentity;
  /** How long VaaS is asked again while it does not answer. */
  readonly vaasPatienceMs: number;
  /** How long a connection to a keep may stand still. */
  readonly silenceMs: number;
  readonly limits: UploadLimits;
  readonly remote: RemoteConfig;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
  readonly works: InstanceWorks;
  /** Bytes that keeps fetched so far of inputs that are not there yet, by key of the instances this process brings up. */
  readonly fetching: Map<string, number>;
}

/** The same within one namespace: what one request, or one instance, has to do with. */
export interface CcfaasContext extends CcfaasParts {
  readonly namespace: string;
  readonly vaas: VaasClient;
}

/** The context of a namespace. */
export function within(parts: CcfaasParts, namespace: string): CcfaasContext {
  return { ...parts, namespace, vaas: parts.vaasIn(namespace) };
}

/**
 * The context of a request.
 * @throws ControlError NAMESPACE_INVALID
 */
export function contextOf(
  parts: CcfaasParts,
  request: Parameters<typeof namespaceOf>[0],
): CcfaasContext {
  return within(parts, namespaceOf(request));
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
