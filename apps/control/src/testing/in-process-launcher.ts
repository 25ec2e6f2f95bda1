// A second kind of launcher, for tests that are not about processes: the same small keeps behind real attested TLS, in
// this very process. What passes with it rests on the port alone.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessRecord } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import type { KeepHandle, KeepLauncher, KeepReport, KeepSpec } from "../keeps/keep-launcher.ts";
import { type KeepFaults, type SmallKeep, startSmallKeep } from "./small-keep.ts";

interface Entry {
  state: KeepReport["state"];
  reason?: string;
  alive: boolean;
  keep?: SmallKeep;
  readonly listeners: Set<() => void>;
}

/** Keeps of this process. */
export class InProcessLauncher implements KeepLauncher {
  readonly node = "in-process";
  readonly #bundle: string;
  readonly #authorityDirectory: string;
  readonly #listenHost: string;
  readonly #entries = new Map<string, Entry>();
  #started = 0;

  constructor(options: { bundle: string; authorityDirectory: string; listenHost: string }) {
    this.#listenHost = options.listenHost;
    this.#bundle = options.bundle;
    this.#authorityDirectory = options.authorityDirectory;
  }

  /** Keeps that are still up. */
  get running(): number {
    return [...this.#entries.values()].filter(({ alive }) => alive).length;
  }

  async measurement(): Promise<string> {
    if (!existsSync(this.#bundle)) throw new ControlError(503, "BUNDLE_MISSING", "no bundle");
    const digest = createHash("sha384").update(readFileSync(this.#bundle)).digest("hex");
    return digest.slice(0, 64);
  }

  async start(spec: KeepSpec, record: (loader: ProcessRecord) => Promise<void>): Promise<void> {
    const measurement = await this.measurement();
    const entry: Entry = { state: "silent", alive: true, listeners: new Set() };
    this.#started += 1;
    await record({ pid: 1, mark: `in-process ${this.#started}` });
    this.#entries.set(spec.id, entry);
    const options = {
      policy: spec.policy,
      listen: { host: this.#listenHost, port: spec.port },
      authorityDirectory: this.#authorityDirectory,
      measurement,
      faults: () => this.#faults(),
      tell: (state: string, reason?: string) => {
        entry.state = state as KeepReport["state"];
        if (reason !== undefined) entry.reason = reason;
        if (state === "ended" || state === "failed") this.kill(spec.id);
        for (const listener of [...entry.listeners]) listener();
      },
    };
    if (this.#faults().vanish) {
      entry.alive = false;
      return;
    }
    startSmallKeep(options).then(
      (keep) => {
        if (keep === undefined) return;
        entry.keep = keep;
        if (!entry.alive) keep.close();
      },
      (thrown: Error) => options.tell("failed", thrown.message),
    );
  }

  async look({ id }: KeepHandle): Promise<KeepReport> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return { alive: false, state: "silent" };
    return {
      alive: entry.alive,
      state: entry.state,
      ...(entry.reason === undefined ? {} : { reason: entry.reason }),
      platform: "simulated-nitro",
      simulated: true,
    };
  }

  async end({ id }: KeepHandle): Promise<void> {
    this.kill(id);
  }

  /** Takes a keep away without a word. */
  kill(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.alive = false;
    entry.keep?.close();
  }

  readonly waiting = 0;

  /** None of these waits. */
  async keepWarm(): Promise<void> {}

  follow(id: string, listener: () => void): () => void {
    const entry = this.#entries.get(id);
    entry?.listeners.add(listener);
    return () => void entry?.listeners.delete(listener);
  }

  close(): void {}

  /** Takes all keeps away. */
  killAll(): void {
    for (const id of this.#entries.keys()) this.kill(id);
  }

  async forget(id: string): Promise<void> {
    this.#entries.delete(id);
  }

  async remains(): Promise<string[]> {
    return [...this.#entries.keys()];
  }

  #faults(): KeepFaults {
    const path = join(this.#authorityDirectory, "faults.json");
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as KeepFaults) : {};
  }
}
