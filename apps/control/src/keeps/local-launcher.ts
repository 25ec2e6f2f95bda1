// Keeps as local processes: one detached loader each, which outlives the control plane and tells its state in a file.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@holdfast/core";
import type { ProcessRecord } from "@holdfast/store";
import type { PlatformConfig } from "../config/platform.ts";
import type { KeepsConfig } from "../config.ts";
import { ControlError } from "../errors.ts";
import type { KeepHandle, KeepLauncher, KeepReport, KeepSpec } from "./keep-launcher.ts";
import { KeepPool } from "./keep-pool.ts";
import { LoaderProcess } from "./loader-process.ts";
import { isRunning, processMark, signalProcess } from "./process-mark.ts";
import { readStateFile } from "./state-file.ts";

const GRACE_MS = 4000;
const POLL_MS = 20;
const MEASUREMENT_DIGITS = 64;
/** How many keeps that waited may be lost to one request before it gets one that did not. */
const OTHERS = 2;
/** Exit codes from here on are of processes that a signal ended. */
const FIRST_SIGNAL_CODE = 128;
/** States that somebody waits for. */
const NEWS: ReadonlySet<string | undefined> = new Set(["serving", "failed", "ended"]);

/** Where keeps are attested. */
export interface AttestationAddress {
  readonly url: string;
  /** The only authority that it is believed under, when it speaks TLS. */
  readonly caFile?: string;
}

/** A launcher of local processes. */
export class LocalLauncher implements KeepLauncher {
  readonly node: string;
  readonly #config: KeepsConfig;
  readonly #attestation: AttestationAddress;
  readonly #fetchAllow: readonly string[];
  readonly #directory: string;
  readonly #cache: string;
  readonly #pool: KeepPool;
  /** Loaders that this very process started, by keep. */
  readonly #loaders = new Map<string, LoaderProcess>();
  #measured: { readonly stamp: string; readonly measurement: string } | undefined;

  /**
   * @param options.directory one subdirectory a keep is made in it
   * @param options.cache where loaders leave what they compiled, so that the next one starts faster
   * @param options.fetchAllow beginnings of URLs that keeps may fetch their inputs from; none when absent
   * @param options.onFault told why a keep that was to wait does not
   */
  constructor(options: {
    node: string;
    config: KeepsConfig;
    attestation: AttestationAddress;
    directory: string;
    cache: string;
    fetchAllow?: readonly string[];
    onFault?: (reason: string) => void;
  }) {
    this.node = options.node;
    this.#config = options.config;
    this.#attestation = options.attestation;
    this.#fetchAllow = options.fetchAllow ?? [];
    this.#directory = options.directory;
    this.#cache = options.cache;
    this.#pool = new KeepPool({
      start: () => this.#startLoader(true),
      patienceMs: options.config.startTimeoutMs,
      onFault: options.onFault ?? (() => undefined),
    });
  }

  async measurement(): Promise<string> {
    const { platform } = this.#config;
    if (platform.kind === "aws-nitro") return platform.measurement;
    try {
      const { mtimeMs, size } = await stat(this.#config.bundle);
      const stamp = `${mtimeMs} ${size}`;
      if (this.#measured?.stamp !== stamp) {
        const bytes = await readFile(this.#config.bundle);
        const digest = createHash("sha384").update(bytes).digest("hex");
        this.#measured = { stamp, measurement: digest.slice(0, MEASUREMENT_DIGITS) };
      }
      return this.#measured.measurement;
    } catch (cause) {
      throw new ControlError(
        503,
        "BUNDLE_MISSING",
        `the keep's bundle can't be read (npm run build makes it): ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  async start(spec: KeepSpec, record: (loader: ProcessRecord) => Promise<void>): Promise<void> {
    const directory = this.#pathOf(spec.id);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const stateFile = join(directory, "state.json");
    for (let others = OTHERS; ; others -= 1) {
      // The last one is started for this policy, and what becomes of it is the answer.
      const waited = others > 0 ? await this.#pool.take(spec.measurement) : undefined;
      const loader = waited ?? (await this.#startLoader(false));
      try {
        await record(loader.process);
      } catch (cause) {
        loader.abandon();
        throw cause;
      }
      this.#note(spec.id, loader);
      loader.assign({
        policy: spec.policy,
        listen: { host: this.#config.listenHost, port: spec.port },
        state_file: stateFile,
        log_file: join(directory, "keep.log"),
      });
      if (waited === undefined) return;
      if (!(await diedAtHandOver(waited, this.#config.startTimeoutMs))) return;
      await rm(stateFile, { force: true });
    }
  }

  #note(id: string, loader: LoaderProcess): void {
    if (loader.isGone) return;
    this.#loaders.set(id, loader);
    loader.follow(() => {
      if (loader.isGone && this.#loaders.get(id) === loader) this.#loaders.delete(id);
    });
  }

  async keepWarm(most: number): Promise<void> {
    if (most === 0) this.#pool.keep(0, "");
    else this.#pool.keep(most, await this.measurement());
  }

  get waiting(): number {
    return this.#pool.waiting;
  }

  follow(id: string, listener: () => void): () => void {
    const loader = this.#loaders.get(id);
    const unfollow = loader?.follow(() => {
      if (loader.isGone || NEWS.has(loader.state?.state)) listener();
    });
    return unfollow ?? (() => undefined);
  }

  close(): void {
    this.#pool.close();
  }

  async look({ id, loader }: KeepHandle): Promise<KeepReport> {
    // Alive is asked first: a loader that ends in between has said its last word by the time the file is read.
    const alive = loader !== undefined && (await isRunning(loader));
    const said = await readStateFile(join(this.#pathOf(id), "state.json"));
    if (said === undefined) return { alive, state: "silent" };
    const mark = said.keep_pid === undefined ? undefined : await processMark(said.keep_pid);
    return {
      alive,
      // A loader that has the file has its assignment.
      state: said.state === "waiting" ? "starting" : said.state,
      ...(said.reason === undefined ? {} : { reason: said.reason }),
      ...(said.keep_pid === undefined || mark === undefined
        ? {}
        : { keep: { pid: said.keep_pid, mark } }),
      platform: said.platform,
      simulated: said.simulated,
      measurement: said.measurement,
    };
  }

  async end({ id, loader, keep }: KeepHandle): Promise<void> {
    if (loader !== undefined && (await signalProcess(loader, "SIGTERM"))) {
      if (!(await goneWithin(loader, GRACE_MS))) await signalProcess(loader, "SIGKILL");
    }
    // The loader takes its keep along; one that was killed could not.
    const orphan = keep ?? (loader === undefined ? undefined : await this.#recordedKeep(id));
    if (orphan !== undefined && !(await goneWithin(orphan, GRACE_MS / 4))) {
      await signalProcess(orphan, "SIGKILL");
    }
    for (const each of [loader, orphan]) {
      if (each !== undefined) await goneWithin(each, GRACE_MS);
    }
  }

  async forget(id: string): Promise<void> {
    await rm(this.#pathOf(id), { recursive: true, force: true });
  }

  async remains(): Promise<string[]> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    return await readdir(this.#directory);
  }

  #startLoader(ahead: boolean): Promise<LoaderProcess> {
    return LoaderProcess.start({
      loader: this.#config.loader,
      directory: this.#cache,
      config: {
        bundle: this.#config.bundle,
        attestation_url: this.#attestation.url,
        attestation_ca_file: this.#attestation.caFile,
        platform: platformFor(this.#config.platform),
        fetch_allow: this.#fetchAllow,
        ahead,
      },
    });
  }

  /** A keep whose mark was never recorded is taken at its loader's word: nobody else writes that file. */
  async #recordedKeep(id: string): Promise<ProcessRecord | undefined> {
    const said = await readStateFile(join(this.#pathOf(id), "state.json"));
    if (said?.keep_pid === undefined || said.state === "ended" || said.state === "failed") {
      return undefined;
    }
    const mark = await processMark(said.keep_pid);
    return mark === undefined ? undefined : { pid: said.keep_pid, mark };
  }

  #pathOf(id: string): string {
    return join(this.#directory, id);
  }
}

/** What a loader is told: the measurement is for policies, a loader knows better. */
function platformFor(platform: PlatformConfig): object {
  if (platform.kind === "simulated-nitro") return platform;
  const { kind, device } = platform;
  return { kind, device };
}

/**
 * Whether a keep that had waited was killed, itself or its loader, before it proved itself for its policy: nobody can have
 * used it, and another one will do. One that gave a reason, or was ended, is no such case.
 */
function diedAtHandOver(loader: LoaderProcess, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (died: boolean): void => {
      unfollow();
      clearTimeout(timer);
      resolve(died);
    };
    const look = (): void => {
      const { state, exit_code: code } = loader.state ?? {};
      if (state === "failed") settle((code ?? 0) > FIRST_SIGNAL_CODE);
      else if (state === "attested" || state === "serving" || state === "ended") settle(false);
      else if (loader.isGone) settle(true);
    };
    // Whoever waits for the keep finds that it did not come up.
    const timer = setTimeout(() => settle(false), limitMs);
    const unfollow = loader.follow(look);
    look();
  });
}

async function goneWithin(target: ProcessRecord, limitMs: number): Promise<boolean> {
  for (let waited = 0; waited < limitMs; waited += POLL_MS) {
    if (!(await isRunning(target))) return true;
    await sleep(POLL_MS);
  }
  return !(await isRunning(target));
}
