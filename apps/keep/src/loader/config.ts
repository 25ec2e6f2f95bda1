// What the loader is told on its standard input, in two lines: what to load, and later, once, what for.
import { HoldfastError } from "@holdfast/core";

/** Where evidence comes from: the simulated device, whose throw-away root is kept in a directory, or the real one. */
export type Platform =
  | { readonly kind: "simulated-nitro"; readonly authorityDir: string }
  | { readonly kind: "aws-nitro"; readonly device: string };

/** The first line: what to load. */
export interface LoaderConfig {
  /** File of the keep's bundle. */
  readonly bundle: string;
  readonly attestationUrl: string;
  /** The authority that the attestation service is under when it speaks TLS; the system's when absent. */
  readonly attestationCaFile?: string;
  readonly platform: Platform;
  /** Beginnings of URLs that the keep's inputs may be fetched from; none when absent. */
  readonly fetchAllow: readonly string[];
  /** Nobody needs the keep yet: it is to prove that it can attest, and to wait. */
  readonly ahead: boolean;
}

/** The second line: what the keep is for, and where its loader tells how it stands. */
export interface LoaderAssignment {
  /** Exact text of the policy. */
  readonly policy: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly stateFile: string;
  readonly logFile: string;
}

/** Codes of the loader's failures. */
export type LoaderErrorCode = "LOADER_CONFIG" | "LOADER_BUNDLE" | "LOADER_PLATFORM";

/** Why the loader can't do its work. */
export class LoaderError extends HoldfastError {
  declare readonly code: LoaderErrorCode;

  constructor(code: LoaderErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}

/**
 * Reads the first line.
 * @throws LoaderError LOADER_CONFIG
 */
export function parseLoaderConfig(text: string): LoaderConfig {
  const object = readObject(parseJson(text), "configuration");
  const ahead = object["ahead"] ?? false;
  if (typeof ahead !== "boolean") throw fault("ahead must be true or false");
  return {
    bundle: readText(object, "bundle"),
    attestationUrl: readText(object, "attestation_url"),
    ...(object["attestation_ca_file"] === undefined
      ? {}
      : { attestationCaFile: readText(object, "attestation_ca_file") }),
    platform: readPlatform(readObject(object["platform"], "platform")),
    fetchAllow: readTexts(object, "fetch_allow"),
    ahead,
  };
}

/**
 * Reads the second line.
 * @throws LoaderError LOADER_CONFIG
 */
export function parseLoaderAssignment(text: string): LoaderAssignment {
  const object = readObject(parseJson(text), "assignment");
  const listen = readObject(object["listen"], "listen");
  const port = listen["port"];
  if (typeof port !== "number" || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw fault("listen.port must be a number from 0 to 65535");
  }
  return {
    policy: readText(object, "policy"),
    listen: { host: readText(listen, "host"), port },
    stateFile: readText(object, "state_file"),
    logFile: readText(object, "log_file"),
  };
}

type Members = Readonly<Record<string, unknown>>;

function readPlatform(platform: Members): Platform {
  const { kind } = platform;
  switch (kind) {
    case "simulated-nitro":
      return { kind, authorityDir: readText(platform, "authority_dir") };
    case "aws-nitro":
      return {
        kind,
        device: platform["device"] === undefined ? "/dev/nsm" : readText(platform, "device"),
      };
    default:
      throw fault(`platform.kind ${String(kind)} is unknown; known: simulated-nitro, aws-nitro`);
  }
}

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

function readTexts(object: Members, name: string): string[] {
  const value = object[name] ?? [];
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw fault(`${name} must be a list of texts`);
}

function fault(message: string): LoaderError {
  return new LoaderError("LOADER_CONFIG", message);
}
