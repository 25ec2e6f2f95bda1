// How a keep comes by its certificate: a fresh key, a request that carries the policy hash, evidence over both and the
// service's challenge, and a chain that the keep judges exactly as its clients will.
import { createHash } from "node:crypto";
import type { Attester } from "@holdfast/attester";
import {
  chainOf,
  judgeKeep,
  type KeepCredentials,
  type KeepKey,
  type KeepVerdict,
  newKeepKey,
} from "@holdfast/channel";
import {
  type Clock,
  equalBytes,
  fromHex,
  messageOf,
  parseCertificate,
  unmet,
} from "@holdfast/core";
import type { Policy } from "@holdfast/policy";
import { BootError } from "../errors.ts";
import type { AttestationService } from "./attestation-service.ts";

/** Whom a keep proves itself to, and by what. */
export interface Platform {
  readonly device: Attester;
  readonly service: AttestationService;
  readonly clock: Clock;
}

/** What attestation needs. */
export interface AttestDeps extends Platform {
  readonly policy: Policy;
  /** Lower-case hexadecimal. */
  readonly policyHash: string;
}

/** A keep that has proven itself. */
export interface AttestedKeep extends KeepCredentials {
  readonly key: KeepKey;
  readonly verdict: KeepVerdict;
  readonly measurement: string;
}

/** Stands in the requests of keeps. */
export const UNIT = "Compute Enclave";

/**
 * Attests the keep.
 * @param known the key that is certified again on renewal, so that fresh evidence binds the key of connections that
 *   were made before as well; a new one is made when absent
 * @throws BootError BOOT_SERVICE, BOOT_REFUSED, BOOT_EVIDENCE, BOOT_CERTIFICATE
 */
export async function attestKeep(deps: AttestDeps, known?: KeepKey): Promise<AttestedKeep> {
  const { key, chainPem, chain } = await certified(
    deps,
    known ?? newKeepKey(fromHex(deps.policyHash), UNIT),
  );
  const verdict = await judgeOwn(chain, deps);
  return {
    key,
    privateKey: key.privateKey,
    chainPem,
    verdict,
    measurement: verdict.measurement ?? "",
  };
}

/**
 * A chain for the key over fresh evidence. The key may still be in the making while the service is asked for its challenge.
 * @throws BootError BOOT_SERVICE, BOOT_REFUSED, BOOT_EVIDENCE, BOOT_CERTIFICATE
 */
export async function certified(
  { device, service }: Platform,
  making: KeepKey | Promise<KeepKey>,
): Promise<{ key: KeepKey; chainPem: string; chain: Uint8Array[] }> {
  const [challenge, key] = await Promise.all([service.challenge(), making]);
  const evidence = await evidenceOver(device, key, challenge.nonce);
  const chainPem = await service.certificate({
    challengeId: challenge.id,
    evidence,
    request: key.request,
  });
  const chain = readChain(chainPem);
  const [leaf] = chain;
  if (leaf === undefined || !equalBytes(parseCertificate(leaf).spki, key.spki)) {
    throw new BootError("BOOT_CERTIFICATE", "the certificate is for another key");
  }
  return { key, chainPem, chain };
}

/**
 * Evidence that binds a nonce and a request: of a keep's key, for its certificate, or for a key of an input.
 * @throws BootError BOOT_EVIDENCE
 */
export async function evidenceOver(
  device: Attester,
  { request }: Pick<KeepKey, "request">,
  nonce: Uint8Array,
): Promise<Uint8Array> {
  const userData = createHash("sha256").update(request).digest();
  try {
    return await device.attest({ nonce, userData: new Uint8Array(userData) });
  } catch (cause) {
    throw new BootError("BOOT_EVIDENCE", `no evidence from the platform: ${messageOf(cause)}`, {
      cause,
    });
  }
}

async function judgeOwn(
  chain: readonly Uint8Array[],
  { policy, policyHash, clock }: AttestDeps,
): Promise<KeepVerdict> {
  const verdict = await judgeKeep({ chain, policy, policyHash, at: clock.now() });
  const [fault] = unmet(verdict.checks);
  if (!verdict.affirmed) {
    throw new BootError(
      "BOOT_CERTIFICATE",
      `clients would refuse the certificate: ${fault?.name}: ${fault?.detail}`,
    );
  }
  return verdict;
}

function readChain(chainPem: string): Uint8Array[] {
  try {
    const chain = chainOf(chainPem);
    for (const der of chain) parseCertificate(der);
    return chain;
  } catch (cause) {
    throw new BootError("BOOT_CERTIFICATE", `the chain can't be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}
