// A definition as it came, with the digest that tells its content: the definition names the digests of its files, so the
// digest of its canonical text covers them, too.
import { createHash, randomUUID } from "node:crypto";
import type { FunctionBody } from "@holdfast/contract";
import { canonicalJson, type JsonValue } from "@holdfast/core";
import { parseFunctionPolicy } from "@holdfast/policy";
import type { NewRevision } from "@holdfast/store";
import { definedFiles } from "./function-files.ts";

/**
 * A new revision for a definition.
 * @throws PolicyError
 */
export function revisionFrom(body: FunctionBody): NewRevision {
  const files = definedFiles(parseFunctionPolicy(body)).filter(({ input }) => input === undefined);
  return {
    id: randomUUID(),
    definition: JSON.stringify(body),
    digest: createHash("sha256")
      .update(canonicalJson(body as JsonValue))
      .digest("hex"),
    files: files.map(({ path, kind, sha256 }) => ({ path, kind, sha256 })),
  };
}
