// The documents that the services give of themselves, before a validator that is not ours.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { makeWorld, type World } from "../testing/world.ts";

describe("OpenAPI documents", { concurrency: false }, () => {
  let world: World;
  before(async () => {
    world = await makeWorld();
    await world.start();
  });
  after(() => world?.close());

  for (const service of ["vaas", "ccfaas", "s3"] as const) {
    it(`of ${service} is valid, and complete in itself`, async () => {
      const url = { vaas: world.vaasUrl, ccfaas: world.ccfaasUrl, s3: world.s3Url }[service];
      const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
      const validator = new Validator();
      const { valid, errors } = await validator.validate({ ...structuredClone(document) });
      assert.equal(valid, true, JSON.stringify(errors));
      assert.equal(validator.version, "3.1");
      // Throws where a reference leads nowhere.
      validator.resolveRefs();
      const ids = operationsOf(document).map(([, { operationId }]) => operationId);
      assert.equal(new Set(ids).size, ids.length);
      for (const [path, { parameters = [] }] of operationsOf(document)) {
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const declared = parameters.filter((each) => each.in === "path").map(({ name }) => name);
        assert.deepEqual(named, declared, path);
      }
    });
  }
});

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { name: string; in: string }[];
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
}

function operationsOf({ paths }: Document): [path: string, operation: Operation][] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation): [string, Operation] => [path, operation]),
  );
}
