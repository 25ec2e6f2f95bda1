// The door of policy: the agreement of who may do what, on which platform. Pure.
export * from "./errors.ts";
export * from "./evaluate.ts";
export * from "./path.ts";
export * from "./rights.ts";
export * from "./rights-table.ts";
