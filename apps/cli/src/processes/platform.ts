// The whole platform on one machine as processes: the attestation service, and the control plane with VaaS, CCFaaS and
// the S3 bridge, all over TLS and for known principals alone, unless it is for development. The platform below the keeps
// is SIMULATED; its root is made here, and only services configured so take it.
import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { openSimulatedAuthority } from "@holdfast/attester";
import type { KeepState } from "@holdfast/contract";
import { messageOf, readBody } from "@holdfast/core";
import { Access } from "../access/access.ts";
import { ownGrant } from "../access/options.ts";
import { type Profile, writeProfile } from "../access/profile.ts";
import type { Context } from "../context.ts";
import { buildControl } from "./build.ts";
import { ENTRY } from "./checkout.ts";
import { ChildService } from "./child-service.ts";
import type { Guard } from "./guard.ts";
import { endLeftoverKeeps } from "./leftover-keeps.ts";
import { accessFiles, prepareAccess, prepareAttestationToken } from "./platform-access.ts";
import {
  ALL,
  attestationConfig,
  type ControlService,
  controlConfig,
  logsIn,
  type PlatformOptions,
  type PlatformPorts,
  type PlatformUrls,
  simulatedPlatformIn,
  urlsOf,
} from "./platform-config.ts";

/** Keeps that can't be ended in this time by asking are ended without it. */
const END_KEEPS_MS = 15_000;
/** States of keeps that something is to be ended of. */
const LIVING: readonly KeepState[] = ["requested", "starting", "attested", "serving", "ending"];
const ANSWER_MS = 2000;
const MAXIMUM_HEALTH = 4096;

/** A platform's processes. */
export class Platform {
  readonly urls: PlatformUrls;
  readonly logs: string;
  /** For whoever works on it: where it is and how its administrator is let in. */
  readonly profileFile: string;
  readonly #context: Context;
  readonly #options: PlatformOptions;
  readonly #guard: Guard;
  #attestation: ChildService | undefined;
  #control: ChildService | undefined;
  #isOurs = false;

  /** @param guard ends the services when the command is killed */
  constructor(context: Context, options: PlatformOptions, guard: Guard) {
    this.#context = context;
    this.#guard = guard;
    this.#options = options;
    this.logs = logsIn(options.dataDirectory);
    this.profileFile = join(options.dataDirectory, "profile.json");
    this.urls = urlsOf(options);
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
    return join(this.simulatedPlatformDirectory, "root.pem");
  }

  /** Where the simulated root and its key are. */
  get simulatedPlatformDirectory(): string {
    return simulatedPlatformIn(this.#options.dataDirectory);
  }

  /** The control plane's process, to be killed by whoever wants to see it come back. */
  get control(): ChildService | undefined {
    return this.#control;
  }

  /** The attestation service's process. */
  get attestation(): ChildService | undefined {
    return this.#attestation;
  }

  /** The administrator's way to the services, once they have started. */
  async access(): Promise<Access> {
    return new Access({ urls: this.urls, own: await ownGrant(this.#profile()) });
  }

  /** Makes what must be there before a service starts: the simulated root and tokens. */
  async prepare(): Promise<void> {
    const { dataDirectory, localDevelopment } = this.#options;
    await openSimulatedAuthority(this.simulatedPlatformDirectory, this.#context.clock);
    await prepareAttestationToken(dataDirectory);
    if (localDevelopment !== true) await prepareAccess(dataDirectory);
  }

  /** Starts the attestation service and waits until it answers. */
  async startAttestation(): Promise<void> {
    const service = await this.#start("attestation", ENTRY.trust, attestationConfig(this.#options));
    this.#attestation = service;
    await service.waitUntil(() => this.#isHealthy("attestation"), this.#context.interrupted);
    // One platform at a time has it: from here on the data directory, and every keep under it, is ours.
    this.#isOurs = true;
    await this.#writeProfile();
  }

  /** Starts the control plane, all of it or some services, and waits until they answer. Builds it first when it must. */
  async startControl(services: readonly ControlService[] = ALL): Promise<void> {
    const name = services === ALL ? "control" : services.join("-");
    const script = await buildControl(this.#context);
    await this.#writeProfile();
    const service = await this.#start(name, script, controlConfig(this.#options, services));
    this.#control = service;
    for (const each of services) {
      await service.waitUntil(() => this.#isHealthy(each), this.#context.interrupted);
    }
  }

  /**
   * Ends every instance and keep, then the services; keeps of another platform, which has the data directory, are left
   * alone. Goes on whatever fails; says what did.
   */
  async stop(): Promise<void> {
    if (this.#isOurs) await within(END_KEEPS_MS, this.#endKeeps());
    await this.stopServices();
    if (this.#isOurs) await endLeftoverKeeps(this.#options.dataDirectory);
  }

  /** Ends the services and leaves keeps alone. */
  async stopServices(): Promise<void> {
    await Promise.all([this.#control?.stop(), this.#attestation?.stop()]);
  }

  #profile(): Profile {
    const { dataDirectory, localDevelopment } = this.#options;
    const files = accessFiles(dataDirectory);
    const { attestationTokenFile } = files;
    const place = { file: this.profileFile, urls: this.urls, attestationTokenFile };
    if (localDevelopment === true) return place;
    const { caFile, administratorTokenFile: tokenFile } = files;
    return { ...place, caFile, tokenFile };
  }

  async #writeProfile(): Promise<void> {
    const { file, urls, caFile, tokenFile, attestationTokenFile } = this.#profile();
    const { dataDirectory } = this.#options;
    await writeProfile(file, {
      ...urls,
      ...(caFile === undefined ? {} : { ca_file: relative(dataDirectory, caFile) }),
      ...(tokenFile === undefined ? {} : { token_file: relative(dataDirectory, tokenFile) }),
      ...(attestationTokenFile === undefined
        ? {}
        : { attestation_token_file: relative(dataDirectory, attestationTokenFile) }),
    });
  }

  async #endKeeps(): Promise<void> {
    if (this.#control?.isRunning !== true) return;
    try {
      const access = await this.access();
      const ccfaas = access.ccfaas();
      for (const id of await ccfaas.listInstances()) await ccfaas.deleteInstance(id);
      const vaas = access.vaas();
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

  async #isHealthy(service: keyof PlatformUrls): Promise<boolean> {
    try {
      const url = this.urls[service];
      const access = url.startsWith("https:") ? await this.access() : new Access({ urls: {} });
      const { status, body } = await access.transport(url).request({
        method: "GET",
        path: "/healthz",
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      await readBody(body, MAXIMUM_HEALTH);
      return status === 200;
    } catch {
      // Not yet, perhaps not even its certificate: the caller decides how long to go on.
      return false;
    }
  }

  async #start(name: string, script: string, config: object): Promise<ChildService> {
    const { dataDirectory } = this.#options;
    const file = join(dataDirectory, `${name}.json`);
    await writeFile(file, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
    const service = ChildService.start({
      name: name === "control" ? "control plane" : name,
      arguments: [script, "--config", file],
      logFile: join(this.logs, `${name}.log`),
      // One heap for all threads: it saves memory of a service at rest.
      environment: { MALLOC_ARENA_MAX: "1" },
    });
    this.#guard.watch(service);
    return service;
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
