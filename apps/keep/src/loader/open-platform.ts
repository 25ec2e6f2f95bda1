// Opens what evidence comes from: the simulated module, made here, or the machine's own behind /dev/nsm.
import { randomBytes } from "node:crypto";
import {
  type Attester,
  createNsmAttester,
  createSimulatedNsm,
  openSimulatedAuthority,
  simulatedPcrs,
} from "@holdfast/attester";
import { systemClock } from "@holdfast/core";
import { parseNitroDocument } from "@holdfast/evidence";
import { LoaderError, type Platform } from "./config.ts";
import { type MeasuredBundle, measurementOf } from "./measure-bundle.ts";

/** A platform for one keep. */
export interface OpenPlatform {
  readonly nsm: Attester;
  /** What evidence will say runs here, as policies name it. */
  readonly measurement: string;
  close(): void;
}

/**
 * Opens a platform.
 * @throws AttesterError when its device can't be used; LoaderError LOADER_PLATFORM when it measures nothing
 */
export async function openPlatform(
  platform: Platform,
  bundle: MeasuredBundle,
): Promise<OpenPlatform> {
  if (platform.kind === "simulated-nitro") {
    const authority = await openSimulatedAuthority(platform.authorityDir, systemClock);
    const nsm = createSimulatedNsm({
      authority,
      pcrs: simulatedPcrs(bundle.pcr0),
      moduleId: `i-simulated-enc${randomBytes(8).toString("hex")}`,
      clock: systemClock,
    });
    return { nsm, measurement: bundle.measurement, close: () => undefined };
  }
  const nsm = createNsmAttester({ device: platform.device });
  try {
    // What was measured there is the enclave's whole image: only the module knows it. A device that is none shows here.
    const { pcrs } = parseNitroDocument(await nsm.attest({}));
    const image = pcrs.get(0);
    if (image === undefined) throw new LoaderError("LOADER_PLATFORM", "the module has no PCR0");
    return { nsm, measurement: measurementOf(image), close: () => nsm.close() };
  } catch (thrown) {
    nsm.close();
    throw thrown;
  }
}
