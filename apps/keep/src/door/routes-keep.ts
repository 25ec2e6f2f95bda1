// Routes about the keep itself: status, policy, consent, evidence, shutdown.
import { fromBase64, fromHex, toBase64, toText } from "@holdfast/core";
import { KeepError } from "../errors.ts";
import { freshEvidence } from "../services/fresh-evidence.ts";
import { demandOpen } from "../services/gate.ts";
import { shutDown } from "../services/shut-down.ts";
import type { KeepState } from "../state/keep-state.ts";
import { type Answer, type Exchange, json, oneOf, type Route } from "./exchange.ts";

const MAXIMUM_CONSENT = 16 * 1024;

/** Routes about the keep itself. */
export function keepRoutes(keep: KeepState): Route[] {
  return [
    { method: "GET", path: "/v1/status", handle: () => json(statusOf(keep)) },
    { method: "HEAD", path: "/v1/status", handle: () => json(statusOf(keep)) },
    {
      method: "GET",
      path: "/v1/policy",
      handle: () => ({
        status: 200,
        headers: { "x-policy-hash": keep.policyHash },
        text: keep.policy.text,
      }),
    },
    { method: "GET", path: "/v1/consent", handle: () => json(consentOf(keep)) },
    { method: "POST", path: "/v1/consent", handle: (exchange) => takeConsent(keep, exchange) },
    { method: "GET", path: "/v1/evidence", handle: (exchange) => evidence(keep, exchange) },
    {
      method: "POST",
      path: "/v1/shutdown",
      handle: ({ caller }) => ({ status: 204, after: shutDown(keep, caller) }),
    },
  ];
}

function statusOf(keep: KeepState): Record<string, unknown> {
  const { verdict, measurement } = keep.attested;
  return {
    state: keep.ending ? "ending" : "serving",
    platform: verdict.platform,
    simulated: verdict.simulated,
    policy_hash: keep.policyHash,
    measurement,
    started_at: keep.startedAt.toISOString(),
    certificate_ends_at: verdict.notAfter.toISOString(),
    storage: { used_bytes: keep.store.usedBytes, maximum_bytes: keep.store.maximumBytes },
    runs: { running: keep.runs.running, started: keep.runs.started },
    inputs: keep.inputs.status,
  };
}

function consentOf({ consent, policyHash }: KeepState): Record<string, unknown> {
  return {
    policy_hash: policyHash,
    required: consent.required,
    given: [...consent.given].map(([identity, signature]) => ({ identity, signature })),
  };
}

async function takeConsent(keep: KeepState, { caller, body }: Exchange): Promise<Answer> {
  demandOpen(keep);
  keep.consent.give(caller, readSignature(await body.whole(MAXIMUM_CONSENT)));
  return json(consentOf(keep), 201);
}

function readSignature(bytes: Uint8Array): Uint8Array {
  try {
    const { signature } = JSON.parse(toText(bytes)) as { signature?: unknown };
    if (typeof signature === "string") return fromBase64(signature);
  } catch {
    // Said below.
  }
  throw new KeepError("REQUEST_INVALID", "an object with a base64 member signature is expected");
}

async function evidence(keep: KeepState, { query }: Exchange): Promise<Answer> {
  const nonce = readNonce(oneOf(query, "nonce"));
  const { platform, evidence: document, request } = await freshEvidence(keep, nonce);
  return json({ platform, evidence: toBase64(document), csr: toBase64(request) });
}

/** Long enough to be fresh, short enough for every platform. */
function readNonce(text: string): Uint8Array {
  if (/^(?:[0-9a-fA-F]{2}){16,64}$/.test(text)) return fromHex(text);
  throw new KeepError("REQUEST_INVALID", "nonce must be 16 to 64 bytes in hexadecimal");
}
