// The way to the attestation service: the loader carries requests there and answers back. So the keep's process needs no
// network of its own once its door is open. The loader could alter what it carries; the certificate that comes back counts
// only when it verifies under the policy's anchor and is for the keep's own key.
import { BootError } from "../errors.ts";
import { type LoaderCalls, readAnswer } from "./loader-calls.ts";

/** What the service answered. */
export interface RelayAnswer {
  readonly status: number;
  readonly body: string;
}

/** Posts JSON to the attestation service. */
export interface Relay {
  /** @throws BootError BOOT_SERVICE */
  post(path: string, body: Readonly<Record<string, unknown>>): Promise<RelayAnswer>;
}

/** A relay through the loader. */
export function relayOver(calls: LoaderCalls): Relay {
  return {
    async post(path, body) {
      const { status, body: answer, error } = readAnswer(await calls({ path, body }));
      if (typeof status === "number" && typeof answer === "string") return { status, body: answer };
      const text = typeof error === "string" ? error.slice(0, 256) : "its answer can't be read";
      throw new BootError("BOOT_SERVICE", `no way to the attestation service: ${text}`);
    },
  };
}
