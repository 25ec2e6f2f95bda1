// Looks after all keeps: at start those that an earlier process left, then each of them twice a second, and those that
// are to wait for a policy.
import { messageOf } from "@holdfast/core";
import type { StoredKeep } from "@holdfast/store";
import type { VaasContext } from "./context.ts";
import { endExpired } from "./end-expired.ts";
import { endKeep } from "./end-keep.ts";
import { reconcileKeep } from "./reconcile-keep.ts";
import { warmRoom } from "./warm-room.ts";

const INTERVAL_MS = 500;
const REMEMBER_MS = 60 * 60 * 1000;
/** Rounds between two cleanings, and events that stay. */
const CLEAN_EVERY = 120;
const EVENTS = 100_000;

/** A watch over keeps that runs until it is stopped. */
export class KeepWatch {
  readonly #context: VaasContext;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  /** Looks that go on, by keep: one that takes long keeps nobody from looking at the others. */
  readonly #looks = new Map<string, Promise<void>>();
  #stopped = false;
  #rounds = 0;

  constructor(context: VaasContext) {
    this.#context = context;
  }

  /** Brings records in line with what is still running, and then keeps them so. */
  async start(): Promise<void> {
    await this.#lookAtAll();
    await Promise.all(this.#looks.values());
    await this.#clean();
    await this.#keepWarm();
    this.#next();
  }

  /** Stops watching; keeps go on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
    await Promise.all(this.#looks.values());
  }

  #next(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#work().finally(() => this.#next());
    }, INTERVAL_MS);
  }

  async #lookAtAll(): Promise<void> {
    const { store, logger, launcher } = this.#context;
    try {
      const living = (await store.keeps.living()).filter(({ node }) => node === launcher.node);
      for (const keep of living) {
        if (!this.#looks.has(keep.id)) this.#looks.set(keep.id, this.#lookAt(keep));
      }
    } catch (thrown) {
      logger.error({ err: thrown }, `watching keeps: ${messageOf(thrown)}`);
    }
  }

  async #lookAt(keep: StoredKeep): Promise<void> {
    try {
      // One that was being ended when the process died is ended now.
      if (keep.state === "ending") await endKeep(this.#context, keep, keep.reason ?? "deleted");
      else await reconcileKeep(this.#context, keep.id);
    } catch (thrown) {
      const { logger } = this.#context;
      logger.error({ err: thrown, keep: keep.name }, `watching a keep: ${messageOf(thrown)}`);
    } finally {
      this.#looks.delete(keep.id);
    }
  }

  async #work(): Promise<void> {
    await this.#lookAtAll();
    await this.#keepWarm();
    this.#rounds += 1;
    if (this.#rounds % CLEAN_EVERY !== 0) return;
    await this.#clean().catch((thrown: unknown) => {
      this.#context.logger.warn({ err: thrown }, `cleaning up: ${messageOf(thrown)}`);
    });
  }

  async #keepWarm(): Promise<void> {
    const { launcher, logger } = this.#context;
    try {
      await launcher.keepWarm(await warmRoom(this.#context));
    } catch (thrown) {
      logger.warn({ err: thrown }, `no keeps that wait: ${messageOf(thrown)}`);
    }
  }

  async #clean(): Promise<void> {
    const { store, launcher, clock, logger } = this.#context;
    await endExpired(this.#context).catch((thrown: unknown) => {
      logger.warn({ err: thrown }, `ending what has expired: ${messageOf(thrown)}`);
    });
    await store.events.trim(EVENTS);
    await store.keeps.forget(new Date(clock.now().getTime() - REMEMBER_MS).toISOString());
    const known = new Set((await store.keeps.list()).map(({ id }) => id));
    for (const id of await launcher.remains()) {
      if (!known.has(id)) await launcher.forget(id);
    }
  }
}
