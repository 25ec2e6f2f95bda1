// AWS signature version 4 of a request, checked by signing the request again with the secret we know.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { SignatureV4 } from "@smithy/signature-v4";

/** Who may use the store. */
export interface StoreCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** A refusal in S3's words, or the digest the body must have when the signature covers it. */
export type SignatureVerdict =
  | { readonly accepted: true; readonly bodySha256?: string }
  | { readonly accepted: false; readonly code: string; readonly message: string };

const HEADER =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;
const MAXIMUM_SKEW_MS = 15 * 60 * 1000;
const UNSIGNED_BODIES = ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"];

/** Checks a request's signature, its key, region and date. Signatures in the query are not taken. */
export async function checkSignature(
  request: IncomingMessage,
  credentials: StoreCredentials,
  now: Date,
): Promise<SignatureVerdict> {
  const header = request.headers.authorization;
  if (header === undefined) return refused("AccessDenied", "the request is not signed");
  const [, keyId, day, region, signedNames, signature] = HEADER.exec(header) ?? [];
  if (signature === undefined || signedNames === undefined || day === undefined) {
    return refused("AuthorizationHeaderMalformed", "only AWS signature version 4 is taken");
  }
  if (keyId !== credentials.accessKeyId) {
    return refused("InvalidAccessKeyId", "the access key id does not exist");
  }
  if (region !== credentials.region) {
    return refused("AuthorizationHeaderMalformed", `the region is ${credentials.region}`);
  }
  const date = parseAmzDate(request.headers["x-amz-date"]);
  if (date === undefined || !amzDate(date).startsWith(day)) {
    return refused("AccessDenied", "x-amz-date is missing or is of another day");
  }
  if (Math.abs(now.getTime() - date.getTime()) > MAXIMUM_SKEW_MS) {
    return refused("RequestTimeTooSkewed", "the request's time and ours differ too much");
  }
  const names = signedNames.split(";");
  if (!coversWhatMatters(request, names)) {
    return refused("AccessDenied", "host and every x-amz header must be signed");
  }
  const wanted = await signAgain(request, names, credentials, date);
  if (!timingSafeEqual(Buffer.from(signature, "hex"), Buffer.from(wanted, "hex"))) {
    return refused("SignatureDoesNotMatch", "the signature is not that of the secret we know");
  }
  return bodyRule(request);
}

/** The part of a Node request that a signature covers. */
async function signAgain(
  request: IncomingMessage,
  names: readonly string[],
  credentials: StoreCredentials,
  signingDate: Date,
): Promise<string> {
  const url = new URL(request.url ?? "/", "http://store");
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name);
    query[name] = values.length === 1 ? (values[0] ?? "") : values;
  }
  const signer = new SignatureV4({
    credentials,
    region: credentials.region,
    service: "s3",
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: request.method ?? "GET",
      protocol: "http:",
      hostname: "store",
      // As sent, not as a URL parser would write it.
      path: (request.url ?? "/").split("?")[0] ?? "/",
      query,
      headers: Object.fromEntries(names.map((name) => [name, headerText(request, name)])),
    },
    { signingDate, signableHeaders: new Set(names) },
  );
  return /Signature=([0-9a-f]{64})$/.exec(signed.headers["authorization"] ?? "")?.[1] ?? "00";
}

function coversWhatMatters(request: IncomingMessage, names: readonly string[]): boolean {
  const must = Object.keys(request.headers).filter((name) => name.startsWith("x-amz-"));
  return ["host", "x-amz-content-sha256", ...must].every((name) => names.includes(name));
}

function bodyRule(request: IncomingMessage): SignatureVerdict {
  const rule = headerText(request, "x-amz-content-sha256");
  if (UNSIGNED_BODIES.includes(rule)) return { accepted: true };
  if (/^[0-9a-f]{64}$/.test(rule)) return { accepted: true, bodySha256: rule };
  return refused("InvalidRequest", "x-amz-content-sha256 is not a digest we know");
}

function headerText(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(",") : (value ?? "");
}

function parseAmzDate(value: string | string[] | undefined): Date | undefined {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(typeof value === "string" ? value : "") ?? [];
  if (second === undefined) return undefined;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function amzDate(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d{3}/g, "");
}

function refused(code: string, message: string): SignatureVerdict {
  return { accepted: false, code, message };
}

/** SHA-256 and its HMAC in the form the signer asks for. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash("sha256") : createHmac("sha256", secretBytes(secret));
  }

  update(part: Uint8Array): void {
    this.#hash.update(part);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    throw new Error("a digest is used once");
  }
}

function secretBytes(secret: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof secret === "string") return secret;
  return ArrayBuffer.isView(secret)
    ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
    : new Uint8Array(secret);
}
