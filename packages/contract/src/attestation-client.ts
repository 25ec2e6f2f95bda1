// The typed client of the attestation service, over any transport that carries exchanges to it.
import { type HttpRequest, type HttpTransport, readBody, toBase64, toText } from "@holdfast/core";
import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { type AppraisalBody, AppraisalResult } from "./appraisal.ts";
import {
  AttestationAuthority,
  AttestationChallenge,
  IssuedCertificate,
  JwkSet,
} from "./attestation.ts";
import { encode, jsonRequest } from "./caller.ts";
import { ServiceError, ServiceRefusal } from "./errors.ts";
import { type KeyBody, type KeyGrant, KeyList, KeyResource, ReleasedKey } from "./key-release.ts";
import { parseProblem, problem } from "./problem.ts";

const SERVICE = "attestation";
const MAXIMUM_ANSWER = 256 * 1024;
/** Of the list of all keys, with their terms. */
const MAXIMUM_LIST = 16 * 1024 * 1024;

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
    return this.#json(IssuedCertificate, jsonRequest("POST", "/v1/certificates", body));
  }

  /** A signed result about evidence of any party. */
  appraise(request: AppraisalBody): Promise<AppraisalResult> {
    return this.#json(AppraisalResult, jsonRequest("POST", "/v1/appraisals", request));
  }

  /** The keys to check signed results with. */
  resultKeys(): Promise<JwkSet> {
    return this.#json(JwkSet, { method: "GET", path: "/v1/jwks" });
  }

  /** Who issues, and what is accepted as evidence. */
  authority(): Promise<AttestationAuthority> {
    return this.#json(AttestationAuthority, { method: "GET", path: "/v1/authority" });
  }

  /** The key of a name for a keep, given evidence over a challenge and the keep's request. */
  releaseKey(
    name: string,
    bid: { challengeId: string; evidence: Uint8Array; request: Uint8Array },
  ): Promise<ReleasedKey> {
    const body = {
      challenge_id: bid.challengeId,
      evidence: toBase64(bid.evidence),
      request: toBase64(bid.request),
    };
    return this.#json(ReleasedKey, jsonRequest("POST", `${keyPath(name)}/release`, body));
  }

  /** Leaves a key with the service; the administrator's to do, as what follows is. The same again changes nothing. */
  putKey(name: string, body: KeyBody): Promise<KeyResource> {
    return this.#json(KeyResource, jsonRequest("PUT", keyPath(name), body));
  }

  /** Replaces the terms of a key. */
  grantKey(name: string, grant: KeyGrant): Promise<KeyResource> {
    return this.#json(KeyResource, jsonRequest("PUT", `${keyPath(name)}/grant`, grant));
  }

  /** What is told of a key. */
  key(name: string): Promise<KeyResource> {
    return this.#json(KeyResource, { method: "GET", path: keyPath(name) });
  }

  /** What is told of all keys, by name. */
  async keys(): Promise<readonly KeyResource[]> {
    const request = { method: "GET", path: "/v1/keys" };
    return (await this.#json(KeyList, request, MAXIMUM_LIST)).keys;
  }

  /** Deletes a key: nobody gets it any more. */
  async deleteKey(name: string): Promise<void> {
    await this.#bytes({ method: "DELETE", path: keyPath(name) });
  }

  async #json<T extends TSchema>(
    schema: T,
    request: HttpRequest,
    maximum: number = MAXIMUM_ANSWER,
  ): Promise<Static<T>> {
    const bytes = await this.#bytes(request, maximum);
    const where = `${request.method} ${request.path}`;
    let value: unknown;
    try {
      value = JSON.parse(toText(bytes));
    } catch (cause) {
      throw badAnswer(where, "is not JSON", cause);
    }
    if (!Value.Check(schema, value)) throw badAnswer(where, "has another shape than expected");
    return value;
  }

  async #bytes(request: HttpRequest, maximum: number = MAXIMUM_ANSWER): Promise<Uint8Array> {
    const { status, body } = await this.#transport.request(request);
    const bytes = await readBody(body, maximum);
    const where = `${request.method} ${request.path}`;
    if (bytes === undefined) throw badAnswer(where, `is over ${maximum} bytes`);
    if (status < 200 || status > 299) {
      const said = parseProblem(new TextDecoder().decode(bytes));
      const plain = `the ${SERVICE} service answered ${status} to ${where}`;
      throw new ServiceRefusal(SERVICE, said ?? problem(status, "SERVICE_ANSWER", plain));
    }
    return bytes;
  }
}

function keyPath(name: string): string {
  return `/v1/keys/${encode(name)}`;
}

function badAnswer(where: string, fault: string, cause?: unknown): ServiceError {
  const message = `the answer of the ${SERVICE} service to ${where} ${fault}`;
  return new ServiceError("SERVICE_ANSWER", message, cause === undefined ? {} : { cause });
}
