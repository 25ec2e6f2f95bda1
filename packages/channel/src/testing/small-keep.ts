// A small keep for the tests of this room: an authority, a policy that names it, and a TLS server that presents what
// the test wants it to present.
import { createServer, type Server } from "node:https";
import { type AddressInfo, createServer as createNetServer } from "node:net";
import type { TLSSocket } from "node:tls";
import {
  basicConstraints,
  type Clock,
  createCertificate,
  encodeName,
  fromHex,
  keyUsage,
  parseCertificate,
  toPem,
} from "@holdfast/core";
import { composeFullPolicy, type Policy, parsePolicy, policyHash } from "@holdfast/policy";
import {
  type ClientIdentity,
  identityOfPeer,
  type KeepKey,
  keepExtensions,
  keepServerOptions,
  newIdentity,
  newKeepKey,
  newSerial,
  type Platform,
  signWith,
} from "../index.ts";

/** What the tests measure with. */
export const MEASUREMENT = "5a".repeat(32);
const HOUR = 60 * 60 * 1000;

/** An authority like the attestation service's. */
export interface Authority {
  readonly certificatePem: string;
  readonly certificateDer: Uint8Array;
  readonly key: KeepKey;
}

/** A fault to build into a keep's certificate. */
export interface LeafChange {
  readonly measurement?: string;
  readonly policyHash?: string;
  readonly platform?: Platform;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly withoutClaims?: boolean;
}

/** Makes an authority. */
export async function newAuthority(clock: Clock): Promise<Authority> {
  const key = await newKeepKey(new Uint8Array(32), "authority");
  const name = encodeName({ CN: "test authority" });
  const certificateDer = await createCertificate(
    {
      serial: newSerial(),
      issuer: name,
      subject: name,
      notBefore: new Date(clock.now().getTime() - 24 * HOUR),
      notAfter: new Date(clock.now().getTime() + 24 * HOUR),
      spki: key.spki,
      extensions: [basicConstraints(true, 0), keyUsage("keyCertSign")],
      algorithm: "ecdsa-sha256",
    },
    signWith(key.privateKey),
  );
  return { certificatePem: toPem("CERTIFICATE", certificateDer), certificateDer, key };
}

/** A policy with one identity, for a keep on a port. */
export function newPolicy(options: {
  authority: Authority;
  identity: ClientIdentity;
  port: number;
  clock: Clock;
  expiry?: Date;
}): Policy {
  const expiry = options.expiry ?? new Date(options.clock.now().getTime() + 24 * HOUR);
  return parsePolicy(
    composeFullPolicy(
      {
        ciphersuite: "TLS1_3_CHACHA20_POLY1305_SHA256",
        debug: false,
        enable_clock: false,
        execution_strategy: "JIT",
        max_memory_mib: 16,
        programs: [],
        identities: [{ certificate: options.identity.certificatePem, file_rights: [], id: 0 }],
        file_hashes: [],
        enclave_cert_expiry: {
          day: expiry.getUTCDate(),
          hour: expiry.getUTCHours(),
          minute: expiry.getUTCMinutes(),
          month: expiry.getUTCMonth() + 1,
          year: expiry.getUTCFullYear(),
        },
      },
      {
        serverUrl: `127.0.0.1:${options.port}`,
        attestationUrl: "127.0.0.1:3010",
        attestationCertificatePem: options.authority.certificatePem,
        nitroMeasurement: MEASUREMENT,
        now: options.clock.now(),
      },
    ),
  );
}

/** A keep's certificate from an authority, with a fault when asked. */
export async function issueLeaf(
  authority: Authority,
  key: KeepKey,
  policy: Policy,
  clock: Clock,
  change: LeafChange = {},
): Promise<Uint8Array> {
  const hash = change.policyHash ?? (await policyHash(policy.text));
  return createCertificate(
    {
      serial: newSerial(),
      issuer: parseCertificate(authority.certificateDer).subject.der,
      subject: encodeName({ CN: "keep" }),
      notBefore: change.notBefore ?? new Date(clock.now().getTime() - HOUR),
      notAfter: change.notAfter ?? new Date(clock.now().getTime() + HOUR),
      spki: key.spki,
      extensions: [
        basicConstraints(false),
        keyUsage("digitalSignature"),
        ...(change.withoutClaims
          ? []
          : keepExtensions({
              measurement: fromHex(change.measurement ?? MEASUREMENT),
              policyHash: fromHex(hash),
              platform: change.platform ?? "simulated-nitro",
            })),
      ],
      algorithm: "ecdsa-sha256",
    },
    signWith(authority.key.privateKey),
  );
}

/** Everything a connection test needs, listening. */
export interface SmallKeep {
  readonly policy: Policy;
  readonly identity: ClientIdentity;
  readonly authority: Authority;
  readonly server: Server;
  /** Identity, method and path of requests that reached the server. */
  readonly seen: string[];
  close(): Promise<void>;
}

/** Starts a keep that answers every request with its own path. */
export async function startSmallKeep(clock: Clock, change: LeafChange = {}): Promise<SmallKeep> {
  const authority = await newAuthority(clock);
  const identity = await newIdentity({ commonName: "user", clock });
  // The policy names the port, and the certificate the policy: so the port comes first.
  const port = await freePort();
  const policy = newPolicy({ authority, identity, port, clock });
  const key = await newKeepKey(fromHex(await policyHash(policy.text)), "test");
  const leaf = await issueLeaf(authority, key, policy, clock, change);
  const chainPem = toPem("CERTIFICATE", leaf) + authority.certificatePem;
  const seen: string[] = [];
  const server = createServer(
    keepServerOptions(policy, { privateKey: key.privateKey, chainPem }),
    (request, response) => {
      const identity = identityOfPeer(request.socket as TLSSocket, policy, clock.now());
      if (identity === undefined) {
        request.socket.destroy();
        return;
      }
      seen.push(`${identity.id} ${request.method} ${request.url}`);
      request.resume();
      request.once("end", () => response.end(request.url));
    },
  );
  // As the door of a true one does: a request may have come by then, which is looked at again.
  server.on("secureConnection", (socket) => {
    if (identityOfPeer(socket, policy, clock.now()) === undefined) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    policy,
    identity,
    authority,
    server,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function freePort(): Promise<number> {
  const probe = createNetServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
