// Where the evidence of keeps comes from, as their loaders are told: every platform that loaders know.
import { resolve } from "node:path";
import { type Static, Type } from "typebox";

const CLOSED = { additionalProperties: false };
const Path = Type.String({ minLength: 1 });

/** `keeps.platform` in the file. */
export const PlatformSection = Type.Union([
  Type.Object({ kind: Type.Literal("simulated-nitro"), authority_dir: Path }, CLOSED),
  Type.Object(
    {
      kind: Type.Literal("aws-nitro"),
      device: Type.Optional(Path),
      pcr0: Type.String({ pattern: "^[0-9a-fA-F]{96}$" }),
    },
    CLOSED,
  ),
]);

/** The simulated module, which measures bundles; or the machine's own, which measured the image of the enclave. */
export type PlatformConfig =
  | { readonly kind: "simulated-nitro"; readonly authority_dir: string }
  | {
      readonly kind: "aws-nitro";
      /** Absolute; `/dev/nsm` when absent. */
      readonly device?: string;
      /** What keeps measure to: the image's PCR0 as policies name it, 64 hexadecimal digits. */
      readonly measurement: string;
    };

const MEASUREMENT_DIGITS = 64;

/** The section with absolute paths. */
export function platformOf(platform: Static<typeof PlatformSection>, base: string): PlatformConfig {
  if (platform.kind === "simulated-nitro") {
    return { kind: platform.kind, authority_dir: resolve(base, platform.authority_dir) };
  }
  const { kind, device, pcr0 } = platform;
  return {
    kind,
    ...(device === undefined ? {} : { device: resolve(base, device) }),
    measurement: pcr0.toLowerCase().slice(0, MEASUREMENT_DIGITS),
  };
}
