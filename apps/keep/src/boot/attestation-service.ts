// The attestation service as a keep needs it: a challenge, and a certificate for evidence over it. The service is
// reached over plain HTTP; what it answers counts only when its certificate chain verifies under the policy's anchor.
import { type IncomingMessage, request } from "node:http";
import { fromBase64, messageOf, readBody, toBase64, toText } from "@holdfast/core";
import { BootError } from "../errors.ts";

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

const MAXIMUM_ANSWER = 256 * 1024;
const NONCE_BYTES = 32;
const TIMEOUT_MS = 15_000;

/** The service at a URL. Every method throws BootError BOOT_SERVICE or BOOT_REFUSED. */
export function attestationServiceAt(url: URL): AttestationService {
  return {
    async challenge() {
      const answer = await post(url, "/v1/challenges", {});
      const nonce = readNonce(text(answer, "nonce"));
      return { id: text(answer, "challenge_id"), nonce };
    },
    async certificate({ challengeId, evidence, request: csr }) {
      const answer = await post(url, "/v1/certificates", {
        challenge_id: challengeId,
        evidence: toBase64(evidence),
        csr: toBase64(csr),
      });
      return text(answer, "chain_pem");
    },
  };
}

type Answer = Readonly<Record<string, unknown>>;

async function post(url: URL, path: string, body: Answer): Promise<Answer> {
  const where = `attestation service ${url.host}`;
  const { status, bytes } = await exchange(url, path, JSON.stringify(body)).catch((cause) => {
    throw new BootError("BOOT_SERVICE", `${where} can't be reached: ${messageOf(cause)}`, {
      cause,
    });
  });
  if (bytes === undefined) {
    throw new BootError("BOOT_SERVICE", `${where} answered over ${MAXIMUM_ANSWER} bytes`);
  }
  const answer = readJson(bytes);
  if (status !== 201) {
    const code = typeof answer?.["code"] === "string" ? answer["code"].slice(0, 64) : "no code";
    throw new BootError("BOOT_REFUSED", `${where} refused ${path}: ${status} ${code}`);
  }
  if (answer === undefined) throw new BootError("BOOT_SERVICE", `${where} did not answer in JSON`);
  return answer;
}

async function exchange(
  url: URL,
  path: string,
  body: string,
): Promise<{ status: number; bytes: Uint8Array | undefined }> {
  const call = request(new URL(path, url), {
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    call.once("response", resolve);
    call.once("error", reject);
  });
  call.end(body);
  const response = await answered;
  return { status: response.statusCode ?? 0, bytes: await readBody(response, MAXIMUM_ANSWER) };
}

function readJson(bytes: Uint8Array): Answer | undefined {
  try {
    const value: unknown = JSON.parse(toText(bytes));
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
