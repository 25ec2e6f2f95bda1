// The door of attester: obtain evidence from the platform.
export * from "./attester.ts";
export * from "./errors.ts";
export * from "./frames.ts";
export * from "./gramine/attester.ts";
export * from "./nsm/client.ts";
export * from "./nsm/messages.ts";
export * from "./nsm/serve.ts";
export * from "./simulated/authority.ts";
export * from "./simulated/chain.ts";
export * from "./simulated/document.ts";
export * from "./simulated/nsm.ts";
export * from "./simulated/sign.ts";
export * from "./tpm/attester.ts";
export * from "./tpm/key.ts";
export * from "./tpm/make-credential.ts";
export { type RunTool, type TpmAccess, toolsFor } from "./tpm/tools.ts";
export * from "./tsm/attester.ts";
export * from "./tsm/files.ts";
