// The attestation service as a value: everything it works with comes in, nothing listens yet.
import type { RequestListener, Server } from "node:http";
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import {
  answerClientError,
  type CallerLimits,
  createServiceServer,
  Metrics,
  requestIdOf,
  type ServiceTls,
} from "@holdfast/channel";
import { PROBLEM_TYPE, unheardProblem } from "@holdfast/contract";
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from "fastify";
import type { Config } from "./config.ts";
import { administrationRoutes } from "./routes/administration.ts";
import { appraisalRoutes } from "./routes/appraisals.ts";
import { attestationRoutes } from "./routes/attestation.ts";
import { healthRoutes } from "./routes/health.ts";
import { keyRoutes } from "./routes/keys.ts";
import { problemHandlers } from "./routes/problems.ts";
import { requestHooks } from "./routes/request-hooks.ts";
import { veracruzRoutes } from "./routes/veracruz.ts";
import type { Administrator } from "./services/administrator.ts";
import type { AppraiseDependencies } from "./services/appraise.ts";
import type { CertifyDependencies } from "./services/certify.ts";
import type { ReleaseDependencies } from "./services/release-key.ts";

/** What the service works with. */
export interface AppDependencies
  extends CertifyDependencies,
    AppraiseDependencies,
    ReleaseDependencies {
  readonly config: Config;
  readonly administrator: Administrator;
  readonly limits: CallerLimits;
  readonly logger?: FastifyBaseLogger;
  /** Plain HTTP when absent. */
  readonly tls?: ServiceTls;
}

/** The service. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

const BODY_LIMIT = 64 * 1024;
/** For a whole request, and for a silence in it. */
const REQUEST_TIMEOUT_MS = 15_000;

/** Builds the service. */
export function buildApp(deps: AppDependencies): App {
  const app = fastify({
    ...(deps.logger === undefined ? {} : { loggerInstance: deps.logger }),
    serverFactory: (handler) => serverOf(handler, deps.tls),
    // What the log calls the address.
    ...(deps.tls === undefined ? {} : { https: {} as object }),
    // The nearest one is ours; what it was told by others is hearsay.
    trustProxy: deps.config.isBehindProxy === true ? (_address, hop) => hop === 0 : false,
    genReqId: requestIdOf,
    clientErrorHandler: (error, socket) =>
      answerClientError(error, socket, (code) => {
        const document = unheardProblem(code);
        return { ...document, type: PROBLEM_TYPE, body: JSON.stringify(document) };
      }),
    // Said in our own words.
    return503OnClosing: false,
    bodyLimit: BODY_LIMIT,
    // An attester that keeps an idle connection must not keep the service from ending.
    forceCloseConnections: "idle",
    // Longer than any head of a request may be: how long names are is for schemas to say, in our words.
    routerOptions: { maxParamLength: 16 * 1024 },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  const metrics = new Metrics();
  problemHandlers(app);
  requestHooks(app, deps.limits, metrics);
  healthRoutes(app, deps, metrics);
  attestationRoutes(app, deps);
  appraisalRoutes(app, deps);
  administrationRoutes(app, deps);
  keyRoutes(app, deps);
  veracruzRoutes(app, deps);
  return app;
}

function serverOf(handler: RequestListener, tls: ServiceTls | undefined): Server {
  const server = createServiceServer(handler, {
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    ...(tls === undefined ? {} : { tls }),
  });
  return server.setTimeout(REQUEST_TIMEOUT_MS);
}
