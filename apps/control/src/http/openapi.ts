// The OpenAPI document of a service, from the very schemas that its routes check with.
import { Problem } from "@holdfast/contract";
import type { FastifySchema, RouteOptions } from "fastify";

/** What a route may say of itself beside its schemas. */
declare module "fastify" {
  interface FastifySchema {
    readonly summary?: string;
    /** Media type of the body, when it is not JSON. */
    readonly consumes?: string;
    /** Media type of the answer, when it is not JSON. */
    readonly produces?: string;
    /** Shape of an answer that the route writes by itself, to the byte. */
    readonly answer?: object;
    /** Left out of the document. */
    readonly hide?: boolean;
  }
}

type Route = Pick<RouteOptions, "url" | "method" | "schema" | "config">;
type Json = Readonly<Record<string, unknown>>;
type Parameters = { readonly properties?: Json; readonly required?: readonly string[] };

/** How callers prove who they are. */
const PROOFS = {
  bearer: { type: "http", scheme: "bearer" },
  certificate: { type: "mutualTLS" },
};

/** Collects routes, then writes the document. */
export class OpenApi {
  readonly #title: string;
  readonly #isOpen: boolean;
  readonly #paths = new Map<string, Record<string, Json>>();

  /** @param isOpen nobody is asked who he is */
  constructor(title: string, isOpen: boolean) {
    this.#title = title;
    this.#isOpen = isOpen;
  }

  /** Takes a route in. */
  add({ url, method, schema, config }: Route): void {
    if (schema?.hide) return;
    const path = url.replace(/:(\w+)/g, "{$1}").replace("*", "{file}");
    const operations = this.#paths.get(path) ?? {};
    for (const each of [method].flat()) {
      if (each === "HEAD" || each === "OPTIONS") continue;
      const isForAnyone = !this.#isOpen && config?.role === "anyone";
      operations[each.toLowerCase()] = {
        ...operation(each, path, schema ?? {}),
        ...(isForAnyone ? { security: [] } : {}),
      };
    }
    this.#paths.set(path, operations);
  }

  /** The document (OpenAPI 3.1). */
  document(): Json {
    return {
      openapi: "3.1.0",
      info: { title: this.#title, version: "0.1.0" },
      servers: [
        { url: "/", description: "the namespace default" },
        {
          url: "/namespaces/{namespace}",
          description: "any other namespace",
          variables: { namespace: { default: "default" } },
        },
      ],
      paths: Object.fromEntries(this.#paths),
      ...(this.#isOpen ? {} : { security: Object.keys(PROOFS).map((name) => ({ [name]: [] })) }),
      components: {
        schemas: { Problem },
        ...(this.#isOpen ? {} : { securitySchemes: PROOFS }),
      },
    };
  }
}

function operation(method: string, path: string, schema: FastifySchema): Json {
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+/g, "_")}`,
    ...(schema.summary === undefined ? {} : { summary: schema.summary }),
    parameters: [
      ...parametersOf("path", path, schema.params),
      ...parametersOf("query", path, schema.querystring),
      ...parametersOf("header", path, schema.headers),
    ],
    ...bodyOf(schema),
    responses: {
      ...answersOf(schema),
      default: {
        description: "refused, or failed",
        content: {
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        },
      },
    },
  };
}

function parametersOf(place: "path" | "query" | "header", path: string, schema: unknown): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as Parameters;
  return Object.entries(properties)
    .filter(([name]) => name !== "accept")
    .map(([name, each]) => ({
      name: name === "*" ? "file" : name,
      in: place,
      required: place === "path" || required.includes(name),
      schema: each,
    }))
    .filter(({ name }) => place !== "path" || path.includes(`{${name}}`));
}

function bodyOf({ body, consumes }: FastifySchema): Json {
  if (consumes !== undefined) {
    const schema = { type: "string", format: "binary" };
    return { requestBody: { required: true, content: { [consumes]: { schema } } } };
  }
  if (body === undefined) return {};
  return { requestBody: { required: true, content: { "application/json": { schema: body } } } };
}

function answersOf({ response, produces, answer }: FastifySchema): Json {
  const given = Object.entries((response ?? {}) as Json);
  if (given.length === 0) {
    const type = produces ?? "application/json";
    const schema = answer === undefined ? {} : { schema: answer };
    return { "200": { description: "done", content: { [type]: schema } } };
  }
  return Object.fromEntries(
    given.map(([status, schema]) => [
      status,
      status === "204"
        ? { description: "done" }
        : { description: "done", content: { [produces ?? "application/json"]: { schema } } },
    ]),
  );
}
