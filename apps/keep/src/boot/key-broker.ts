// How a keep comes by the key of a sealed input: fresh evidence over the service's challenge and a request that names the
// key, the policy, and a public key made for this one answer; what comes back only the keep can open.
import type { Attester } from "@holdfast/attester";
import { makeReleaseRequest, openReleasedKey } from "@holdfast/channel";
import { toBase64 } from "@holdfast/core";
import { BootError, InputError } from "../errors.ts";
import { evidenceOver } from "./attest-keep.ts";
import type { AttestationService } from "./attestation-service.ts";
import type { Relay } from "./relay.ts";

/** Who has the keys of sealed inputs. */
export interface KeyBroker {
  /**
   * A key, for this keep alone.
   * @throws InputError INPUT_KEY_UNREACHABLE, INPUT_KEY_REFUSED; KeyReleaseError when what came is no key
   */
  release(name: string): Promise<Uint8Array>;
}

/** What asking takes. */
export interface KeyBrokerDeps {
  readonly relay: Relay;
  readonly service: Pick<AttestationService, "challenge">;
  readonly device: Attester;
  /** The exact text. */
  readonly policyText: string;
}

const TRY_AGAIN: readonly number[] = [408, 425, 429];

/** The broker in the attestation service. */
export function keyBrokerOver({ relay, service, device, policyText }: KeyBrokerDeps): KeyBroker {
  return {
    async release(name) {
      const { bytes: request, privateKey } = makeReleaseRequest({ name, policyText });
      const { status, body } = await unlessUnreachable(async () => {
        const challenge = await service.challenge();
        const evidence = await evidenceOver(device, { request }, challenge.nonce);
        return await relay.post(`/v1/keys/${name}/release`, {
          challenge_id: challenge.id,
          evidence: toBase64(evidence),
          request: toBase64(request),
        });
      });
      if (status === 200) return openReleasedKey(privateKey, sealedIn(body));
      const text = `the attestation service does not release key ${name}: ${status}`;
      const isFinal = status >= 400 && status < 500 && !TRY_AGAIN.includes(status);
      throw new InputError(isFinal ? "INPUT_KEY_REFUSED" : "INPUT_KEY_UNREACHABLE", text);
    },
  };
}

async function unlessUnreachable<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof BootError)) throw cause;
    throw new InputError("INPUT_KEY_UNREACHABLE", cause.message, { cause });
  }
}

function sealedIn(body: string): unknown {
  try {
    return (JSON.parse(body) as { jwe?: unknown } | null)?.jwe;
  } catch {
    // Opening nothing says what is wrong.
    return undefined;
  }
}
