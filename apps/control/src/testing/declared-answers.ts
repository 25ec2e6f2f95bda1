// Holds answers against the OpenAPI document that a service gives of itself, with a JSON Schema library that is not ours.
import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

/** What of a document is used. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}
export interface ApiOperation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Shape }>> }>
  >;
}

/** An answer as it came. */
export interface GivenAnswer {
  readonly status: number;
  /** The header as it is; empty when absent. */
  readonly type: string;
  readonly body: string;
}

/** Checks answers of one service. */
export class DeclaredAnswers {
  readonly #ajv: Ajv2020;
  readonly #compiled = new Map<object, ValidateFunction>();

  constructor({ components }: ApiDocument) {
    this.#ajv = new Ajv2020({ strict: false });
    for (const [name, schema] of Object.entries(components.schemas)) {
      this.#ajv.addSchema(schema, `#/components/schemas/${name}`);
    }
  }

  /** Fails when an answer's status, media type or body is not as the operation declares. */
  check({ responses }: ApiOperation, { status, type, body }: GivenAnswer, what: string): void {
    const declared = responses[String(status)] ?? (status < 400 ? undefined : responses["default"]);
    assert.ok(declared, `${what}: status ${status} is not declared`);
    if (declared.content === undefined) {
      assert.equal(body, "", `${what}: a body is not declared`);
      return;
    }
    const [media = ""] = type.split(";");
    const content = declared.content[media];
    assert.ok(content, `${what}: type ${type} is not declared, ${Object.keys(declared.content)}`);
    if (content.schema === undefined || !/\bjson$/.test(media)) return;
    const validate = this.#compile(content.schema);
    const value: unknown = JSON.parse(body);
    assert.ok(validate(value), `${what}: ${this.#ajv.errorsText(validate.errors)}`);
    assert.deepEqual(undeclared(content.schema, value), [], `${what}: members`);
  }

  #compile(schema: object): ValidateFunction {
    const known = this.#compiled.get(schema);
    if (known !== undefined) return known;
    const compiled = this.#ajv.compile(schema);
    this.#compiled.set(schema, compiled);
    return compiled;
  }
}

/** Members that a schema does not name: nothing takes them out of an answer. */
function undeclared(schema: Shape, value: unknown): string[] {
  const { items, properties, additionalProperties, patternProperties } = schema;
  if (Array.isArray(value)) {
    return items === undefined ? [] : value.flatMap((each) => undeclared(items, each));
  }
  const isOpen = additionalProperties !== undefined || patternProperties !== undefined;
  if (typeof value !== "object" || value === null || properties === undefined || isOpen) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const declared = properties[name];
    return declared === undefined ? [name] : undeclared(declared, member);
  });
}

/** What of a schema tells which members there are. */
interface Shape {
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: unknown;
  readonly patternProperties?: unknown;
}
