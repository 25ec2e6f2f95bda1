// What VaaS asks the attestation service: the authority that keeps' certificates will chain to.
import {
  fromPem,
  type HttpTransport,
  messageOf,
  parseCertificate,
  readBody,
  toText,
} from "@holdfast/core";
import { ControlError } from "../errors.ts";

/** The attestation service, as far as VaaS needs it. */
export interface Attestation {
  /** host:port, as policies name it. */
  readonly address: string;
  /** @throws ControlError ATTESTATION_UNREACHABLE */
  authority(): Promise<string>;
}

const TIMEOUT_MS = 10_000;
const MAXIMUM_ANSWER = 256 * 1024;

/** The attestation service at a URL, which is also where its transport leads. */
export function attestationAt(url: string, transport: HttpTransport): Attestation {
  return {
    address: new URL(url).host,
    async authority() {
      try {
        const { status, body } = await transport.request({
          method: "GET",
          path: "/v1/authority",
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        const bytes = await readBody(body, MAXIMUM_ANSWER);
        if (status !== 200 || bytes === undefined) throw new Error(`it answered ${status}`);
        return certificateOf(JSON.parse(toText(bytes)));
      } catch (cause) {
        throw new ControlError(
          503,
          "ATTESTATION_UNREACHABLE",
          `the attestation service at ${url} does not name its authority: ${messageOf(cause)}`,
          { cause },
        );
      }
    },
  };
}

function certificateOf(answer: unknown): string {
  const { certificate_pem: pem } = answer as { certificate_pem?: unknown };
  if (typeof pem !== "string") throw new Error("its answer has no certificate");
  for (const der of fromPem("CERTIFICATE", pem)) parseCertificate(der);
  return pem.trimEnd();
}
