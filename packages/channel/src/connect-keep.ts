// The client side: TLS 1.3 to the address in the policy, the keep judged on every new socket before a byte of any
// request goes out.
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { type HttpTransport, messageOf } from "@holdfast/core";
import { type Policy, policyHash } from "@holdfast/policy";
import { ChannelError } from "./errors.ts";
import type { KeepVerdict } from "./judge-keep.ts";
import type { ClientIdentity } from "./keys.ts";
import { type Judged, type OpenOptions, openJudged } from "./open-judged.ts";
import { Inbox } from "./wire/inbox.ts";
import { Wire, type WireOptions } from "./wire/wire.ts";
import { Wires } from "./wire/wires.ts";

/** How to reach and judge a keep, and as whom. */
export interface ConnectOptions extends OpenOptions {
  readonly identity: ClientIdentity;
}

/** A judged connection; further sockets to the same keep are judged the same way. */
export interface KeepConnection extends HttpTransport {
  readonly verdict: KeepVerdict;
  close(): void;
}

/**
 * Connects to the keep that a policy names and judges it.
 * @throws ChannelError CHANNEL_IDENTITY when certificate and key don't belong together, CHANNEL_UNREACHABLE,
 *   CHANNEL_TIMEOUT, CHANNEL_NOT_PROVEN with the checks when the keep does not prove itself
 */
export async function connectKeep(options: ConnectOptions): Promise<KeepConnection> {
  checkIdentity(options.identity);
  const hash = await policyHash(options.policy.text);
  const { timeoutMs = 30_000, policy } = options;
  const open = async (how: OpenOptions): Promise<Omit<WireOptions, "watch"> & Judged> => {
    const inbox = new Inbox();
    return { inbox, timeoutMs, ...(await openJudged(how, hash, inbox)) };
  };
  const first = await open(options);
  // The signal is for connecting: who gives up later must still be able to say so to the keep.
  const { signal: _, ...later } = options;
  const wires = new Wires(
    authorityOf(policy.serverUrl),
    async (watch) => new Wire({ ...(await open(later)), watch }),
  );
  wires.adopt((watch) => new Wire({ ...first, watch }));
  return {
    verdict: first.verdict,
    request: (request) => wires.exchange(request),
    close: () => wires.close(),
  };
}

/** As the Host field writes it (RFC 9110 section 7.2). */
function authorityOf({ host, port }: Policy["serverUrl"]): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function checkIdentity({ certificatePem, keyPem }: ClientIdentity): void {
  try {
    const certificate = new X509Certificate(certificatePem);
    const own = createPublicKey(createPrivateKey(keyPem));
    if (certificate.publicKey.equals(own)) return;
  } catch (cause) {
    throw new ChannelError(
      "CHANNEL_IDENTITY",
      `certificate or key can't be read: ${messageOf(cause)}`,
      { cause },
    );
  }
  throw new ChannelError("CHANNEL_IDENTITY", "the private key does not belong to the certificate");
}
