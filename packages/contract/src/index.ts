// The door of contract: the words that services speak over HTTP, and clients that speak them.
export * from "./errors.ts";
export * from "./keep.ts";
export * from "./keep-client.ts";
export * from "./problem.ts";
