// Looks after instances: at start it takes up what an earlier process left half done; then it notices keeps that ended,
// and finishes endings that had to wait.
import { DEFAULT_NAMESPACE, ServiceRefusal } from "@holdfast/contract";
import { messageOf } from "@holdfast/core";
import type { StoredInstance } from "@holdfast/store";
import { bringUp } from "./bring-up.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { type CcfaasParts, timestamp, UNFINISHED, within } from "./context.ts";
import { finishEnding } from "./end-instance.ts";

const INTERVAL_MS = 500;
const REMEMBER_MS = 24 * 60 * 60 * 1000;
const VAAS_TIMEOUT_MS = 5000;
/** Rounds between two cleanings: half an hour. */
const CLEAN_EVERY = 3600;
/** And between two greetings: a minute. */
const GREET_EVERY = 120;

/** A watch over instances that runs until it is stopped. */
export class InstanceWatch {
  readonly #context: CcfaasParts;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;
  #rounds = 0;
  /** Rounds until VaaS is greeted again. */
  #untilGreeting = 0;

  constructor(context: CcfaasParts) {
    this.#context = context;
  }

  /** Forgets what is old and begins to watch; the first round resumes what is half done. */
  async start(): Promise<void> {
    const { store } = this.#context;
    if (!store.isShared) {
      await store.instances.releaseAll();
      await store.blobs.releaseAll();
    }
    await this.#clean();
    this.#next(0);
  }

  /** Stops watching and working; what is unfinished is resumed by the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#context.works.stopAll();
    await this.#round;
  }

  #next(delay: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#work().finally(() => this.#next(INTERVAL_MS));
    }, delay);
  }

  async #work(): Promise<void> {
    await Promise.all([this.#greet(), this.#lookAtAll()]);
    this.#rounds += 1;
    if (this.#rounds % CLEAN_EVERY !== 0) return;
    await this.#clean().catch((thrown: unknown) => {
      this.#context.logger.warn({ err: thrown }, `cleaning up: ${messageOf(thrown)}`);
    });
  }

  /** While somebody guesses tokens, VaaS looks at none that it has not seen before: it is to have seen ours. */
  async #greet(): Promise<void> {
    this.#untilGreeting -= 1;
    if (this.#untilGreeting > 0) return;
    const { vaas } = within(this.#context, DEFAULT_NAMESPACE);
    try {
      await vaas.keeps({ requestKey: "none", signal: AbortSignal.timeout(VAAS_TIMEOUT_MS) });
    } catch (thrown) {
      if (!(thrown instanceof ServiceRefusal) || thrown.code === "RATE_LIMITED") return;
    }
    this.#untilGreeting = GREET_EVERY;
  }

  /** What a process that died held it holds for a while: blobs, too, are collected once more later. */
  async #clean(): Promise<void> {
    const { store, clock } = this.#context;
    await store.instances.forget(new Date(clock.now().getTime() - REMEMBER_MS).toISOString());
    await collectBlobs(this.#context);
  }

  async #lookAtAll(): Promise<void> {
    const { store, logger, works } = this.#context;
    try {
      const living = await store.instances.living();
      const idle = living.filter(({ key }) => !works.isBusy(key));
      for (const instance of idle) this.#takeUp(instance);
      await this.#noticeEnds([
        ...idle.filter(({ state }) => state === "ready"),
        ...living.filter(({ state }) => state === "provisioning"),
      ]);
    } catch (thrown) {
      logger.warn({ err: thrown }, `watching instances: ${messageOf(thrown)}`);
    }
  }

  #takeUp({ key, state, id, namespace }: StoredInstance): void {
    const { works, logger } = this.#context;
    const context = within(this.#context, namespace);
    const work = UNFINISHED.includes(state)
      ? (signal: AbortSignal) => bringUp(context, key, signal)
      : state === "ending"
        ? () => finishEnding(context, key)
        : undefined;
    if (work === undefined) return;
    works.tryRun(key, work).catch((thrown: unknown) => {
      logger.warn({ instance: id, err: thrown }, "taking up an instance failed");
    });
  }

  /** Looks after the keeps of instances that have one. */
  async #noticeEnds(all: readonly StoredInstance[]): Promise<void> {
    const { logger } = this.#context;
    const groups = [...Map.groupBy(all, (each) => each.namespace)];
    await Promise.all(
      groups.map(([namespace, instances]) =>
        this.#noticeEndsIn(namespace, instances).catch((thrown: unknown) => {
          logger.warn({ namespace, err: thrown }, `watching instances: ${messageOf(thrown)}`);
        }),
      ),
    );
  }

  async #noticeEndsIn(namespace: string, all: readonly StoredInstance[]): Promise<void> {
    const { vaas } = within(this.#context, namespace);
    const { keeps } = await vaas.keeps({ signal: AbortSignal.timeout(VAAS_TIMEOUT_MS) });
    for (const instance of all) {
      const keep = keeps.find(({ instance_hash }) => instance_hash === instance.keepHash);
      if (keep !== undefined && keep.state !== "ended" && keep.state !== "failed") continue;
      const reason = `its keep ended: ${keep?.reason ?? "VaaS does not know it any more"}`;
      await this.#end(instance, reason);
    }
  }

  /** One that is being loaded fails: nobody goes on talking to a keep that is gone. */
  async #end({ key, id, state }: StoredInstance, reason: string): Promise<void> {
    const { store, works, logger } = this.#context;
    const at = timestamp(this.#context);
    const isLoading = state === "provisioning";
    const moved = isLoading
      ? await store.instances.move(key, [state], "ending", at, { reason, finalState: "failed" })
      : await store.instances.move(key, ["ready"], "ended", at, { reason });
    if (!moved) return;
    logger.warn({ instance: id, reason }, isLoading ? "instance failed" : "instance ended");
    if (isLoading) await works.stop(key);
  }
}
