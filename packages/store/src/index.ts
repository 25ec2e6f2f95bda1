// The door of store: records in a database, bytes by their digest.
export * from "./blobs.ts";
export * from "./errors.ts";
export type { EventFilter, EventRepository, NewEvent, StoredEvent } from "./events.ts";
export * from "./functions.ts";
export * from "./instances.ts";
export * from "./keeps.ts";
export * from "./open-store.ts";
