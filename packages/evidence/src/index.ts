// The door of evidence: parse and judge evidence. Pure: bytes, trust anchors and time in, an appraisal out.
export * from "./appraisal.ts";
export * from "./audit/record.ts";
export * from "./cbor/read.ts";
export * from "./cbor/values.ts";
export * as cborWrite from "./cbor/write.ts";
export * from "./cose/sign1.ts";
export * from "./errors.ts";
export * from "./nitro/claims.ts";
export * from "./nitro/document.ts";
export * from "./nitro/root.ts";
export * from "./nitro/verify.ts";
export * from "./trust-vector.ts";
