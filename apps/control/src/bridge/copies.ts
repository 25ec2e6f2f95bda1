// Copies that nobody waits for: each goes on by itself and tells how far it is. They live in memory alone, because the
// keys they work with are never written anywhere: when the process ends, they end, and the keep has nothing of them.
import { createHash, randomUUID } from "node:crypto";
import type { CopyResource, S3StreamBody } from "@holdfast/contract";
import type { FastifyBaseLogger } from "fastify";
import { ControlError } from "../errors.ts";
import { problemOf } from "../http/problems.ts";
import type { BridgeContext } from "./context.ts";
import { copyObject } from "./copy-object.ts";

interface Copy {
  readonly namespace: string;
  resource: CopyResource;
  readonly stop: AbortController;
  readonly done: Promise<void>;
  endedAt?: number;
  readonly asked?: Asked;
}

/** The caller's name for a request, and a digest of it: the same name with another request is a mistake. */
interface Asked {
  readonly key: string;
  readonly digest: string;
}

const MAXIMUM_RUNNING = 64;
const MAXIMUM_KEPT = 1000;
const KEEP_MS = 60 * 60 * 1000;

/** Copies that run, and lately ended ones. */
export class Copies {
  readonly #context: BridgeContext;
  readonly #logger: FastifyBaseLogger;
  readonly #copies = new Map<string, Copy>();

  constructor(context: BridgeContext, logger: FastifyBaseLogger) {
    this.#context = context;
    this.#logger = logger;
  }

  /**
   * Starts a copy, which only its namespace sees; asked again with the same key it is the same copy.
   * @throws ControlError COPIES_BUSY, IDEMPOTENCY_KEY_REUSED
   */
  start(namespace: string, body: S3StreamBody, idempotencyKey?: string): CopyResource {
    this.#forget();
    const asked = idempotencyKey === undefined ? undefined : askedWith(idempotencyKey, body);
    const earlier = this.#findEarlier(namespace, asked);
    if (earlier !== undefined) return earlier.resource;
    const running = [...this.#copies.values()].filter(({ endedAt }) => endedAt === undefined);
    if (running.length >= MAXIMUM_RUNNING) {
      throw new ControlError(503, "COPIES_BUSY", `${running.length} copies run; try again later`);
    }
    const id = randomUUID();
    const stop = new AbortController();
    const resource: CopyResource = {
      id,
      state: "running",
      bucket: body.s3.bucket,
      object: body.s3.filename,
      file: body.veracruz.filename,
      bytes: 0,
      started_at: this.#context.clock.now().toISOString(),
    };
    const copy: Copy = {
      namespace,
      resource,
      stop,
      done: Promise.resolve(),
      ...(asked === undefined ? {} : { asked }),
    };
    this.#copies.set(id, Object.assign(copy, { done: this.#run(copy, body) }));
    return resource;
  }

  /** @throws ControlError COPY_NOT_FOUND */
  get(namespace: string, id: string): CopyResource {
    return this.#find(namespace, id).resource;
  }

  /** Copies, newest last: of a namespace, or of all for who counts them. */
  list(namespace?: string): CopyResource[] {
    this.#forget();
    return [...this.#copies.values()]
      .filter((copy) => namespace === undefined || copy.namespace === namespace)
      .map(({ resource }) => resource);
  }

  /** Resolves when the copy has ended, or after a while. */
  async wait(namespace: string, id: string, seconds: number): Promise<void> {
    const { done } = this.#find(namespace, id);
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, seconds * 1000);
    });
    await Promise.race([done, enough]);
    clearTimeout(timer);
  }

  /** Ends a copy, if it runs, and forgets it. */
  async remove(namespace: string, id: string): Promise<void> {
    const { stop, done } = this.#find(namespace, id);
    stop.abort();
    await done;
    this.#copies.delete(id);
  }

  /** Ends all copies. */
  async stop(): Promise<void> {
    for (const { stop } of this.#copies.values()) stop.abort();
    await Promise.all([...this.#copies.values()].map(({ done }) => done));
  }

  async #run(copy: Copy, body: S3StreamBody): Promise<void> {
    const change = (fields: Partial<CopyResource>): void => {
      copy.resource = { ...copy.resource, ...fields };
    };
    try {
      const bytes = await copyObject(this.#context, body, {
        signal: copy.stop.signal,
        onObject: (size, checksum) =>
          change({ size, ...(checksum === undefined ? {} : { checksum }) }),
        onProgress: (sent) => change({ bytes: sent }),
      });
      change({ state: "done", bytes });
    } catch (thrown) {
      const { id } = copy.resource;
      const { status, code, detail } = problemOf(thrown, id);
      // The document says no more than that the log has the rest.
      if (status === 500) this.#logger.error({ err: thrown, copy: id }, "copy failed");
      change({ state: copy.stop.signal.aborted ? "cancelled" : "failed", code, reason: detail });
    }
    copy.endedAt = this.#context.clock.now().getTime();
    change({ ended_at: new Date(copy.endedAt).toISOString() });
    const { id, state, bytes, code } = copy.resource;
    this.#logger.info({ copy: id, state, bytes, code }, "copy ended");
  }

  #find(namespace: string, id: string): Copy {
    const copy = this.#copies.get(id);
    if (copy?.namespace === namespace) return copy;
    throw new ControlError(404, "COPY_NOT_FOUND", "there is no such copy, or no longer");
  }

  #findEarlier(namespace: string, asked: Asked | undefined): Copy | undefined {
    if (asked === undefined) return undefined;
    const earlier = [...this.#copies.values()].find(
      (copy) => copy.namespace === namespace && copy.asked?.key === asked.key,
    );
    if (earlier === undefined || earlier.asked?.digest === asked.digest) return earlier;
    const text = "this idempotency key was used for another request";
    throw new ControlError(422, "IDEMPOTENCY_KEY_REUSED", text);
  }

  #forget(): void {
    const old = this.#context.clock.now().getTime() - KEEP_MS;
    const ended = [...this.#copies].filter(([, { endedAt }]) => endedAt !== undefined);
    ended.forEach(([id, { endedAt = 0 }], index) => {
      if (endedAt < old || ended.length - index > MAXIMUM_KEPT) this.#copies.delete(id);
    });
  }
}

function askedWith(key: string, { s3, veracruz }: S3StreamBody): Asked {
  const text = JSON.stringify([s3, veracruz].map((part) => Object.entries(part).sort()));
  return { key, digest: createHash("sha256").update(text).digest("hex") };
}
