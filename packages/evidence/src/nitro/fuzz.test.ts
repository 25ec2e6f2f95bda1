// Mutated documents: the reader throws its own error or reads, the verifier always answers, neither takes long.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newNitroDocument, newNitroWorld } from "@holdfast/testkit";
import fc from "fast-check";
import { EvidenceError, parseNitroDocument, verifyNitro } from "../index.ts";

const world = await newNitroWorld();
const document = await newNitroDocument(world);

interface Mutation {
  readonly at: number;
  readonly kind: string;
  readonly value: number;
  readonly length: number;
}

/** A place in the document, and what to do there. */
const mutation = fc.record({
  at: fc.nat(document.length - 1),
  kind: fc.constantFrom("set", "insert", "remove", "repeat"),
  value: fc.nat(255),
  length: fc.integer({ min: 1, max: 64 }),
});

function mutate(bytes: Uint8Array, { at, kind, value, length }: Mutation) {
  const [head, tail] = [[...bytes.subarray(0, at)], [...bytes.subarray(at)]];
  switch (kind) {
    case "set":
      return Uint8Array.of(...head, value, ...tail.slice(1));
    case "insert":
      return Uint8Array.of(...head, ...Array<number>(length).fill(value), ...tail);
    case "remove":
      return Uint8Array.of(...head, ...tail.slice(length));
    default:
      return Uint8Array.of(...head, ...tail.slice(0, length), ...tail);
  }
}

test("mutated documents are read or refused with our own error", () => {
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      try {
        parseNitroDocument(mutations.reduce(mutate, document));
      } catch (thrown) {
        assert.ok(thrown instanceof EvidenceError, String(thrown));
      }
    }),
    { numRuns: 1500 },
  );
});

test("a mutated document is never affirmed", async () => {
  await fc.assert(
    fc.asyncProperty(mutation, async (each) => {
      const mutated = mutate(document, each);
      fc.pre(!Buffer.from(mutated).equals(document));
      assert.equal((await verifyNitro(mutated, world.request)).verdict, "refused");
    }),
    { numRuns: 300 },
  );
});
