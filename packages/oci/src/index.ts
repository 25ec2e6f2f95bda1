// The door of oci: files that are named by where they are, in a registry or on a web server, fetched as streams.
export * from "./errors.ts";
export { openRemote, type RemoteConfig, type RemoteFile } from "./open-remote.ts";
