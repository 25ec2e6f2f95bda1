// The door of channel: attested TLS, client and server sides.
export * from "./connect-keep.ts";
export * from "./consent.ts";
export * from "./errors.ts";
export * from "./fetch-trusting.ts";
export * from "./judge-keep.ts";
export * from "./judge-proof.ts";
export * from "./keep-certificate.ts";
export * from "./keys.ts";
export * from "./node-crypto.ts";
export * from "./probe-keep.ts";
export * from "./receipt.ts";
export * from "./replay-decision.ts";
export * from "./serve-keep.ts";
export * from "./sign-receipt.ts";
export * from "./verify-receipt.ts";
