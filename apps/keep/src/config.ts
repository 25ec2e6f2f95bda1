// What the loader tells the keep, in two lines: where to attest, and later, once, what to serve. The loader is untrusted:
// nothing here is believed beyond what the policy, the certificate and the clients' own checks confirm.

import { messageOf } from "@holdfast/core";
import { type Policy, parsePolicy } from "@holdfast/policy";
import { BootError } from "./errors.ts";

/** The first line: what a keep is told when it starts. */
export interface BootConfig {
  /** host:port of the attestation service. */
  readonly service: string;
  /** Nobody needs the keep yet: it proves that it can attest, then waits. */
  readonly ahead: boolean;
}

/** The second line: what a keep is for. It is told so once. */
export interface Assignment {
  readonly policy: Policy;
  readonly listen: { readonly host: string; readonly port: number };
}

/** The longest line, in bytes: a policy of the longest length with every character escaped, and more. */
export const MAXIMUM_CONFIG: number = 32 * 1024 * 1024;

/**
 * Reads the first line.
 * @throws BootError BOOT_CONFIG
 */
export function parseBootConfig(untrusted: string): BootConfig {
  const object = readObject(parseJson(untrusted), "configuration");
  const ahead = object["ahead"] ?? false;
  if (typeof ahead !== "boolean") throw new BootError("BOOT_CONFIG", "ahead must be true or false");
  return { service: readService(readText(object["attestation_url"], "attestation_url")), ahead };
}

/**
 * Reads the second line.
 * @throws BootError BOOT_CONFIG, BOOT_POLICY, BOOT_ATTESTATION_URL when policy and first line name two services
 */
export function parseAssignment(untrusted: string, { service }: BootConfig): Assignment {
  const object = readObject(parseJson(untrusted), "assignment");
  const listen = readObject(object["listen"], "listen");
  const policy = readPolicy(readText(object["policy"], "policy"));
  demandSameService(service, policy);
  return {
    policy,
    listen: { host: readText(listen["host"], "listen.host"), port: readPort(listen["port"]) },
  };
}

function parseJson(untrusted: string): unknown {
  try {
    return JSON.parse(untrusted);
  } catch (cause) {
    throw new BootError("BOOT_CONFIG", "configuration is not JSON", { cause });
  }
}

function readObject(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new BootError("BOOT_CONFIG", `${name} must be an object`);
}

function readText(value: unknown, name: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new BootError("BOOT_CONFIG", `${name} must be a text`);
}

function readPort(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 65_536) {
    return value;
  }
  throw new BootError("BOOT_CONFIG", "listen.port must be a number from 0 to 65535");
}

function readPolicy(text: string): Policy {
  try {
    return parsePolicy(text);
  } catch (cause) {
    throw new BootError("BOOT_POLICY", messageOf(cause), { cause });
  }
}

function readService(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url.host;
  throw new BootError("BOOT_CONFIG", "attestation_url must be an http or https URL");
}

/** Whoever reads the policy must be able to tell who vouches for the keep. */
function demandSameService(given: string, { attestation: { url } }: Policy): void {
  if (addressOf(url) === given) return;
  throw new BootError(
    "BOOT_ATTESTATION_URL",
    `the policy names attestation service ${url}, the configuration ${given}`,
  );
}

/** Policies write host:port, or a URL. */
function addressOf(text: string): string | undefined {
  const url = text.includes("://") ? text : `http://${text}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}
