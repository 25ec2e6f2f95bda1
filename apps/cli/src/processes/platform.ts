// The whole platform on one machine as processes: the attestation service, and the control plane with VaaS, CCFaaS and
// the S3 bridge. The platform below the keeps is SIMULATED; its root is made here, and only services configured so take it.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openSimulatedAuthority } from "@holdfast/attester";
import type { KeepState } from "@holdfast/contract";
import { messageOf } from "@holdfast/core";
import type { Context } from "../context.ts";
import { ccfaasAt, vaasAt } from "../services/addresses.ts";
import { BUILT, ENTRY } from "./checkout.ts";
import { ChildService } from "./child-service.ts";
import { endLeftoverKeeps } from "./leftover-keeps.ts";

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
}

/** Services of the control plane. */
export type ControlService = "vaas" | "ccfaas" | "s3";

const HOST = "127.0.0.1";
/** Keeps that can't be ended in this time by asking are ended without it. */
const END_KEEPS_MS = 15_000;
/** States of keeps that something is to be ended of. */
const LIVING: readonly KeepState[] = ["requested", "starting", "attested", "serving", "ending"];
const ALL: readonly ControlService[] = ["vaas", "ccfaas", "s3"];

/** A platform's processes. */
export class Platform {
  readonly urls: Readonly<Record<"attestation" | ControlService, string>>;
  readonly logs: string;
  readonly #context: Context;
  readonly #options: PlatformOptions;
  #attestation: ChildService | undefined;
  #control: ChildService | undefined;

  constructor(context: Context, options: PlatformOptions) {
    this.#context = context;
    this.#options = options;
    this.logs = join(options.dataDirectory, "logs");
    const at = (port: number): string => `http://${HOST}:${port}`;
    const { attestation, vaas, ccfaas, s3 } = options.ports;
    this.urls = { attestation: at(attestation), vaas: at(vaas), ccfaas: at(ccfaas), s3: at(s3) };
  }

  /** Where it listens. */
  get ports(): PlatformPorts {
    return this.#options.ports;
  }

  /** Where it keeps everything. */
  get dataDirectory(): string {
    return this.#options.dataDirectory;
  }

  /** Certificate of the simulated root, PEM file. */
  get simulatedRootFile(): string {
    return join(this.#authorityDirectory, "root.pem");
  }

  /** Where the simulated root and its key are. */
  get simulatedPlatformDirectory(): string {
    return this.#authorityDirectory;
  }

  /** The control plane's process, to be killed by whoever wants to see it come back. */
  get control(): ChildService | undefined {
    return this.#control;
  }

  /** The attestation service's process. */
  get attestation(): ChildService | undefined {
    return this.#attestation;
  }

  /** Starts the attestation service and waits until it answers. */
  async startAttestation(): Promise<void> {
    const { dataDirectory, ports } = this.#options;
    await openSimulatedAuthority(this.#authorityDirectory, this.#context.clock);
    this.#attestation = await this.#start("attestation", ENTRY.trust, {
      listen: { host: HOST, port: ports.attestation },
      data_dir: join(dataDirectory, "attestation"),
      simulated_root: this.simulatedRootFile,
    });
    await this.#attestation.waitHealthy(this.urls.attestation, this.#context.interrupted);
  }

  /** Starts the control plane, all of it or some services, and waits until they answer. */
  async startControl(services: readonly ControlService[] = ALL): Promise<void> {
    await openSimulatedAuthority(this.#authorityDirectory, this.#context.clock);
    const name = services === ALL ? "control" : services.join("-");
    this.#control = await this.#start(name, ENTRY.control, this.#controlConfig(services));
    for (const service of services) {
      await this.#control.waitHealthy(this.urls[service], this.#context.interrupted);
    }
  }

  /** Ends every instance and keep, then the services. Goes on whatever fails; says what did. */
  async stop(): Promise<void> {
    await within(END_KEEPS_MS, this.#endKeeps());
    await this.stopServices();
    await endLeftoverKeeps(this.#options.dataDirectory);
  }

  /** Ends the services and leaves keeps alone. */
  async stopServices(): Promise<void> {
    await Promise.all([this.#control?.stop(), this.#attestation?.stop()]);
  }

  async #endKeeps(): Promise<void> {
    if (this.#control?.isRunning !== true) return;
    try {
      const ccfaas = ccfaasAt(this.urls.ccfaas);
      for (const id of await ccfaas.listInstances()) await ccfaas.deleteInstance(id);
      const vaas = vaasAt(this.urls.vaas);
      const living = (await vaas.keeps()).keeps.filter(({ state }) => LIVING.includes(state));
      for (const { name, instance_hash, instance_id } of living) {
        const id = instance_id === undefined ? {} : { instance_id };
        await vaas.delete(name, { instance_hash, ...id });
      }
    } catch (thrown) {
      this.#context.terminal.note(
        `keeps are ended without their control plane: ${messageOf(thrown)}`,
      );
    }
  }

  #controlConfig(services: readonly ControlService[]): object {
    const { dataDirectory, ports, bundle, s3Endpoint } = this.#options;
    const all = {
      vaas: { host: HOST, port: ports.vaas },
      ccfaas: { host: HOST, port: ports.ccfaas, vaas_url: this.urls.vaas },
      s3: {
        host: HOST,
        port: ports.s3,
        ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint, force_path_style: true }),
      },
    };
    return {
      local_development: true,
      data_dir: join(dataDirectory, "control"),
      attestation_url: this.urls.attestation,
      ...Object.fromEntries(services.map((service) => [service, all[service]])),
      keeps: {
        bundle,
        loader: BUILT.loader,
        host: HOST,
        port_min: ports.keeps,
        port_max: ports.keepsLast,
        platform: { kind: "simulated-nitro", authority_dir: this.#authorityDirectory },
      },
    };
  }

  get #authorityDirectory(): string {
    return join(this.#options.dataDirectory, "simulated-platform");
  }

  async #start(name: string, script: string, config: object): Promise<ChildService> {
    const { dataDirectory } = this.#options;
    await mkdir(this.logs, { recursive: true, mode: 0o700 });
    const file = join(dataDirectory, `${name}.json`);
    await writeFile(file, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
    return ChildService.start({
      name: name === "control" ? "control plane" : name,
      arguments: [script, "--config", file],
      logFile: join(this.logs, `${name}.log`),
    });
  }
}

/** Waits for work, but not for ever. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
