// `holdfast evidence expect`: from firmware, kernel and command line to the digests that evidence must carry.
import { type Command, Option } from "commander";
import { newCommand, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { expectedLaunch } from "../evidence/expected-launch.ts";
import {
  LAUNCH_PLATFORMS,
  type LaunchOptions,
  parseFirmwareDigest,
  parseGuestFeatures,
  parsePlatform,
  parseProcessors,
  parseProcessorType,
} from "../evidence/launch-options.ts";
import { tellLaunch } from "../evidence/tell-launch.ts";

/** `evidence expect`. */
export function expectCommand(context: Context): Command {
  return newCommand("expect", {
    summary: "compute the launch digest that evidence of a guest must carry",
    description:
      "Computes what a platform measures when a guest is launched with this firmware, kernel, initial RAM disk, command " +
      "line and processors: the values for evidence verify --expect, and for reference values. Files must be the ones " +
      "that the hypervisor is given. What the platform does not measure is refused; what it measures is shown beside the digest.",
    examples: [
      "holdfast evidence expect sev-snp --firmware OVMF.fd --vcpus 4 --vcpu-type EPYC-v4",
      'holdfast evidence expect sev-snp --firmware OVMF.amdsev.fd --kernel vmlinuz --initrd initrd.img --command-line "console=ttyS0" --vcpus 1 --vcpu-type EPYC-Milan',
      "holdfast evidence expect sev-snp --firmware ovmf_img.fd --hypervisor ec2 --vcpus 2 --json",
      "holdfast evidence expect sev-es --firmware OVMF.fd --vcpus 2 --vcpu-type 25:1:1",
      'holdfast evidence expect tdx --firmware OVMF.fd --kernel vmlinuz --command-line "console=hvc0"',
    ],
  })
    .argument("<platform>", LAUNCH_PLATFORMS.join(", "), parsed(parsePlatform, LIST))
    .requiredOption("--firmware <file>", "the firmware, whole (OVMF)")
    .option("--kernel <file>", "kernel, when it is started from outside the guest's disk")
    .option("--initrd <file>", "initial RAM disk of that kernel")
    .option("--command-line <text>", "command line of that kernel, exactly; none is an empty one")
    .addOption(
      new Option("--vcpus <count>", "processors; SEV-ES and SEV-SNP measure each").argParser(
        parsed(parseProcessors, "1 to 512"),
      ),
    )
    .addOption(
      new Option(
        "--vcpu-type <type>",
        "the processors' type: QEMU's name, FAMILY:MODEL:STEPPING, or the signature in hexadecimal after 0x",
      ).argParser(
        parsed(
          parseProcessorType,
          "EPYC, EPYC-Rome, EPYC-Milan, EPYC-Genoa, F:M:S, or 0x and a signature",
        ),
      ),
    )
    .addOption(
      new Option("--hypervisor <name>", "who starts the processors; qemu when not given").choices([
        "qemu",
        "ec2",
      ]),
    )
    .addOption(
      new Option(
        "--guest-features <hex>",
        "SEV_FEATURES of an SNP guest; 0x1 when not given, 0x21 with debug state swapped",
      ).argParser(parsed(parseGuestFeatures, "0x and digits, with bit 0 set,")),
    )
    .addOption(
      new Option(
        "--firmware-digest <hex>",
        "digest after the firmware alone, for SEV-SNP when only the end of the firmware is at hand",
      ).argParser(parsed(parseFirmwareDigest, "SHA-384, 96 hexadecimal digits,")),
    )
    .addOption(
      new Option(
        "--page-order <order>",
        "order in which a TD's pages are measured; page when not given, section before mainline kernels",
      ).choices(["page", "section"]),
    )
    .action(async (platform: unknown, options: LaunchOptions) => {
      const known = LAUNCH_PLATFORMS.find((each) => each === platform);
      if (known === undefined) throw new CliError("CLI_USAGE", `${LIST} is expected.`);
      tellLaunch(context, await expectedLaunch(known, options), options);
    });
}

const LIST = `one of ${LAUNCH_PLATFORMS.join(", ")}`;
