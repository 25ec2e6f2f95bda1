// The typed client of the attestation service, over any transport that carries exchanges to it.
import {
  fromText,
  type HttpRequest,
  type HttpTransport,
  readBody,
  toBase64,
  toText,
} from "@holdfast/core";
import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { type AppraisalBody, AppraisalResult } from "./appraisal.ts";
import {
  AttestationAuthority,
  AttestationChallenge,
  IssuedCertificate,
  JwkSet,
} from "./attestation.ts";
import { ServiceError, ServiceRefusal } from "./errors.ts";
import { parseProblem, problem } from "./problem.ts";

const SERVICE = "attestation";
const MAXIMUM_ANSWER = 256 * 1024;

/** Speaks with one attestation service. Every method throws ServiceRefusal when it refuses. */
export class AttestationClient {
  readonly #transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.#transport = transport;
  }

  /** A nonce to make evidence over; good once, for a short time. */
  challenge(): Promise<AttestationChallenge> {
    return this.#json(AttestationChallenge, { method: "POST", path: "/v1/challenges" });
  }

  /** A certificate for the key of a request, given evidence over a challenge and that very request. */
  certify(proof: {
    challengeId: string;
    evidence: Uint8Array;
    csr: Uint8Array;
    /** SHA-256 of the authority that the keep's policy names. */
    authoritySha256?: string;
  }): Promise<IssuedCertificate> {
    const body = {
      challenge_id: proof.challengeId,
      evidence: toBase64(proof.evidence),
      csr: toBase64(proof.csr),
      ...(proof.authoritySha256 === undefined ? {} : { authority_sha256: proof.authoritySha256 }),
    };
    return this.#json(IssuedCertificate, {
      method: "POST",
      path: "/v1/certificates",
      headers: { "content-type": "application/json" },
      body: fromText(JSON.stringify(body)),
    });
  }

  /** A signed result about evidence of any party. */
  appraise(request: AppraisalBody): Promise<AppraisalResult> {
    return this.#json(AppraisalResult, {
      method: "POST",
      path: "/v1/appraisals",
      headers: { "content-type": "application/json" },
      body: fromText(JSON.stringify(request)),
    });
  }

  /** The keys to check signed results with. */
  resultKeys(): Promise<JwkSet> {
    return this.#json(JwkSet, { method: "GET", path: "/v1/jwks" });
  }

  /** Who issues, and what is accepted as evidence. */
  authority(): Promise<AttestationAuthority> {
    return this.#json(AttestationAuthority, { method: "GET", path: "/v1/authority" });
  }

  async #json<T extends TSchema>(schema: T, request: HttpRequest): Promise<Static<T>> {
    const { status, body } = await this.#transport.request(request);
    const bytes = await readBody(body, MAXIMUM_ANSWER);
    const where = `${request.method} ${request.path}`;
    if (bytes === undefined) throw badAnswer(where, `is over ${MAXIMUM_ANSWER} bytes`);
    if (status < 200 || status > 299) {
      const said = parseProblem(new TextDecoder().decode(bytes));
      const plain = `the ${SERVICE} service answered ${status} to ${where}`;
      throw new ServiceRefusal(SERVICE, said ?? problem(status, "SERVICE_ANSWER", plain));
    }
    let value: unknown;
    try {
      value = JSON.parse(toText(bytes));
    } catch (cause) {
      throw badAnswer(where, "is not JSON", cause);
    }
    if (!Value.Check(schema, value)) throw badAnswer(where, "has another shape than expected");
    return value;
  }
}

function badAnswer(where: string, fault: string, cause?: unknown): ServiceError {
  const message = `the answer of the ${SERVICE} service to ${where} ${fault}`;
  return new ServiceError("SERVICE_ANSWER", message, cause === undefined ? {} : { cause });
}
