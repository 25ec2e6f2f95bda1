// The door of core: bytes, encodings, certificates, errors and ports. Imports nothing but the platform.
export * from "./bytes.ts";
export * from "./clock.ts";
export * from "./crypto-port.ts";
export * from "./errors.ts";
export * from "./pem.ts";
