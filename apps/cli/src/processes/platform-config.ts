// What a platform's services are told: their configuration files, from its options.
import { join } from "node:path";
import { BUILT } from "./checkout.ts";
import { accessFiles } from "./platform-access.ts";

/** Ports of one machine; keeps get theirs from `keeps` upward. */
export interface PlatformPorts {
  readonly attestation: number;
  readonly vaas: number;
  readonly ccfaas: number;
  readonly s3: number;
  readonly keeps: number;
  readonly keepsLast: number;
}

/** What a platform is made of. */
export interface PlatformOptions {
  readonly dataDirectory: string;
  readonly ports: PlatformPorts;
  readonly bundle: string;
  /** S3 endpoint of the bridge; absent means AWS itself. */
  readonly s3Endpoint?: string;
  /** Beginnings of URLs that files of functions may be fetched from; none when absent. */
  readonly fetchAllow?: readonly string[];
  /** Plain HTTP on loopback, and nobody asked who he is. */
  readonly localDevelopment?: boolean;
}

/** Services of the control plane. */
export type ControlService = "vaas" | "ccfaas" | "s3";

/** Everything listens here. */
export const HOST = "127.0.0.1";
/** All services of the control plane. */
export const ALL: readonly ControlService[] = ["vaas", "ccfaas", "s3"];

/** Addresses of a platform's services. */
export type PlatformUrls = Readonly<Record<"attestation" | ControlService, string>>;

/** Where the services are. */
export function urlsOf({ ports, localDevelopment }: PlatformOptions): PlatformUrls {
  const scheme = localDevelopment === true ? "http" : "https";
  const at = (port: number): string => `${scheme}://${HOST}:${port}`;
  return {
    attestation: at(ports.attestation),
    vaas: at(ports.vaas),
    ccfaas: at(ports.ccfaas),
    s3: at(ports.s3),
  };
}

/** Where the simulated root and its key are. */
export function simulatedPlatformIn(dataDirectory: string): string {
  return join(dataDirectory, "simulated-platform");
}

/** Where the services' logs are. */
export function logsIn(dataDirectory: string): string {
  return join(dataDirectory, "logs");
}

/** Of the attestation service. */
export function attestationConfig(options: PlatformOptions): object {
  const { dataDirectory, ports, localDevelopment } = options;
  const { tlsDirectory } = accessFiles(dataDirectory);
  return {
    listen: { host: HOST, port: ports.attestation },
    ...(localDevelopment === true ? {} : { tls: { auto_dir: tlsDirectory } }),
    data_dir: join(dataDirectory, "attestation"),
    simulated_root: join(simulatedPlatformIn(dataDirectory), "root.pem"),
    admin_token_file: accessFiles(dataDirectory).attestationTokenFile,
  };
}

/** Of the control plane, all of it or some services. */
export function controlConfig(
  options: PlatformOptions,
  services: readonly ControlService[],
): object {
  const { dataDirectory, ports, bundle, s3Endpoint, fetchAllow, localDevelopment } = options;
  const { attestation, vaas } = urlsOf(options);
  const files = accessFiles(dataDirectory);
  const entry = { vaas_token_file: files.ccfaasTokenFile, vaas_ca_file: files.caFile };
  const all = {
    vaas: { host: HOST, port: ports.vaas },
    ccfaas: {
      host: HOST,
      port: ports.ccfaas,
      vaas_url: vaas,
      ...(localDevelopment === true ? {} : entry),
    },
    s3: {
      host: HOST,
      port: ports.s3,
      ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint, force_path_style: true }),
    },
  };
  const access = { principals_file: files.principalsFile, tls: { auto_dir: files.tlsDirectory } };
  return {
    ...(localDevelopment === true
      ? { local_development: true }
      : { access, attestation_ca_file: files.caFile }),
    data_dir: join(dataDirectory, "control"),
    attestation_url: attestation,
    ...(fetchAllow === undefined ? {} : { remote: { allow: fetchAllow } }),
    ...Object.fromEntries(services.map((service) => [service, all[service]])),
    keeps: {
      bundle,
      loader: BUILT.loader,
      host: HOST,
      port_min: ports.keeps,
      port_max: ports.keepsLast,
      platform: {
        kind: "simulated-nitro",
        authority_dir: simulatedPlatformIn(dataDirectory),
      },
    },
  };
}
