// The simulated Nitro Security Module: real documents, real signatures, a root that stands for nothing.
import type { Clock } from "@holdfast/core";
import { type Attester, checkInput } from "../attester.ts";
import type { SimulatedAuthority } from "./authority.ts";
import { type NitroChain, newNitroChain } from "./chain.ts";
import { encodePayload, payloadFields, signDocument } from "./document.ts";
import { messageSigner } from "./sign.ts";

/** What a simulated module is made of. */
export interface SimulatedNsmOptions {
  readonly authority: SimulatedAuthority;
  /** PCR values by index, 48 bytes each (`simulatedPcrs`). */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** Names the enclave: `i-…-enc…`. */
  readonly moduleId: string;
  readonly clock: Clock;
}

/** A leaf with less left than this is replaced before it signs. */
const LEAST_LEFT = 60 * 60 * 1000;
const PCR_COUNT = 16;
const PCR_LENGTH = 48;

/** Makes a simulated module. Its leaf certificate is renewed as it nears its end. */
export function createSimulatedNsm({
  authority,
  pcrs,
  moduleId,
  clock,
}: SimulatedNsmOptions): Attester {
  let chain: Promise<NitroChain> | undefined;
  const freshChain = async (): Promise<NitroChain> => {
    const present = await chain?.catch(() => undefined);
    const left = (present?.notAfter.getTime() ?? 0) - clock.now().getTime();
    if (present !== undefined && left > LEAST_LEFT) return present;
    chain = newNitroChain(authority, moduleId, clock);
    return await chain;
  };
  return {
    async attest(input) {
      checkInput(input);
      const { leaf, bundle, leafKey } = await freshChain();
      const timestamp = clock.now().getTime();
      const fields = payloadFields({ ...input, moduleId, timestamp, pcrs, leaf, bundle });
      return signDocument(encodePayload(fields), messageSigner(leafKey));
    },
  };
}

/**
 * The PCRs of a simulated enclave: PCR0 is what was measured, PCR1 and PCR2 fixed values that are not zero (all three
 * zero means debug), the rest zero.
 * @param image SHA-384 of the image, 48 bytes
 */
export function simulatedPcrs(image: Uint8Array): ReadonlyMap<number, Uint8Array> {
  return new Map(
    Array.from({ length: PCR_COUNT }, (_, index) => {
      if (index === 0) return [0, image];
      return [index, new Uint8Array(PCR_LENGTH).fill(index < 3 ? 0x50 + index : 0)];
    }),
  );
}
