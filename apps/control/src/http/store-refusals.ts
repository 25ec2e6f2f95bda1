// What the store refuses, whichever route asked, as the caller is told: which bound it was, and what to do.
import type { QuotaName, StoreError } from "@holdfast/store";
import { ControlError, type ControlErrorCode } from "../errors.ts";

const QUOTAS: Readonly<
  Record<QuotaName, { code: ControlErrorCode; what: string; remedy: string }>
> = {
  functions: { code: "QUOTA_FUNCTIONS", what: "functions", remedy: "delete one" },
  instances: { code: "QUOTA_INSTANCES", what: "instances", remedy: "delete one" },
  bytes: {
    code: "QUOTA_BYTES",
    what: "bytes of files",
    remedy: "delete files, versions or functions",
  },
  memoryMib: {
    code: "QUOTA_MEMORY",
    what: "MiB of memory for keeps",
    remedy: "delete an instance",
  },
};

/** The refusal that a caller gets; undefined for what only the route itself can explain. */
export function storeRefusal(error: StoreError): ControlError | undefined {
  if (error.code === "STORE_QUOTA") return quotaRefusal(error);
  if (error.code === "STORE_NAMESPACE") {
    return new ControlError(404, "NAMESPACE_UNKNOWN", error.message, { cause: error });
  }
  if (error.code === "STORE_LIMIT") {
    return new ControlError(409, "FUNCTION_FULL", error.message, { cause: error });
  }
  if (error.code === "STORE_GONE") {
    return new ControlError(409, "FUNCTION_CHANGED", error.message, { cause: error });
  }
  return undefined;
}

function quotaRefusal(error: StoreError): ControlError {
  const { namespace, quota, limit, used, asked } = error.details;
  const { code, what, remedy } = QUOTAS[quota as QuotaName];
  const text = `namespace ${namespace} may have ${limit} ${what} and has ${used}; this takes ${asked} more: ${remedy}, or have the quota raised`;
  return new ControlError(507, code, text, { cause: error });
}
