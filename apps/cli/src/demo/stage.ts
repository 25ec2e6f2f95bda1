// Where the demo plays: a temporary directory, free loopback ports, and every process on them. Whatever happens, all of
// it is ended.
import { randomBytes } from "node:crypto";
import { globSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Access } from "../access/access.ts";
import { changePrincipals, newToken, tokenDigest } from "../access/principals.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { ENTRY } from "../processes/checkout.ts";
import { ChildService } from "../processes/child-service.ts";
import { Guard } from "../processes/guard.ts";
import { loadersUnder } from "../processes/leftover-keeps.ts";
import { Platform } from "../processes/platform.ts";
import { accessFiles } from "../processes/platform-access.ts";
import { logsIn } from "../processes/platform-config.ts";
import { freePortRange } from "../processes/ports.ts";

/** The demo's object store. */
export interface StageStore {
  readonly url: string;
  readonly directory: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The object store and four services. */
const SERVICES = 5;
const KEEPS = 8;
const BUCKET = "camera-videos";
const REGION = "eu-west-1";

/** Processes and directories of one demo. */
export class Stage {
  /** Removed at the end. */
  readonly directory: string;
  /** What the user keeps on his own machine: key, IV, identities. */
  readonly userDirectory: string;
  readonly platform: Platform;
  readonly store: StageStore;
  readonly #context: Context;
  readonly #guard: Guard;
  readonly #extra: ChildService[] = [];
  #access: Access | undefined;
  #userAccess: Access | undefined;

  private constructor(
    context: Context,
    directory: string,
    platform: Platform,
    store: StageStore,
    guard: Guard,
  ) {
    this.#context = context;
    this.#guard = guard;
    this.directory = directory;
    this.userDirectory = join(directory, "user");
    this.platform = platform;
    this.store = store;
  }

  /** Finds a place; nothing is started yet. */
  static async prepare(context: Context, bundle: string): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-demo-"));
    await mkdir(join(directory, "user"), { mode: 0o700 });
    const first = await freePortRange(SERVICES + KEEPS);
    const keeps = first + SERVICES;
    const store: StageStore = {
      url: `http://127.0.0.1:${first}`,
      directory: join(directory, "object-store"),
      bucket: BUCKET,
      region: REGION,
      accessKeyId: `DEMO${randomBytes(6).toString("hex").toUpperCase()}`,
      secretAccessKey: randomBytes(24).toString("base64url"),
    };
    const dataDirectory = join(directory, "platform");
    const logs = logsIn(dataDirectory);
    await mkdir(logs, { recursive: true, mode: 0o700 });
    const orders = { keepsUnder: directory, remove: directory };
    const guard = Guard.start(orders, join(logs, "guard.log"));
    const options = {
      dataDirectory,
      ports: {
        attestation: first + 1,
        vaas: first + 2,
        ccfaas: first + 3,
        s3: first + 4,
        keeps,
        keepsLast: keeps + KEEPS - 2,
      },
      bundle,
      s3Endpoint: store.url,
    };
    const platform = new Platform(context, options, guard);
    return new Stage(context, directory, platform, store, guard);
  }

  /** A port that no keep of the platform is given. */
  get sparePort(): number {
    return this.platform.ports.keepsLast + 1;
  }

  /** The administrator's way to the services. */
  get access(): Access {
    return started(this.#access);
  }

  /** The user's way to the services. */
  get userAccess(): Access {
    return started(this.#userAccess);
  }

  /** Starts the services and the object store. */
  async startServices(): Promise<void> {
    await this.platform.prepare();
    const token = await this.#introduceUser();
    await Promise.all([this.platform.startAttestation(), this.#startStore()]);
    await this.platform.startControl();
    this.#access = await this.platform.access();
    this.#userAccess = this.#access.as(token);
  }

  /** The user is a principal like the administrator, with fewer roles. */
  async #introduceUser(): Promise<string> {
    const token = newToken();
    const { principalsFile } = accessFiles(this.platform.dataDirectory);
    await changePrincipals(principalsFile, (principals) => [
      ...principals,
      { name: "user", roles: ["reader", "user"], token_sha256: tokenDigest(token) },
    ]);
    return token;
  }

  /** Starts a process that is ended with the rest. */
  start(name: string, script: string, words: readonly string[], input: string): ChildService {
    const service = ChildService.start({
      name,
      arguments: [script, ...words],
      logFile: join(this.platform.logs, `${name.replaceAll(" ", "-")}.log`),
      input,
    });
    this.#guard.watch(service);
    this.#extra.push(service);
    return service;
  }

  /** Starts the object store; its secret goes in by standard input. */
  async #startStore(): Promise<void> {
    const { url, directory, bucket, region, accessKeyId, secretAccessKey } = this.store;
    const words = ["serve", "object-store", "--directory", directory, "--bucket", bucket];
    const more = ["--port", new URL(url).port, "--region", region, "--access-key-id", accessKeyId];
    const service = this.start("object store", ENTRY.cli, [...words, ...more], secretAccessKey);
    await service.waitAnswering(url, this.#context.interrupted);
  }

  /**
   * Keeps every log for whoever looks for a fault; the rest is removed at the end.
   * @returns where they are
   */
  async saveLogs(): Promise<string> {
    const target = await mkdtemp(join(tmpdir(), "holdfast-demo-logs-"));
    for (const name of globSync("**/*.log", { cwd: this.directory })) {
      await copyFile(join(this.directory, name), join(target, name.replaceAll("/", "-")));
    }
    return target;
  }

  /**
   * Ends everything that was started and removes the directory.
   * @throws CliError CLI_PROCESS when a keep could not be ended
   */
  async end(): Promise<void> {
    await this.platform.stop();
    await Promise.all(this.#extra.map((service) => service.stop()));
    const left = await loadersUnder(this.platform.dataDirectory);
    if (left.length > 0) {
      throw new CliError("CLI_PROCESS", `keeps are left behind: ${left.join(", ")}`);
    }
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
    await this.#guard.dismiss();
  }
}

function started(access: Access | undefined): Access {
  if (access === undefined) throw new Error("the services have not started");
  return access;
}
