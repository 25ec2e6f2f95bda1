// The server side: TLS 1.3 only, the policy's suite, a client certificate that is byte for byte one of the policy's.
import { constants, type KeyObject } from "node:crypto";
import type { TLSSocket, TlsOptions } from "node:tls";
import { equalBytes, fromPem, parseCertificate, toPem } from "@holdfast/core";
import type { Policy, PolicyIdentity } from "@holdfast/policy";

/** Key exchange groups in order: the hybrid post-quantum one first (draft-ietf-tls-ecdhe-mlkem). */
export const PREFERRED_GROUPS = "X25519MLKEM768:X25519:P-256:P-384";

/** What the keep presents. */
export interface KeepCredentials {
  readonly privateKey: KeyObject;
  /** Leaf and authority, PEM. */
  readonly chainPem: string;
}

/**
 * TLS options of a keep's server. The handshake proves that the peer has the key of the certificate it shows, and no
 * more: whoever uses these options must ask `identityOfPeer` whether it is one of the policy's. Building a chain would
 * not tell: that goes by names, and identities may share one, as those of the original user program do.
 */
export function keepServerOptions(policy: Policy, credentials: KeepCredentials): TlsOptions {
  return {
    key: credentials.privateKey.export({ type: "pkcs8", format: "pem" }),
    cert: credentials.chainPem,
    // For clients that choose among their certificates by what is asked for.
    ca: policy.identities.map(({ certificateDer }) => toPem("CERTIFICATE", certificateDer)),
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
    ciphers: opensslSuite(policy.ciphersuite),
    ecdhCurve: PREFERRED_GROUPS,
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: 10_000,
    // Tickets would let a session outlive the check of its certificate.
    secureOptions: constants.SSL_OP_NO_TICKET,
    sessionTimeout: 1,
  };
}

/**
 * The identity whose certificate the peer presented, byte for byte and within its dates.
 * @returns undefined when it is nobody's: the connection must be refused
 */
export function identityOfPeer(
  socket: TLSSocket,
  policy: Policy,
  at: Date,
): PolicyIdentity | undefined {
  const raw = socket.getPeerX509Certificate()?.raw;
  if (raw === undefined) return undefined;
  const identity = policy.identities.find(({ certificateDer }) => equalBytes(certificateDer, raw));
  if (identity === undefined) return undefined;
  const { notBefore, notAfter } = parseCertificate(identity.certificateDer);
  return at >= notBefore && at <= notAfter ? identity : undefined;
}

/** OpenSSL's name of a suite in a policy: `TLS1_3_AES_128_GCM_SHA256` is `TLS_AES_128_GCM_SHA256`. */
export function opensslSuite(suite: string): string {
  return suite.replace(/^TLS1_3_/, "TLS_");
}

/** The certificates of a PEM chain, DER, in order. */
export function chainOf(pem: string): Uint8Array[] {
  return fromPem("CERTIFICATE", pem);
}
