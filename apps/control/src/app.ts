// Puts the three services together from their parts. Nothing listens here.
import { join } from "node:path";
import { countBy, Metrics } from "@holdfast/channel";
import { namespaceTransport, VaasClient } from "@holdfast/contract";
import type { Clock, HttpTransport } from "@holdfast/core";
import type { Store } from "@holdfast/store";
import type { FastifyBaseLogger } from "fastify";
import { Copies } from "./bridge/copies.ts";
import { bridgeRoutes } from "./bridge/routes.ts";
import { v1BridgeRoutes } from "./bridge/v1-routes.ts";
import { fileRoutes } from "./ccfaas/file-routes.ts";
import { functionRoutes } from "./ccfaas/function-routes.ts";
import { instanceRoutes } from "./ccfaas/instance-routes.ts";
import { InstanceWorks } from "./ccfaas/instance-works.ts";
import { loaderIdentity } from "./ccfaas/loader-identity.ts";
import { v1DraftRoutes } from "./ccfaas/v1-draft-routes.ts";
import { v1FunctionRoutes } from "./ccfaas/v1-function-routes.ts";
import { v1InstanceRoutes } from "./ccfaas/v1-instance-routes.ts";
import { v1VersionRoutes } from "./ccfaas/v1-version-routes.ts";
import { InstanceWatch } from "./ccfaas/watch-instances.ts";
import type { Config } from "./config.ts";
import type { Door } from "./http/door.ts";
import { eventRoutes } from "./http/event-routes.ts";
import { namespaceRoutes } from "./http/namespace-routes.ts";
import { buildServiceApp, type ServiceApp } from "./http/service-app.ts";
import { serviceTransport } from "./http/service-transport.ts";
import type { KeepLauncher } from "./keeps/keep-launcher.ts";
import { LocalLauncher } from "./keeps/local-launcher.ts";
import { ownName } from "./keeps/own-name.ts";
import { attestationAt } from "./vaas/attestation.ts";
import { KeepAges } from "./vaas/keep-ages.ts";
import { vaasRoutes } from "./vaas/routes.ts";
import { Turns } from "./vaas/turns.ts";
import { KeepWatch } from "./vaas/watch-keeps.ts";

/** What services are made of. */
export interface Parts {
  readonly config: Config;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
  readonly door: Door;
  /** Who runs keeps; local processes when absent. */
  readonly launcher?: KeepLauncher;
}

/** A service and what it does besides answering. */
export interface Service {
  readonly name: "vaas" | "ccfaas" | "s3";
  readonly app: ServiceApp;
  readonly listen: { readonly host: string; readonly port: number };
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** How long connections to keeps and stores may stand still. */
const SILENCE_MS = 60_000;
/** How long VaaS is asked again while it does not answer. */
const VAAS_PATIENCE_MS = 5000;

/** The services that a configuration asks for, VaaS first. */
export async function buildServices(parts: Parts): Promise<Service[]> {
  const services = [await buildVaas(parts), await buildCcfaas(parts), buildBridge(parts)];
  return services.filter((service) => service !== undefined);
}

async function buildVaas({
  config,
  store,
  clock,
  door,
  ...parts
}: Parts): Promise<Service | undefined> {
  const { vaas, keeps, attestationUrl: url, attestationCaFile: caFile } = config;
  if (vaas === undefined || keeps === undefined || url === undefined) return undefined;
  const authority = caFile === undefined ? {} : { caFile };
  const logger = parts.logger.child({ service: "vaas" });
  const directory = join(config.dataDir, "keeps");
  const node = await ownName(config.dataDir, "node");
  const cache = join(config.dataDir, "cache");
  const onFault = (reason: string): void => logger.warn({ reason }, "a keep does not wait");
  const launcher =
    parts.launcher ??
    new LocalLauncher({
      node,
      config: keeps,
      attestation: { url, ...authority },
      directory,
      cache,
      fetchAllow: config.remote.allow,
      onFault,
    });
  const attestation = attestationAt(url, await serviceTransport(url, authority));
  const context = {
    store,
    launcher,
    attestation,
    config: keeps,
    clock,
    logger,
    launching: new Set<string>(),
    ages: new KeepAges(),
    turns: new Turns(),
  };
  const watch = new KeepWatch(context);
  const check = (): Promise<void> => store.check();
  const hasNamespace = namespacesOf(store);
  const metrics = new Metrics();
  metrics.gauge("holdfast_keeps", "Keeps by state.", "state", async () =>
    (await store.keeps.counts()).set("waiting", launcher.waiting),
  );
  return {
    name: "vaas",
    listen: vaas,
    app: buildServiceApp(
      { title: "VaaS", logger, check, metrics, hasNamespace, ...door },
      (app) => {
        vaasRoutes(app, context);
        namespaceRoutes(app, { namespaces: store.namespaces, clock });
        eventRoutes(app, store.events, ["keep"]);
      },
    ),
    start: () => watch.start(),
    async stop() {
      await watch.stop();
      launcher.close();
    },
  };
}

async function buildCcfaas({
  config,
  store,
  clock,
  door,
  ...parts
}: Parts): Promise<Service | undefined> {
  const { ccfaas } = config;
  if (ccfaas === undefined) return undefined;
  const logger = parts.logger.child({ service: "ccfaas" });
  const vaas = await vaasTransport(ccfaas, door);
  const context = {
    store,
    vaasIn: (namespace: string) => new VaasClient(namespaceTransport(vaas, namespace)),
    loader: await loaderIdentity(ccfaas.identityFile, clock),
    vaasPatienceMs: ccfaas.vaas_patience_ms ?? VAAS_PATIENCE_MS,
    silenceMs: ccfaas.silence_ms ?? SILENCE_MS,
    limits: config.limits,
    remote: config.remote,
    clock,
    logger,
    works: new InstanceWorks(store.instances, clock),
    fetching: new Map<string, number>(),
  };
  const watch = new InstanceWatch(context);
  const check = (): Promise<void> => store.check();
  const hasNamespace = namespacesOf(store);
  const metrics = new Metrics();
  metrics.gauge("holdfast_instances", "Instances by state.", "state", () =>
    store.instances.counts(),
  );
  return {
    name: "ccfaas",
    listen: ccfaas,
    app: buildServiceApp(
      { title: "CCFaaS", logger, check, metrics, hasNamespace, ...door },
      (app) => {
        functionRoutes(app, context);
        fileRoutes(app, context);
        instanceRoutes(app, context);
        v1FunctionRoutes(app, context);
        v1DraftRoutes(app, context);
        v1VersionRoutes(app, context);
        v1InstanceRoutes(app, context);
        namespaceRoutes(app, { namespaces: store.namespaces, clock });
        eventRoutes(app, store.events, ["function", "instance"]);
      },
    ),
    start: () => watch.start(),
    stop: () => watch.stop(),
  };
}

/** VaaS under an authority of our own is usually under the one that we made. */
function vaasTransport(
  { vaas_url, vaasTokenFile: tokenFile, vaasCaFile }: NonNullable<Config["ccfaas"]>,
  { tls }: Door,
): Promise<HttpTransport> {
  const caFile = vaasCaFile ?? tls?.authorityFile;
  return serviceTransport(vaas_url, {
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(caFile === undefined ? {} : { caFile }),
  });
}

function namespacesOf({ namespaces }: Store): (name: string) => Promise<boolean> {
  return async (name) => (await namespaces.find(name)) !== undefined;
}

function buildBridge({ config, clock, door, ...parts }: Parts): Service | undefined {
  const { s3 } = config;
  if (s3 === undefined) return undefined;
  const logger = parts.logger.child({ service: "s3" });
  const context = { store: s3, silenceMs: s3.silence_ms ?? SILENCE_MS, clock };
  const copies = new Copies(context, logger);
  const check = (): Promise<void> => Promise.resolve();
  const metrics = new Metrics();
  metrics.gauge("holdfast_copies", "Copies by state.", "state", async () =>
    countBy(copies.list(), ({ state }) => state),
  );
  return {
    name: "s3",
    listen: s3,
    app: buildServiceApp({ title: "S3 bridge", logger, check, metrics, ...door }, (app) => {
      bridgeRoutes(app, context);
      v1BridgeRoutes(app, copies);
    }),
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
}
