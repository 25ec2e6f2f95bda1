// The options of `evidence expect`, parsed, and held against what a platform measures: what it does not measure it can't be
// asked to expect.
import { fromHex } from "@holdfast/core";
import {
  type Hypervisor,
  processorSignature,
  QEMU_PROCESSORS,
  type TdPageOrder,
} from "@holdfast/evidence";
import { CliError } from "../errors.ts";

/** Platforms whose launch digests are computed. */
export const LAUNCH_PLATFORMS = ["sev", "sev-es", "sev-snp", "tdx"] as const;

/** One of them. */
export type LaunchPlatform = (typeof LAUNCH_PLATFORMS)[number];

/** What the command line says of a guest. */
export interface LaunchOptions {
  readonly firmware: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly commandLine?: string;
  readonly vcpus?: number;
  readonly vcpuType?: number;
  readonly hypervisor?: Hypervisor;
  readonly guestFeatures?: bigint;
  readonly firmwareDigest?: Uint8Array;
  readonly pageOrder?: TdPageOrder;
}

const PROCESSORS: readonly LaunchPlatform[] = ["sev-es", "sev-snp"];
/** Options that not every platform measures, and whose they are. */
const OF_SOME: readonly (readonly [
  name: keyof LaunchOptions,
  written: string,
  platforms: readonly LaunchPlatform[],
])[] = [
  ["vcpus", "--vcpus", PROCESSORS],
  ["vcpuType", "--vcpu-type", PROCESSORS],
  ["hypervisor", "--hypervisor", PROCESSORS],
  ["guestFeatures", "--guest-features", ["sev-snp"]],
  ["firmwareDigest", "--firmware-digest", ["sev-snp"]],
  ["pageOrder", "--page-order", ["tdx"]],
];

/** A platform by any of its names. */
export function parsePlatform(text: string): LaunchPlatform | undefined {
  const name = text.trim().toLowerCase().replaceAll("_", "-");
  const same: Readonly<Record<string, LaunchPlatform>> = { snp: "sev-snp", seves: "sev-es" };
  return same[name] ?? LAUNCH_PLATFORMS.find((each) => each === name);
}

/** How many processors a guest has. */
export function parseProcessors(text: string): number | undefined {
  const count = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 512 ? count : undefined;
}

/** A signature: by QEMU's name of a processor, of any version; as FAMILY:MODEL:STEPPING; or as it is, in hexadecimal. */
export function parseProcessorType(text: string): number | undefined {
  const named = Object.entries(QEMU_PROCESSORS).find(
    ([name]) => name.toLowerCase() === text.toLowerCase().replace(/-v\d+$/, ""),
  );
  if (named !== undefined) return named[1];
  const [, family, model, stepping] = /^(\d{1,3}):(\d{1,3}):(\d{1,2})$/.exec(text) ?? [];
  if (family !== undefined) {
    const [f, m, s] = [Number(family), Number(model), Number(stepping)];
    return f <= 270 && m <= 255 && s <= 15 ? processorSignature(f, m, s) : undefined;
  }
  return /^0x[0-9a-f]{1,8}$/i.test(text) ? Number(text) : undefined;
}

/** SEV_FEATURES of a guest: bit 0, that it is an SNP guest at all, is always set. */
export function parseGuestFeatures(text: string): bigint | undefined {
  if (!/^0x[0-9a-f]{1,16}$/i.test(text)) return undefined;
  const features = BigInt(text);
  return (features & 1n) === 1n ? features : undefined;
}

/** The digest after the firmware alone: SHA-384. */
export function parseFirmwareDigest(text: string): Uint8Array | undefined {
  return /^[0-9a-f]{96}$/i.test(text) ? fromHex(text) : undefined;
}

/**
 * Refuses what does not go together.
 * @throws CliError CLI_USAGE
 */
export function checkLaunchOptions(platform: LaunchPlatform, options: LaunchOptions): void {
  for (const [name, written, platforms] of OF_SOME) {
    if (options[name] !== undefined && !platforms.includes(platform)) {
      throw wrong(`${platform} does not measure what ${written} says`, "leave the option out");
    }
  }
  if (options.kernel === undefined) {
    const needing = options.initrd === undefined ? "--command-line" : "--initrd";
    if (options.initrd !== undefined || options.commandLine !== undefined) {
      throw wrong(
        `${needing} is measured only together with a kernel from outside`,
        "add --kernel; a kernel on the guest's disk is not part of the launch digest",
      );
    }
  }
  if (PROCESSORS.includes(platform)) checkProcessors(platform, options);
}

/** A wrong guess would be a wrong digest, which nothing tells from a right one. */
function checkProcessors(
  platform: LaunchPlatform,
  { vcpus, vcpuType, hypervisor }: LaunchOptions,
): void {
  if (vcpus === undefined) {
    throw wrong(`${platform} measures every processor`, "say how many there are with --vcpus");
  }
  if (hypervisor === "ec2" && vcpuType !== undefined) {
    throw wrong("EC2's processors are measured without their type", "leave --vcpu-type out");
  }
  if (hypervisor !== "ec2" && vcpuType === undefined) {
    throw wrong(
      "QEMU's processors are measured with their type",
      "say what -cpu says, such as --vcpu-type EPYC-v4",
    );
  }
}

function wrong(message: string, hint: string): CliError {
  return new CliError("CLI_USAGE", message, { hint });
}
