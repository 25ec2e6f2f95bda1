// Tables of the store. Times are RFC 3339 text and flags are 0 or 1, so that every engine keeps them alike.
/** A namespace; what may be in it is not bounded where a quota is null. */
export interface NamespacesTable {
  name: string;
  quota_functions: number | null;
  quota_instances: number | null;
  quota_bytes: number | null;
  quota_memory_mib: number | null;
  /** Number of its newest event. */
  last_event: number;
  created_at: string;
}

/** A registered function. */
export interface FunctionsTable {
  id: string;
  namespace: string;
  name: string;
  /** The revision that the name alone means. */
  head: string;
  /** The revision that becomes the head once it is complete. */
  draft: string | null;
  /** Number of the newest version ever: numbers are not used again. */
  versions: number;
  /** Digest of what was registered first. */
  registered: string;
  created_at: string;
  /** Given by whoever asked, so that asking twice makes one. */
  idempotency_key: string | null;
}

/** One state of a function: a definition and its files. It never changes once it has a version number. */
export interface RevisionsTable {
  id: string;
  function_id: string;
  /** JSON. */
  definition: string;
  /** SHA-256 of the definition, which names the digests of its files: one content, one digest. */
  digest: string;
  /** How many files the definition names. */
  file_count: number;
  version: number | null;
  created_at: string;
}

/** Stored programs and data files of revisions. */
export interface FilesTable {
  revision_id: string;
  /** As the definition spells it. */
  path: string;
  kind: "program" | "data_file";
  sha256: string;
  size: number;
  stored_at: string;
}

/** Names for versions. */
export interface AliasesTable {
  function_id: string;
  name: string;
  revision_id: string;
  updated_at: string;
}

/** Instances, living and remembered. */
export interface InstancesTable {
  key: string;
  namespace: string;
  id: string;
  function_name: string;
  /** Definition at the time of the request: later changes of the function don't reach it. */
  function_definition: string;
  /** The revision it was made of, and its version number when it had one. */
  revision_id: string | null;
  version: number | null;
  user_policy: string;
  state: string;
  reason: string | null;
  /** What becomes of the record once the keep is ended. */
  final_state: "removed" | "failed" | null;
  /** Idempotency key of the request for its keep. */
  request_key: string;
  policy: string | null;
  keep_name: string | null;
  keep_hash: string | null;
  created_at: string;
  updated_at: string;
  idempotency_key: string | null;
  /** Which process works on it, and until when it may; null when none does. */
  lease_owner: string | null;
  lease_until: string | null;
}

/** Files to load into an instance's keep. */
export interface LoadsTable {
  instance_key: string;
  path: string;
  sha256: string;
  size: number;
  priority: number;
  position: number;
  loaded: number;
}

/** Keeps, living and remembered. `port` is null once it is free again. */
export interface KeepsTable {
  id: string;
  namespace: string;
  name: string;
  /** Which launcher has it: processes are looked at where they run. */
  node: string;
  host: string;
  port: number | null;
  instance_id: string | null;
  instance_hash: string;
  request_key: string | null;
  request_hash: string;
  policy: string;
  state: string;
  reason: string | null;
  max_memory_mib: number;
  pid: number | null;
  pid_mark: string | null;
  keep_pid: number | null;
  keep_pid_mark: string | null;
  platform: string | null;
  simulated: number | null;
  measurement: string | null;
  created_at: string;
  updated_at: string;
}

/** What changed, in order within each namespace. */
export interface EventsTable {
  namespace: string;
  seq: number;
  at: string;
  kind: string;
  subject: string;
  state: string;
  reason: string | null;
}

/** Who holds a blob just now, and until when at most. */
export interface BlobHoldsTable {
  holder: string;
  sha256: string;
  purpose: "link" | "removal";
  until: string;
}

/** All tables by name. */
export interface Tables {
  namespaces: NamespacesTable;
  functions: FunctionsTable;
  revisions: RevisionsTable;
  aliases: AliasesTable;
  files: FilesTable;
  instances: InstancesTable;
  loads: LoadsTable;
  keeps: KeepsTable;
  events: EventsTable;
  blob_holds: BlobHoldsTable;
}
