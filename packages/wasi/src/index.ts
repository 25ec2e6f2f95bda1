// The door of wasi: admission of modules, files in memory, runs in worker threads.
export * from "./errors.ts";
export * from "./module/admit.ts";
export * from "./run/options.ts";
export * from "./run/runner.ts";
export * from "./store/content.ts";
export * from "./store/file-store.ts";
export * from "./store/snapshot.ts";
