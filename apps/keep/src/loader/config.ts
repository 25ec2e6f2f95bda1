// What the loader is told, as one JSON document on its standard input.
import { HoldfastError } from "@holdfast/core";

/** Where evidence comes from: so far the simulated device, whose throw-away root is kept in a directory. */
export interface SimulatedPlatform {
  readonly kind: "simulated-nitro";
  readonly authorityDir: string;
}

/** A loader's configuration, read. */
export interface LoaderConfig {
  /** File of the keep's bundle. */
  readonly bundle: string;
  /** Exact text of the policy. */
  readonly policy: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly attestationUrl: string;
  readonly platform: SimulatedPlatform;
  readonly stateFile: string;
  readonly logFile: string;
}

/** Why the loader can't do its work. */
export class LoaderError extends HoldfastError {
  declare readonly code: "LOADER_CONFIG" | "LOADER_BUNDLE";

  constructor(
    code: "LOADER_CONFIG" | "LOADER_BUNDLE",
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(code, message, options);
  }
}

/**
 * Reads the configuration.
 * @throws LoaderError LOADER_CONFIG
 */
export function parseLoaderConfig(text: string): LoaderConfig {
  const object = readObject(parseJson(text), "configuration");
  const listen = readObject(object["listen"], "listen");
  const platform = readObject(object["platform"], "platform");
  if (platform["kind"] !== "simulated-nitro") {
    throw fault(`platform.kind ${String(platform["kind"])} is unknown; known: simulated-nitro`);
  }
  const port = listen["port"];
  if (typeof port !== "number" || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw fault("listen.port must be a number from 0 to 65535");
  }
  return {
    bundle: readText(object, "bundle"),
    policy: readText(object, "policy"),
    listen: { host: readText(listen, "host"), port },
    attestationUrl: readText(object, "attestation_url"),
    platform: { kind: "simulated-nitro", authorityDir: readText(platform, "authority_dir") },
    stateFile: readText(object, "state_file"),
    logFile: readText(object, "log_file"),
  };
}

type Members = Readonly<Record<string, unknown>>;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LoaderError("LOADER_CONFIG", "configuration is not JSON", { cause });
  }
}

function readObject(value: unknown, name: string): Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Members;
  }
  throw fault(`${name} must be an object`);
}

function readText(object: Members, name: string): string {
  const value = object[name];
  if (typeof value === "string" && value !== "") return value;
  throw fault(`${name} must be a text`);
}

function fault(message: string): LoaderError {
  return new LoaderError("LOADER_CONFIG", message);
}
