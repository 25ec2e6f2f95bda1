// `evidence expect`: what a platform will say it launched, computed from the very files that it is given.
import { toHex, webCrypto } from "@holdfast/core";
import {
  EvidenceError,
  type LaunchedGuestWithProcessors,
  parseSevFirmware,
  type StartedKernel,
  sevEsLaunchDigest,
  sevLaunchDigest,
  snpLaunchDigest,
  tdxBootRegisters,
  tdxLaunchDigest,
} from "@holdfast/evidence";
import { CliError } from "../errors.ts";
import { readSmallFile, sizeOfFile } from "../files.ts";
import { checkLaunchOptions, type LaunchOptions, type LaunchPlatform } from "./launch-options.ts";

/** A file that went into a digest. */
export interface LaunchInput {
  readonly role: string;
  readonly path: string;
  readonly sha256: string;
}

/** What to expect. */
export interface ExpectedLaunch {
  readonly platform: LaunchPlatform;
  /** Digests in hexadecimal, by the names that claims have. */
  readonly expected: Readonly<Record<string, string>>;
  readonly inputs: readonly LaunchInput[];
  /** SEV_FEATURES that the processors are measured with; SNP alone. */
  readonly guestFeatures?: bigint;
}

/** The longest firmware that is measured; TDX firmware is shorter. */
const MAXIMUM_FIRMWARE = 64 * 1024 * 1024;
/** A kernel or initial RAM disk, whole in memory. */
const MAXIMUM_STARTED = 1024 * 1024 * 1024;
/** SNPActive: what every SNP guest has. */
const SNP_ACTIVE = 1n;
/** What to try about firmware that can't be measured, by what is wrong with it. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /hashes of a kernel/,
    "give firmware that checks kernels, such as OVMF of AmdSevX64; or leave --kernel out, when the guest starts from its disk",
  ],
  [/no TDX metadata/, "this firmware is not made for TDX; OVMF of IntelTdxX64 or OvmfPkgX64 is"],
  [/reset block|table of entries/, "this firmware is not made for SEV-ES; OVMF since 2021 is"],
  [/not a PE image/, "give the kernel as the boot loader gets it: a bzImage with its EFI stub"],
];

/** Computes the digests. */
export async function expectedLaunch(
  platform: LaunchPlatform,
  options: LaunchOptions,
): Promise<ExpectedLaunch> {
  checkLaunchOptions(platform, options);
  const files = new LaunchFiles();
  const firmware = await files.read(options.firmware, "firmware", MAXIMUM_FIRMWARE);
  const started = await startedOf(files, options);
  const features = options.guestFeatures ?? SNP_ACTIVE;
  const guest: LaunchedGuestWithProcessors = {
    firmware,
    ...(started === undefined ? {} : { started }),
    processors: options.vcpus ?? 0,
    start: {
      hypervisor: options.hypervisor ?? "qemu",
      signature: options.vcpuType ?? 0,
      features,
    },
  };
  try {
    const expected = await digestsOf(platform, guest, options);
    return {
      platform,
      expected: Object.fromEntries(
        Object.entries(expected).map(([name, digest]) => [name, toHex(digest)]),
      ),
      inputs: files.inputs,
      ...(platform === "sev-snp" ? { guestFeatures: features } : {}),
    };
  } catch (thrown) {
    if (!(thrown instanceof EvidenceError)) throw thrown;
    const [, hint] = HINTS.find(([pattern]) => pattern.test(thrown.message)) ?? [];
    throw new CliError("CLI_INPUT", `${platform} can't be launched so: ${thrown.message}`, {
      hint: hint ?? "see that the files are whole, and the ones that the hypervisor is given",
    });
  }
}

async function digestsOf(
  platform: LaunchPlatform,
  guest: LaunchedGuestWithProcessors,
  { firmwareDigest, pageOrder }: LaunchOptions,
): Promise<Readonly<Record<string, Uint8Array>>> {
  switch (platform) {
    case "sev":
      // Nothing of it is read when no kernel is given: a wrong file would have a digest as well.
      parseSevFirmware(guest.firmware);
      return { launchDigest: await sevLaunchDigest(guest, webCrypto) };
    case "sev-es":
      return { launchDigest: await sevEsLaunchDigest(guest, webCrypto) };
    case "sev-snp":
      return { measurement: await snpLaunchDigest(guest, webCrypto, firmwareDigest) };
    case "tdx":
      return await tdDigests(guest.firmware, guest.started, pageOrder);
  }
}

async function tdDigests(
  firmware: Uint8Array,
  started: StartedKernel | undefined,
  order: LaunchOptions["pageOrder"],
): Promise<Readonly<Record<string, Uint8Array>>> {
  const mrTd = await tdxLaunchDigest(firmware, webCrypto, order);
  if (started === undefined) return { mrTd };
  const { rtmr1, rtmr2 } = await tdxBootRegisters(started, webCrypto);
  return { mrTd, rtMr1: rtmr1, rtMr2: rtmr2 };
}

async function startedOf(
  files: LaunchFiles,
  { kernel, initrd, commandLine }: LaunchOptions,
): Promise<StartedKernel | undefined> {
  if (kernel === undefined) return undefined;
  return {
    kernel: await files.read(kernel, "kernel", MAXIMUM_STARTED),
    ...(initrd === undefined
      ? {}
      : { initrd: await files.read(initrd, "initrd", MAXIMUM_STARTED) }),
    ...(commandLine === undefined ? {} : { commandLine }),
  };
}

/** Files as they are read, remembered by digest so that a digest can be traced to what it is of. */
class LaunchFiles {
  readonly inputs: LaunchInput[] = [];

  async read(path: string, role: string, maximum: number): Promise<Uint8Array> {
    // No more memory than the file needs, however large it may be.
    const size = await sizeOfFile(path, role);
    const bytes = await readSmallFile(path, role, Math.min(size, maximum));
    this.inputs.push({ role, path, sha256: toHex(await webCrypto.digest("SHA-256", bytes)) });
    return bytes;
  }
}
