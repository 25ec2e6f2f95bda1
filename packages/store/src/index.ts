// The door of store: records in a database, bytes by their digest.
export type { StoredAlias } from "./aliases.ts";
export type { Blob, PutBlob } from "./blobs/blob-place.ts";
export type { BlobStore } from "./blobs/blob-store.ts";
export * from "./blobs/read-within.ts";
export * from "./blobs/resumed-bytes.ts";
export type { S3Place } from "./blobs/s3-blobs.ts";
export * from "./errors.ts";
export type { EventFilter, EventRepository, NewEvent, StoredEvent } from "./events.ts";
export type { FunctionRepository, NewFunction, StoredFunction } from "./functions.ts";
export type { InstanceEntry, InstanceFilter } from "./instance-lists.ts";
export * from "./instances.ts";
export type {
  KeepChange,
  KeepEntry,
  NewKeep,
  ProcessRecord,
  StoredKeep,
  StoredKeepState,
} from "./keep-records.ts";
export type { KeepRepository } from "./keeps.ts";
export type { NamespaceRepository, QuotaChange, StoredNamespace } from "./namespaces.ts";
export * from "./open-store.ts";
export type { QuotaName, Quotas, Usage } from "./quotas.ts";
export { overQuota } from "./quotas.ts";
export type { FileOutcome, FunctionFileRecord } from "./revision-files.ts";
export type { NewRevision, StoredRevision, VersionEntry, VersionRemoval } from "./revisions.ts";
export { isDiskFull, isUnreachable, isUnstorableText } from "./sql/violations.ts";
