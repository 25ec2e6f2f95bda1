// Keys that follow from their names, so that who reads one back knows what it was.
import { createHash } from "node:crypto";
import type { KeyBody } from "@holdfast/contract";

/** The key of a name, with terms of some length. */
export function bodyOf(name: string): KeyBody {
  const digest = createHash("sha256").update(name);
  const programs = Array.from({ length: 200 }, (_, index) => index.toString(16).padStart(64, "0"));
  return {
    key: digest.digest("base64"),
    grant: { measurements: ["ab".repeat(32)], programs },
  };
}
