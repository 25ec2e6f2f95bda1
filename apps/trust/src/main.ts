// The attestation service as a process: node apps/trust/src/main.ts --config FILE.json
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CallerLimits, createNodeCrypto, lockData, ServiceTls } from "@holdfast/channel";
import { HoldfastError, messageOf, systemClock } from "@holdfast/core";
import { type Logger, pino } from "pino";
import { buildApp } from "./app.ts";
import { openStore } from "./collateral/open-store.ts";
import { type Config, readConfig } from "./config.ts";
import { administratorOf } from "./services/administrator.ts";
import { Challenges } from "./services/challenges.ts";
import { DecisionLog } from "./services/decision-log.ts";
import { HeldKeys } from "./services/held-keys.ts";
import { Keys } from "./services/keys.ts";
import { readCollateral } from "./services/read-collateral.ts";
import { ReferenceValues } from "./services/reference-values.ts";
import { RefusalBudget } from "./services/refusal-budget.ts";

const GRACE_MS = 10_000;
const USAGE = "usage: main.ts --config FILE.json";

try {
  await start();
} catch (thrown) {
  const code = thrown instanceof HoldfastError ? thrown.code : "SERVICE_FAILED";
  process.stderr.write(`${code}: ${messageOf(thrown)}\n`);
  process.exit(thrown instanceof HoldfastError ? 2 : 1);
}

async function start(): Promise<void> {
  const file = configFile();
  if (file === undefined) {
    process.stderr.write(`${USAGE}\n`);
    process.exitCode = 2;
    return;
  }
  const config = await readConfig(file);
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const lock = lockData(config.dataDirectory);
  const logger = pino({ name: "trust", base: null });
  const log = await DecisionLog.open(join(config.dataDirectory, "decisions.jsonl"));
  const crypto = createNodeCrypto();
  const collateral = await readCollateral(config.collateralDirectory, crypto);
  for (const each of collateral.ignored) logger.warn(each, "endorsement ignored");
  const store = await openStore(config, { clock: systemClock, crypto }, (what, reason) =>
    logger.warn({ what, reason }, "collateral not usable"),
  );
  const tls = await openTls(config, logger);
  const app = buildApp({
    ...(tls === undefined ? {} : { tls }),
    store,
    collateral,
    config,
    log,
    clock: systemClock,
    crypto,
    keys: await Keys.open(join(config.dataDirectory, "keys.json"), systemClock),
    references: await ReferenceValues.open(join(config.dataDirectory, "reference-values.json")),
    heldKeys: await HeldKeys.open(join(config.dataDirectory, "held-keys"), systemClock),
    administrator: administratorOf(config.adminToken),
    limits: new CallerLimits(config.rates),
    challenges: new Challenges(systemClock, config.challengeSeconds * 1000),
    refusals: new RefusalBudget(systemClock),
    logger,
  });
  if (config.simulatedRoots.length > 0) {
    logger.warn("SIMULATED evidence is accepted: nothing but software stands behind it");
  }
  process.on("SIGHUP", () => void tls?.renew());
  app.addHook("onClose", async () => {
    tls?.close();
    await store.close();
    await log.close();
    lock.release();
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      logger.info({ signal }, "ending");
      // What is under way may finish; what hangs may not keep the service.
      setTimeout(() => process.exit(1), GRACE_MS).unref();
      void app.close();
    });
  }
  await app.listen({ ...config.listen });
}

async function openTls({ tls }: Config, logger: Logger): Promise<ServiceTls | undefined> {
  if (tls === undefined) return undefined;
  const onFault = (reason: string): void => logger.error({ reason }, "certificate not replaced");
  return await ServiceTls.open(tls, { clock: systemClock, onFault });
}

function configFile(): string | undefined {
  try {
    return parseArgs({ options: { config: { type: "string" } } }).values.config;
  } catch {
    // An unknown option: the usage says what is expected.
    return undefined;
  }
}
