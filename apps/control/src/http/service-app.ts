// What the three services have in common: schema checks without coercion, request ids, problem documents, 405 where a
// path is known, a health route.
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import {
  createServiceServer,
  lacksHost,
  type Metrics,
  requestIdOf,
  type ServiceTls,
} from "@holdfast/channel";
import { DEFAULT_NAMESPACE, PROBLEM_TYPE, problem } from "@holdfast/contract";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchema,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from "fastify";
import type { Access } from "../access/access.ts";
import { ControlError } from "../errors.ts";
import { audit, noteRefusal } from "./audit.ts";
import { answerClientError } from "./client-errors.ts";
import { healthRoutes } from "./health-routes.ts";
import { readJsonBodies } from "./json-body.ts";
import { loggableUrl } from "./loggable-url.ts";
import { namespaceOf, rewriteUrl } from "./namespace.ts";
import { OpenApi } from "./openapi.ts";
import { problemOf } from "./problems.ts";
import { schemaCompilers } from "./schema-compilers.ts";

/** A service with types from its schemas. */
export type ServiceApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
const BODY_LIMIT = 8 * 1024 * 1024;
const BODY_SILENCE_MS = 60_000;
/** What machines ask all day, the control plane itself among them: lines about it would fill the disk, and tell nothing. */
const ROUTINE: ReadonlySet<string | undefined> = new Set([
  "/healthz",
  "/readyz",
  "/metrics",
  "/v1/keeps",
]);

/** What a service is made with. */
export interface ServiceOptions {
  /** Of its OpenAPI document. */
  readonly title: string;
  readonly logger: FastifyBaseLogger;
  /** Throws while the service can't do its work. */
  readonly check: () => Promise<void>;
  readonly access: Access;
  /**
   * Whether there is a namespace; asked only once the caller may know. A service without records has them all: those of
   * its callers' roles.
   */
  readonly hasNamespace?: (name: string) => Promise<boolean>;
  readonly metrics: Metrics;
  /** Plain HTTP when absent. */
  readonly tls?: ServiceTls;
  /** Whether who connects is a proxy, which names the address of its client last in X-Forwarded-For. */
  readonly isBehindProxy?: boolean;
  /** How long the sender of a body may be silent, in milliseconds; a minute. */
  readonly bodySilenceMs?: number;
}

/**
 * Makes a service.
 * @param register adds the routes
 */
export function buildServiceApp(
  options: ServiceOptions,
  register: (app: ServiceApp) => void,
): ServiceApp {
  const { tls } = options;
  const app = Fastify({
    serverFactory: (handler) =>
      createServiceServer(handler, {
        asksForCertificate: true,
        ...(tls === undefined ? {} : { tls }),
      }),
    // What the log calls the address.
    ...(tls === undefined ? {} : { https: {} as object }),
    loggerInstance: options.logger.child({}, { serializers: { req: loggedRequest } }),
    logController: new LogController({ disableRequestLogging: isRoutine }),
    // The nearest one is ours; what it was told by others is hearsay.
    trustProxy: options.isBehindProxy === true ? (_address, hop) => hop === 0 : false,
    bodyLimit: BODY_LIMIT,
    genReqId: requestIdOf,
    rewriteUrl,
    schemaController: schemaCompilers,
    routerOptions: { maxParamLength: 8192 },
    clientErrorHandler: answerClientError,
    // A path that no route can be looked for by.
    frameworkErrors: (error, request, reply) => {
      reply.header("x-request-id", request.id);
      return sendProblem(reply, problemOf(error, request.id));
    },
    // Said below, in our own words.
    return503OnClosing: false,
  }).withTypeProvider<TypeBoxTypeProvider>() as ServiceApp;
  readJsonBodies(app);
  let isEnding = false;
  app.addHook("preClose", async () => {
    isEnding = true;
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    if (isEnding) throw new ControlError(503, "SHUTTING_DOWN", "the service is ending");
    if (lacksHost(request.raw)) {
      throw new ControlError(400, "REQUEST_INVALID", "the request names no host");
    }
    // Whoever announces a body and falls silent is not waited for.
    if (hasBody(request)) request.raw.socket.setTimeout(options.bodySilenceMs ?? BODY_SILENCE_MS);
    const namespace = namespaceOf(request);
    await options.access.check(request, reply);
    // Strangers find out nothing: routes that anyone may use answer alike whether there is one or not.
    const isTold = request.routeOptions.config.role !== "anyone" && namespace !== DEFAULT_NAMESPACE;
    if (isTold && (await options.hasNamespace?.(namespace)) === false) {
      throw new ControlError(404, "NAMESPACE_UNKNOWN", `there is no namespace ${namespace}`);
    }
  });
  // The body is read, or is for a route that reads it as it comes and has a limit of its own.
  app.addHook("preValidation", async ({ raw }) => {
    raw.socket.setTimeout(0);
  });
  // The connection of a request under way would stay open after it, and keep the service from ending.
  app.addHook("onSend", async (_request, reply) => {
    if (isEnding) reply.header("connection", "close");
  });
  app.addHook("onResponse", async (request, reply) => {
    const { method, routeOptions } = request;
    const route = routeOptions.url ?? "unknown";
    options.metrics.answered(route, method, reply.statusCode, reply.elapsedTime / 1000);
    audit(request, reply, options.access.isOpen);
  });
  app.setErrorHandler((error, request, reply) => {
    const answer = problemOf(error, request.id);
    noteRefusal(request, answer.code, error);
    challenge(request, reply, answer.status);
    tellWhen(reply, error);
    if (answer.status >= 500)
      request.log.error({ err: error, code: answer.code }, "request failed");
    else request.log.info({ code: answer.code, detail: answer.detail }, "request refused");
    return sendProblem(reply, answer);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      problem(
        404,
        "ROUTE_NOT_FOUND",
        `there is no ${request.method} ${request.originalUrl.split("?")[0]}`,
      ),
    ),
  );
  const known = new Map<string, Set<string>>();
  const openApi = new OpenApi(options.title, options.access.isOpen);
  app.addHook("onRoute", (route) => {
    const { url, method } = route;
    openApi.add(route);
    const methods = known.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    known.set(url, methods);
  });
  healthRoutes(app, options.check);
  app.get("/openapi.json", { schema: { summary: "This document" } }, async () =>
    openApi.document(),
  );
  const config = { everywhere: true } as const;
  const metrics = { config, schema: { summary: "Metrics for Prometheus", produces: "text/plain" } };
  app.get("/metrics", metrics, async (_request, reply) =>
    reply.type("text/plain; version=0.0.4; charset=utf-8").send(await options.metrics.text()),
  );
  register(app);
  // A plugin of its own, because it must see the routes of those before it.
  app.register(async (rest) => {
    for (const [url, methods] of [...known]) refuseOtherMethods(rest, url, new Set(methods));
  });
  return app;
}

/** Answers with a problem document. */
export function sendProblem(reply: FastifyReply, answer: ReturnType<typeof problem>): FastifyReply {
  // As bytes: to text Fastify would add a charset, which JSON does not have.
  const body = Buffer.from(JSON.stringify(answer));
  return reply.code(answer.status).type(PROBLEM_TYPE).send(body);
}

/** What the log says of a request that comes in. */
function loggedRequest(request: FastifyRequest): object {
  const { method, host, ip } = request;
  return { method, url: loggableUrl(request), host, remoteAddress: ip };
}

/** Refusals are on the log whatever was asked for. */
function isRoutine({ method, routeOptions }: FastifyRequest): boolean {
  return method === "GET" && ROUTINE.has(routeOptions.url);
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/** What RFC 6750 has a service say to whoever is not let in: that a token is needed, is no good, or is not enough. */
function challenge(request: FastifyRequest, reply: FastifyReply, status: number): void {
  const hasToken = request.headers.authorization !== undefined;
  if (status === 401) {
    const fault = hasToken ? ', error="invalid_token"' : "";
    reply.header("www-authenticate", `Bearer realm="holdfast"${fault}`);
  } else if (status === 403 && hasToken) {
    reply.header("www-authenticate", 'Bearer realm="holdfast", error="insufficient_scope"');
  }
}

function tellWhen(reply: FastifyReply, error: unknown): void {
  if (!(error instanceof ControlError) || error.retryAfterSeconds === undefined) return;
  reply.header("retry-after", String(error.retryAfterSeconds));
}

function refuseOtherMethods(
  app: Pick<ServiceApp, "route">,
  url: string,
  methods: ReadonlySet<string>,
): void {
  const schema: FastifySchema = { hide: true };
  app.route({
    method: METHODS.filter((method) => !methods.has(method)),
    url,
    schema,
    config: { role: "anyone" },
    handler: (request, reply) =>
      sendProblem(
        reply.header("allow", [...methods].sort().join(", ")),
        problem(405, "METHOD_NOT_ALLOWED", `${request.method} is not possible here`),
      ),
  });
}
