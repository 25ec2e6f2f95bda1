// The attestation service as a keep needs it: a challenge, and a certificate for evidence over it.
import { fromBase64, toBase64 } from "@holdfast/core";
import { BootError } from "../errors.ts";
import type { Relay } from "./relay.ts";

/** A challenge to answer with evidence. */
export interface Challenge {
  readonly id: string;
  readonly nonce: Uint8Array;
}

/** What the keep hands in. */
export interface CertificateRequest {
  readonly challengeId: string;
  readonly evidence: Uint8Array;
  /** Certification request, DER. */
  readonly request: Uint8Array;
}

/** The attestation service, as a port. */
export interface AttestationService {
  challenge(): Promise<Challenge>;
  /** Leaf and authority, PEM. */
  certificate(request: CertificateRequest): Promise<string>;
}

const NONCE_BYTES = 32;

/** The service behind a relay. Every method throws BootError BOOT_SERVICE or BOOT_REFUSED. */
export function attestationServiceOver(relay: Relay): AttestationService {
  return {
    async challenge() {
      const answer = await post(relay, "/v1/challenges", {});
      return { id: text(answer, "challenge_id"), nonce: readNonce(text(answer, "nonce")) };
    },
    async certificate({ challengeId, evidence, request }) {
      const answer = await post(relay, "/v1/certificates", {
        challenge_id: challengeId,
        evidence: toBase64(evidence),
        csr: toBase64(request),
      });
      return text(answer, "chain_pem");
    },
  };
}

/** A service whose next challenge can be asked for before it is needed, while there is something else to do. */
export interface ForesightedService extends AttestationService {
  askAhead(): void;
}

/** The same service, foresighted. */
export function foresighted(service: AttestationService): ForesightedService {
  let ahead: Promise<Challenge> | undefined;
  return {
    askAhead() {
      ahead = service.challenge();
      // Whoever needs it hears of its failure.
      ahead.catch(() => undefined);
    },
    challenge() {
      const next = ahead ?? service.challenge();
      ahead = undefined;
      return next;
    },
    certificate: (request) => service.certificate(request),
  };
}

type Answer = Readonly<Record<string, unknown>>;

async function post(relay: Relay, path: string, request: Answer): Promise<Answer> {
  const { status, body } = await relay.post(path, request);
  const answer = readJson(body);
  if (status !== 201) {
    const code = typeof answer?.["code"] === "string" ? answer["code"].slice(0, 64) : "no code";
    throw new BootError(
      "BOOT_REFUSED",
      `the attestation service refused ${path}: ${status} ${code}`,
    );
  }
  if (answer !== undefined) return answer;
  throw new BootError("BOOT_SERVICE", "the attestation service did not answer in JSON");
}

function readJson(body: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Answer) : undefined;
  } catch {
    return undefined;
  }
}

function text(answer: Answer, name: string): string {
  const value = answer[name];
  if (typeof value === "string") return value;
  throw new BootError("BOOT_SERVICE", `the attestation service's answer has no ${name}`);
}

function readNonce(base64: string): Uint8Array {
  try {
    const nonce = fromBase64(base64);
    if (nonce.length === NONCE_BYTES) return nonce;
  } catch {
    // Said below.
  }
  throw new BootError("BOOT_SERVICE", `the challenge is not ${NONCE_BYTES} bytes in base64`);
}
