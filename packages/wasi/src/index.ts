// The door of wasi: admission of modules, files in memory, runs in worker threads.
export * from "./errors.ts";
export * from "./host/in-thread.ts";
export * from "./module/admit.ts";
export * from "./offline/host-files.ts";
export type { DirectoryMapping } from "./offline/load.ts";
export { nodeFiles } from "./offline/node-files.ts";
export * from "./offline/run-offline.ts";
export type { WrittenBack } from "./offline/write-back.ts";
export * from "./run/admit-in-thread.ts";
export * from "./run/options.ts";
export * from "./run/runner.ts";
export * from "./store/content.ts";
export * from "./store/file-store.ts";
export type { FileWriter } from "./store/file-writer.ts";
export * from "./store/snapshot.ts";
