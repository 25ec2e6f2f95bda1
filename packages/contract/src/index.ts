// The door of contract: the words that services speak over HTTP, and clients that speak them.
export * from "./appraisal.ts";
export * from "./attestation.ts";
export * from "./attestation-client.ts";
export * from "./bridge.ts";
export * from "./ccfaas.ts";
export * from "./control-client.ts";
export type { OnProgress } from "./counted.ts";
export * from "./errors.ts";
export * from "./fetch-transport.ts";
export * from "./keep.ts";
export * from "./keep-client.ts";
export type { ResumableSource, ResumeOptions } from "./keep-upload.ts";
export * from "./pages.ts";
export * from "./problem.ts";
export * from "./vaas.ts";
