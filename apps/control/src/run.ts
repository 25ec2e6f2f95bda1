// Opens the store, starts the services in order, and stops them in the other.
import { type DataLock, lockData } from "@holdfast/channel";
import { systemClock } from "@holdfast/core";
import { buildServices, type Service } from "./app.ts";
import type { Config } from "./config.ts";
import { forbidCoreDumps } from "./core-dumps.ts";
import { openDoor } from "./http/door.ts";
import { createLogger } from "./logger.ts";
import { openConfiguredStore } from "./open-store.ts";

/** A control plane that runs. */
export interface Running {
  /** Ends it; keeps go on. */
  stop(reason: string): Promise<void>;
  /** Reads certificates and principals again. */
  reload(): Promise<void>;
}

/**
 * Starts everything that a configuration names.
 * @throws DataLockError DATA_IN_USE when another process serves the same from its data directory; what else can't be opened
 */
export async function run(config: Config): Promise<Running> {
  const logger = createLogger(config.logLevel);
  if (!(await forbidCoreDumps())) {
    logger.warn("a crash may write this process's memory to the disk, with keys of users in it");
  }
  const locks = lockServices(config);
  // Beside the file, because an address with a password in it is often kept in the environment.
  const store = await openConfiguredStore(config, process.env["DATABASE_URL"]);
  const clock = systemClock;
  const door = await openDoor(config, { clock, logger });
  const services = await buildServices({ config, store, clock, logger, door });
  for (const service of services) {
    await service.start();
    await service.app.listen({ host: service.listen.host, port: service.listen.port });
  }
  return {
    reload: () => door.reload(),
    async stop(reason) {
      logger.info({ reason }, "ending; keeps go on");
      for (const service of [...services].reverse()) await end(service);
      door.close();
      await store.close();
      for (const lock of locks) lock.release();
    },
  };
}

/** A second VaaS would bury keeps that the first is starting, a second CCFaaS take its instances and uploads for lost. */
function lockServices({ dataDir, vaas, ccfaas }: Config): DataLock[] {
  return [
    ...(vaas === undefined ? [] : [lockData(dataDir, "vaas")]),
    ...(ccfaas === undefined ? [] : [lockData(dataDir, "ccfaas")]),
  ];
}

/** No new requests, work put down where the next process takes it up, then the requests in flight end. */
async function end({ app, stop }: Service): Promise<void> {
  const closed = app.close();
  await stop();
  await closed;
}
