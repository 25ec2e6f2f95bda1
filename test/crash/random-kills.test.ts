// Random operations on the control plane, which is killed at random moments: after each restart everything that was
// acknowledged is there, and in the end nothing is left over. A short run by default; a long one by
// HOLDFAST_CRASH_OPERATIONS=500 HOLDFAST_CRASH_KILLS=50. HOLDFAST_CRASH_SEED repeats a run.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type FunctionBody, ServiceRefusal } from "@holdfast/contract";
import { openStore } from "@holdfast/store";
import { isRunning } from "../../apps/control/src/keeps/process-mark.ts";
import {
  eventually,
  FILES,
  newIdentities,
  PROGRAM,
  userPolicy,
  vodFunction,
} from "../../apps/control/src/testing/samples.ts";
import { makeWorld, type World } from "../../apps/control/src/testing/world.ts";

const OPERATIONS = Number(process.env["HOLDFAST_CRASH_OPERATIONS"] ?? 30);
const KILLS = Number(process.env["HOLDFAST_CRASH_KILLS"] ?? 5);
const SEED = Number(process.env["HOLDFAST_CRASH_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const FUNCTIONS = ["f0", "f1"];
const INSTANCES = ["i0", "i1", "i2"];
const LONGEST_WAIT_MS = 700;

/** What functions may be published with, one after the other. */
const MEMORY_MIB = [1000, 2000, 3000];

/** What is known of a thing: it is there, it is not, or nobody answered. */
type Known = "yes" | "no" | "unknown";

describe("the control plane under random kills", () => {
  it(`loses nothing and leaves nothing (seed ${SEED}, ${OPERATIONS} operations, ${KILLS} kills)`, async () => {
    const world = await makeWorld({ keepPorts: 2 });
    try {
      const run = new Run(world, randomFrom(SEED));
      await run.start();
      for (let done = 0; done < OPERATIONS; done += 1) {
        const killAt = Math.floor((done * KILLS) / OPERATIONS);
        const isDue = killAt !== Math.floor(((done + 1) * KILLS) / OPERATIONS);
        await run.operation(isDue);
      }
      await run.finish();
    } finally {
      await world.close();
    }
  });
});

class Run {
  readonly #world: World;
  readonly #random: () => number;
  readonly #functions = new Map<string, Known>();
  readonly #programs = new Map<string, Known>();
  readonly #instances = new Map<string, Known>();
  /** What functions ask for since they were published last, and which version their alias means. */
  readonly #heads = new Candidates();
  readonly #aliases = new Candidates();
  #identities: Awaited<ReturnType<typeof newIdentities>> | undefined;
  #control: ChildProcess | undefined;

  constructor(world: World, random: () => number) {
    this.#world = world;
    this.#random = random;
  }

  async start(): Promise<void> {
    this.#identities = await newIdentities();
    this.#control = await this.#world.spawn();
  }

  /** Does one random thing, and kills the control plane in the middle of it when told to. */
  async operation(kill: boolean): Promise<void> {
    const choices = [
      () => this.#register(),
      () => this.#remove(),
      () => this.#upload(),
      () => this.#publish(),
      () => this.#switch(),
      () => this.#create(),
      () => this.#create(),
      () => this.#end(),
    ];
    const doing = (choices[Math.floor(this.#random() * choices.length)] ?? choices[0])?.();
    if (!kill) {
      await doing;
      return;
    }
    await sleep(this.#random() * LONGEST_WAIT_MS);
    const exited = once(this.#control as ChildProcess, "exit");
    this.#control?.kill("SIGKILL");
    await exited;
    await doing;
    this.#control = await this.#world.spawn();
    await this.#check();
  }

  /** Everything is taken away again, and then nothing may be left. */
  async finish(): Promise<void> {
    const { ccfaas, vaas, config } = this.#world;
    await this.#check();
    for (const { id } of await ccfaas.describeInstances()) await ccfaas.deleteInstance(id);
    for (const name of await ccfaas.listFunctions()) await ccfaas.deleteFunction(name);
    assert.deepEqual(await ccfaas.describeInstances(), []);
    assert.deepEqual((await vaas.list()).veracruz, []);
    const directory = join(config.data_dir, "store");
    const store = await openStore({ directory });
    for (const { loader, state } of await store.keeps.list()) {
      assert.ok(state === "ended" || state === "failed", state);
      if (loader !== undefined) assert.equal(await isRunning(loader), false, "a keep was orphaned");
    }
    assert.deepEqual(await store.keeps.usedPorts("127.0.0.1"), new Set());
    assert.deepEqual(await store.blobs.list(), []);
    assert.deepEqual(readdirSync(join(directory, "blobs/incoming")), []);
    await store.close();
  }

  /** What is known must be so; what nobody answered may be either, and is known from now on. */
  async #check(): Promise<void> {
    const { ccfaas } = this.#world;
    const settled = await eventually(
      () => ccfaas.describeInstances(),
      (all) => all.every(({ state }) => ["ready", "ended", "failed"].includes(state)),
    );
    const names = new Set(await ccfaas.listFunctions());
    for (const name of FUNCTIONS) settle(this.#functions, name, names.has(name));
    for (const name of FUNCTIONS) {
      const files = names.has(name) ? await ccfaas.listPrograms(name) : [];
      settle(this.#programs, name, files.includes(PROGRAM));
    }
    for (const name of names) await this.#checkVersions(name);
    for (const id of INSTANCES) {
      const isReady = settled.some((each) => each.id === id && each.state === "ready");
      settle(this.#instances, id, isReady);
    }
  }

  /** A version is whole, and an alias means one that is there: the acknowledged one, or one nobody answered for. */
  async #checkVersions(name: string): Promise<void> {
    const { ccfaas } = this.#world;
    this.#heads.check(name, (await ccfaas.getFunction(name)).max_memory_mib);
    const versions = await ccfaas.listVersions(name);
    for (const { version } of versions) {
      const { files } = await ccfaas.getVersion(name, version);
      assert.ok(files.every(({ stored }) => stored));
    }
    const [alias] = await ccfaas.listAliases(name);
    this.#aliases.check(name, alias?.version);
    if (alias !== undefined) assert.ok(versions.some(({ version }) => version === alias.version));
  }

  async #register(): Promise<void> {
    const name = this.#oneOf(FUNCTIONS);
    await this.#try(
      this.#functions,
      name,
      "yes",
      () => this.#world.ccfaas.registerFunction(definitionOf(name)),
      () => this.#heads.set(name, definitionOf(name).max_memory_mib),
      () => this.#forget(name),
    );
  }

  /** A definition of which nothing is missing is a version at once; one without its program stays a draft. */
  async #publish(): Promise<void> {
    const name = this.#oneOf(FUNCTIONS);
    const mib = MEMORY_MIB[Math.floor(this.#random() * MEMORY_MIB.length)] ?? 0;
    try {
      const { ccfaas } = this.#world;
      const definition = { ...definitionOf(name), max_memory_mib: mib };
      const { state } = await ccfaas.putDraft(name, definition);
      if (state === "published") this.#heads.set(name, mib);
    } catch (thrown) {
      if (isUnknown(thrown)) this.#heads.add(name, mib);
    }
  }

  async #switch(): Promise<void> {
    const name = this.#oneOf(FUNCTIONS);
    const { ccfaas } = this.#world;
    const versions = await ccfaas.listVersions(name).catch(() => []);
    const { version } = versions[Math.floor(this.#random() * versions.length)] ?? {};
    if (version === undefined) return;
    try {
      await ccfaas.setAlias(name, "stable", version);
      this.#aliases.set(name, version);
    } catch (thrown) {
      if (isUnknown(thrown)) this.#aliases.add(name, version);
    }
  }

  #forget(name: string): void {
    this.#heads.forget(name);
    this.#aliases.forget(name);
  }

  async #remove(): Promise<void> {
    const name = this.#oneOf(FUNCTIONS);
    const before = this.#programs.get(name);
    const forget = (): void => this.#forget(name);
    await this.#try(
      this.#functions,
      name,
      "no",
      () => this.#world.ccfaas.deleteFunction(name),
      forget,
      forget,
    );
    const now = this.#functions.get(name);
    if (now !== "yes") this.#programs.set(name, before === "no" ? "no" : (now ?? "no"));
  }

  #upload(): Promise<void> {
    const name = this.#oneOf(FUNCTIONS);
    const body = FILES[PROGRAM] ?? new Uint8Array();
    return this.#try(this.#programs, name, "yes", () =>
      this.#world.ccfaas.uploadProgram(name, PROGRAM, body),
    );
  }

  #create(): Promise<void> {
    const id = this.#oneOf(INSTANCES);
    if (this.#identities === undefined) throw new Error("not started");
    const policy = userPolicy(this.#identities, {
      instanceid: id,
      function: this.#oneOf(FUNCTIONS),
    });
    return this.#try(this.#instances, id, "yes", () => this.#world.ccfaas.createInstance(policy));
  }

  #end(): Promise<void> {
    const id = this.#oneOf(INSTANCES);
    return this.#try(this.#instances, id, "no", () => this.#world.ccfaas.deleteInstance(id));
  }

  /** Does something that makes a thing so; a refusal changes nothing, and without an answer it may be either. */
  async #try(
    things: Map<string, Known>,
    name: string,
    outcome: Known,
    work: () => Promise<unknown>,
    done?: () => void,
    unknown?: () => void,
  ): Promise<void> {
    try {
      await work();
      things.set(name, outcome);
      done?.();
    } catch (thrown) {
      if (!isUnknown(thrown)) return;
      things.set(name, "unknown");
      unknown?.();
    }
  }

  #oneOf(names: readonly string[]): string {
    return names[Math.floor(this.#random() * names.length)] ?? "";
  }
}

/** Values that a thing may have: the acknowledged one, and those that nobody answered for since. */
class Candidates {
  readonly #values = new Map<string, Set<number | undefined>>();

  set(name: string, value: number): void {
    this.#values.set(name, new Set([value]));
  }

  add(name: string, value: number): void {
    this.#values.get(name)?.add(value);
  }

  forget(name: string): void {
    this.#values.delete(name);
  }

  /** The value it has must be one of them, and is known from now on. */
  check(name: string, value: number | undefined): void {
    const values = this.#values.get(name) ?? new Set([value]);
    assert.ok(values.has(value), `${name}: ${value}, not ${[...values]}`);
    this.#values.set(name, new Set([value]));
  }
}

function definitionOf(name: string): FunctionBody {
  return { ...vodFunction(name), data_files: [] };
}

/** Whether nobody knows what became of a request: no answer, or one that says that something failed. */
function isUnknown(thrown: unknown): boolean {
  return !(thrown instanceof ServiceRefusal) || (thrown.status >= 500 && thrown.status !== 507);
}

function settle(things: Map<string, Known>, name: string, isThere: boolean): void {
  const known = things.get(name) ?? "no";
  if (known !== "unknown") assert.equal(isThere ? "yes" : "no", known, name);
  things.set(name, isThere ? "yes" : "no");
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
