// Where keeps run and what they may take.
import { isIP } from "node:net";
import { dirname, resolve } from "node:path";
import { type Static, Type } from "typebox";
import { invalid } from "./invalid.ts";
import { type PlatformConfig, PlatformSection, platformOf } from "./platform.ts";

const CLOSED = { additionalProperties: false };
/** As it is built, beside the bundle. */
const LOADER = "loader.mjs";

/** `keeps` in the file. */
export const KeepsSection = Type.Object(
  {
    bundle: Type.String({ minLength: 1 }),
    loader: Type.Optional(Type.String({ minLength: 1 })),
    host: Type.String({ minLength: 1 }),
    listen_host: Type.Optional(Type.String({ minLength: 1 })),
    port_min: Type.Integer({ minimum: 1, maximum: 65_535 }),
    port_max: Type.Integer({ minimum: 1, maximum: 65_535 }),
    platform: PlatformSection,
    max_memory_mib_total: Type.Optional(Type.Integer({ minimum: 1 })),
    warm: Type.Optional(Type.Integer({ minimum: 0, maximum: 64 })),
    start_timeout_ms: Type.Optional(Type.Integer({ minimum: 1000 })),
  },
  CLOSED,
);

/** Where keeps run and what they may take. */
export interface KeepsConfig {
  readonly bundle: string;
  readonly loader: string;
  /** What clients connect to; stands in policies. */
  readonly host: string;
  readonly listenHost: string;
  readonly portMin: number;
  readonly portMax: number;
  readonly platform: PlatformConfig;
  readonly maxMemoryMibTotal?: number;
  readonly startTimeoutMs: number;
  /** How many keeps wait, attested already, for the next policies. */
  readonly warm: number;
}

/**
 * The section with its defaults and absolute paths.
 * @throws ControlError CONFIG_INVALID
 */
export function keepsOf(keeps: Static<typeof KeepsSection>, base: string): KeepsConfig {
  if (keeps.port_min > keeps.port_max) throw invalid("configuration: port_min is over port_max");
  const listenHost = keeps.listen_host ?? ownAddress(keeps.host);
  const bundle = resolve(base, keeps.bundle);
  return {
    bundle,
    loader: resolve(keeps.loader === undefined ? dirname(bundle) : base, keeps.loader ?? LOADER),
    host: keeps.host,
    listenHost,
    portMin: keeps.port_min,
    portMax: keeps.port_max,
    platform: platformOf(keeps.platform, base),
    ...(keeps.max_memory_mib_total === undefined
      ? {}
      : { maxMemoryMibTotal: keeps.max_memory_mib_total }),
    startTimeoutMs: keeps.start_timeout_ms ?? 60_000,
    warm: keeps.warm ?? 1,
  };
}

/** A name may stand for any machine: where to listen must then be said. */
function ownAddress(host: string): string {
  if (host === "localhost") return "127.0.0.1";
  if (isIP(host) === 0) throw invalid(`configuration: keeps.host ${host} needs keeps.listen_host`);
  return host;
}
