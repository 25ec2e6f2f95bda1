// What running offline asks of the host's file system, as a port: the command line passes Node's in.

/** An entry of a host directory. */
export interface HostEntry {
  readonly name: string;
  /** Anything but a file, directory or symbolic link is left out. */
  readonly kind: "file" | "directory" | "symlink" | "other";
  readonly modified: Date;
}

/** A file that is written, and not yet where it belongs. */
export interface StagedFile {
  /** Puts it in place at once; a link standing there is replaced, not followed. */
  place(): Promise<void>;
  /** Takes it away again. */
  drop(): Promise<void>;
}

/** Files of the host. Paths are the host's own. */
export interface HostFiles {
  list(directory: string): Promise<HostEntry[]>;
  read(path: string): AsyncIterable<Uint8Array>;
  readLink(path: string): Promise<string>;
  /** Writes a whole file out of sight, in a directory that exists, so that placing it needs no more room. */
  stage(file: { path: string; within: string; pieces: Iterable<Uint8Array> }): Promise<StagedFile>;
  makeDirectory(path: string): Promise<void>;
  makeLink(path: string, target: string): Promise<void>;
  /** Removes a file, a link or an empty directory; what is not there, or not empty, stays. */
  remove(path: string): Promise<void>;
  join(directory: string, name: string): string;
}
