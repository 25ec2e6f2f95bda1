// A TLS socket to a keep, judged before anyone may write to it. Chains and dates are judged by our own verifier, so
// Node's is told to keep out of it.
import { type DetailedPeerCertificate, type TLSSocket, connect as tlsConnect } from "node:tls";
import { type Clock, messageOf, unmet } from "@holdfast/core";
import type { Policy } from "@holdfast/policy";
import { ChannelError } from "./errors.ts";
import { judgeKeep, type KeepVerdict, type SkippableCheck } from "./judge-keep.ts";
import type { ClientIdentity } from "./keys.ts";
import { PREFERRED_GROUPS } from "./serve-keep.ts";
import type { Inbox } from "./wire/inbox.ts";

/** How to reach and judge a keep. */
export interface OpenOptions {
  readonly policy: Policy;
  /** Without one the keep can be judged, but takes no request. */
  readonly identity?: ClientIdentity;
  readonly clock: Clock;
  readonly skip?: ReadonlySet<SkippableCheck>;
  /** For connecting, and for silence on a connection, in milliseconds; 30 s by default. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A socket to a keep that proved itself. */
export interface Judged {
  readonly socket: TLSSocket;
  readonly verdict: KeepVerdict;
}

const MAXIMUM_CHAIN = 6;

/**
 * Opens a socket to the keep that a policy names and judges the keep.
 * @param hash SHA-256 of the policy text, lower-case hexadecimal
 * @param inbox where the socket's bytes go, instead of into its stream
 * @throws ChannelError CHANNEL_UNREACHABLE, CHANNEL_TIMEOUT, CHANNEL_CLOSED when cancelled, CHANNEL_NOT_PROVEN
 */
export async function openJudged(
  options: OpenOptions,
  hash: string,
  inbox?: Inbox,
): Promise<Judged> {
  const socket = await openSocket(options, inbox);
  try {
    const verdict = await judgeKeep({
      chain: peerChain(socket),
      policy: options.policy,
      policyHash: hash,
      at: options.clock.now(),
      ...(options.skip === undefined ? {} : { skip: options.skip }),
    });
    if (!verdict.affirmed) {
      const [reason] = unmet(verdict.checks).filter(({ outcome }) => outcome === "failed");
      throw new ChannelError(
        "CHANNEL_NOT_PROVEN",
        `the keep does not prove itself: ${reason?.name}: ${reason?.detail}`,
        { checks: verdict.checks },
      );
    }
    return { socket, verdict };
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
}

function openSocket(
  { policy, identity, timeoutMs = 30_000, signal }: OpenOptions,
  inbox: Inbox | undefined,
): Promise<TLSSocket> {
  const { host, port } = policy.serverUrl;
  const where = `${host}:${port}`;
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      host,
      port,
      ...(identity === undefined ? {} : { cert: identity.certificatePem, key: identity.keyPem }),
      minVersion: "TLSv1.3",
      ecdhCurve: PREFERRED_GROUPS,
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: false,
      ...(inbox === undefined ? {} : { onread: inbox.onRead }),
    });
    const settle = (): void => {
      clearTimeout(limit);
      signal?.removeEventListener("abort", abort);
      // Whoever takes it over listens for itself; until then a fault must not be nobody's.
      socket.removeAllListeners("error").on("error", () => socket.destroy());
      socket.off("close", onClose);
    };
    const fail = (error: ChannelError): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const unreachable = (cause?: unknown): void => {
      const why = cause === undefined ? "it was closed" : messageOf(cause);
      const options = cause === undefined ? {} : { cause };
      fail(new ChannelError("CHANNEL_UNREACHABLE", `no connection to ${where}: ${why}`, options));
    };
    const onClose = (): void => unreachable();
    const abort = (): void => fail(new ChannelError("CHANNEL_CLOSED", "cancelled"));
    // For all of it: silence alone would let a server take for ever, one byte at a time.
    const limit = setTimeout(
      () =>
        fail(new ChannelError("CHANNEL_TIMEOUT", `${where} did not answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    socket.once("error", unreachable);
    socket.once("close", onClose);
    socket.once("secureConnect", () => {
      settle();
      resolve(socket);
    });
  });
}

function peerChain(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && chain.length < MAXIMUM_CHAIN) {
    chain.push(new Uint8Array(certificate.raw));
    if (certificate.issuerCertificate === certificate) break;
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
