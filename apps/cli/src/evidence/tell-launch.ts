// Expected launch digests for people: what they are of, the digests, and how evidence is judged with them.
import type { Context } from "../context.ts";
import type { ExpectedLaunch } from "./expected-launch.ts";
import type { LaunchOptions, LaunchPlatform } from "./launch-options.ts";

const IN_WORDS: Readonly<Record<LaunchPlatform, string>> = {
  sev: "AMD SEV",
  "sev-es": "AMD SEV-ES",
  "sev-snp": "AMD SEV-SNP",
  tdx: "Intel TDX",
};

/** Tells what to expect. */
export function tellLaunch(
  { terminal }: Context,
  { platform, expected, inputs, guestFeatures }: ExpectedLaunch,
  { commandLine, vcpus, vcpuType, hypervisor, firmwareDigest, pageOrder }: LaunchOptions,
): void {
  const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
  const processors = {
    ...(vcpus === undefined ? {} : { vcpus, hypervisor: hypervisor ?? "qemu" }),
    ...(vcpuType === undefined ? {} : { vcpuSignature: hex(vcpuType) }),
    ...(guestFeatures === undefined ? {} : { guestFeatures: hex(guestFeatures) }),
  };
  const guest = {
    ...(commandLine === undefined ? {} : { commandLine }),
    ...processors,
    ...(firmwareDigest === undefined ? {} : { firmwareDigest: firmwareDigest.toHex() }),
    ...(platform === "tdx" ? { pageOrder: pageOrder ?? "page" } : {}),
  };
  terminal.line(`${IN_WORDS[platform]}, launched with`);
  for (const { role, path, sha256 } of inputs) {
    terminal.line(`  ${`${role}:`.padEnd(15)} ${path} (SHA-256 ${sha256})`);
  }
  for (const [name, value] of Object.entries(guest)) {
    terminal.line(`  ${`${name}:`.padEnd(15)} ${value}`);
  }
  terminal.line();
  for (const [name, digest] of Object.entries(expected)) {
    terminal.line(`${name}: ${terminal.paint("accent", digest)}`);
  }
  terminal.line();
  for (const line of whatToDo(platform, expected)) terminal.line(line);
  terminal.result({ ok: true, platform, expected, inputs, guest });
}

function whatToDo(
  platform: LaunchPlatform,
  expected: Readonly<Record<string, string>>,
): readonly string[] {
  if (platform === "sev" || platform === "sev-es") {
    return [
      "The platform proves it by its launch measurement, a keyed hash over this digest: no report carries it.",
    ];
  }
  const values = Object.entries(expected).map(([name, digest]) => `--expect ${name}=${digest}`);
  const judge = `Judge evidence with: holdfast evidence verify FILE ${values.join(" ")}`;
  if (platform === "sev-snp") return [judge];
  const boot =
    "rtMr1" in expected
      ? []
      : [
          "rtMr1 and rtMr2 tell the kernel: give it with --kernel, when it is started from outside.",
        ];
  return [judge, ...boot, "rtMr0 is of the machine and its settings: its event log explains it."];
}
