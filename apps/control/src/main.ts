// The control plane as a process: VaaS, CCFaaS and the S3 bridge, whichever the configuration names.
// Usage: node apps/control/src/main.ts --config FILE.json

import { join } from "node:path";
import { parseArgs } from "node:util";
import { messageOf, systemClock } from "@holdfast/core";
import { openStore } from "@holdfast/store";
import { buildServices, type Service } from "./app.ts";
import { readConfig } from "./config.ts";
import { createLogger } from "./logger.ts";

const { values } = parseArgs({ options: { config: { type: "string" } } });
if (values.config === undefined) {
  console.error("usage: main.ts --config FILE.json");
  process.exit(2);
}
try {
  await run(values.config);
} catch (thrown) {
  console.error(`control plane: ${messageOf(thrown)}`);
  process.exit(1);
}

async function run(path: string): Promise<void> {
  const config = await readConfig(path);
  const logger = createLogger(config.logLevel);
  // Beside the file, because an address with a password in it is often kept in the environment.
  const databaseUrl = config.databaseUrl ?? process.env["DATABASE_URL"];
  const store = await openStore({
    directory: join(config.dataDir, "store"),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
  const services = await buildServices({ config, store, clock: systemClock, logger });
  for (const { app, listen, start } of services) {
    await start();
    await app.listen({ host: listen.host, port: listen.port });
  }
  const stop = async (signal: string): Promise<void> => {
    logger.info({ signal }, "ending; keeps go on");
    for (const service of [...services].reverse()) await end(service);
    await store.close();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void stop(signal));
}

/** No new requests, work put down where the next process takes it up, then the requests in flight end. */
async function end({ app, stop }: Service): Promise<void> {
  const closed = app.close();
  await stop();
  await closed;
}
