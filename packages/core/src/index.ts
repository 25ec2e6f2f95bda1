// The door of core: bytes, encodings, certificates, errors and ports. Imports nothing but the platform.
export * from "./bytes.ts";
export * from "./canonical-json.ts";
export * from "./clock.ts";
export * from "./crypto-cache.ts";
export * from "./crypto-port.ts";
export {
  contextTag,
  DerCursor,
  type DerNode,
  derChildren,
  expectTag,
  readDer,
  TAG,
} from "./der/read.ts";
export * from "./der/values.ts";
export * as derWrite from "./der/write.ts";
export * from "./errors.ts";
export * from "./http-port.ts";
export * from "./pem.ts";
export * from "./verdict.ts";
export * from "./x509/algorithm.ts";
export * from "./x509/certificate.ts";
export * from "./x509/extensions.ts";
export * from "./x509/issue.ts";
export * from "./x509/key-identifier.ts";
export * from "./x509/name.ts";
export * from "./x509/request.ts";
export * from "./x509/revocation-list.ts";
export * from "./x509/verify-path.ts";
