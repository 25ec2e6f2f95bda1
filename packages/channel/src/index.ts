// The door of channel: attested TLS, client and server sides.
export * from "./connect-keep.ts";
export * from "./errors.ts";
export * from "./judge-keep.ts";
export * from "./keep-certificate.ts";
export * from "./keys.ts";
export * from "./probe-keep.ts";
export * from "./serve-keep.ts";
