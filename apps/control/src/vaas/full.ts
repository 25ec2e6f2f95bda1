// What a caller is told when there is no room for another keep: until when at the latest. A keep ends by itself when its
// policy does.
import type { StoredKeep } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import type { VaasContext } from "./context.ts";
import { policyEnd } from "./policy-end.ts";

/** What a caller is told at most: a keep may be deleted any time before its policy ends. */
const LONGEST_WAIT_S = 3600;

/** All ports are taken. */
export async function noPort(context: VaasContext): Promise<ControlError> {
  const { host, portMin, portMax } = context.config;
  const taken = `all ports from ${portMin} to ${portMax} are taken`;
  const holders = (await living(context)).filter(
    (keep) => keep.host === host && keep.port !== undefined,
  );
  return full(context, "KEEPS_NO_PORT", taken, holders[0]);
}

/** The memory that is left is less than was asked for; no time is told when there will never be so much. */
export async function noMemory(
  context: VaasContext,
  wantedMib: number,
  detail: string,
): Promise<ControlError> {
  const total = context.config.maxMemoryMibTotal ?? 0;
  const message = `no memory for another keep: ${detail}`;
  if (wantedMib > total) return new ControlError(507, "KEEPS_NO_MEMORY", message);
  const holders = (await living(context)).filter(({ node }) => node === context.launcher.node);
  let free = total - holders.reduce((sum, { maxMemoryMib }) => sum + maxMemoryMib, 0);
  const last = holders.find(({ maxMemoryMib }) => {
    free += maxMemoryMib;
    return free >= wantedMib;
  });
  return full(context, "KEEPS_NO_MEMORY", message, last);
}

/** Keeps that are not over, those that end first coming first. */
async function living({ store }: VaasContext): Promise<StoredKeep[]> {
  return (await store.keeps.living())
    .map((keep) => ({ keep, end: policyEnd(keep).getTime() }))
    .sort((left, right) => left.end - right.end)
    .map(({ keep }) => keep);
}

function full(
  { clock }: VaasContext,
  code: "KEEPS_NO_PORT" | "KEEPS_NO_MEMORY",
  message: string,
  keep: StoredKeep | undefined,
): ControlError {
  const now = clock.now();
  // One that has just gone has made room by now.
  const end = keep === undefined ? now : policyEnd(keep);
  const seconds = Math.ceil((end.getTime() - now.getTime()) / 1000);
  const retryAfterSeconds = Math.min(LONGEST_WAIT_S, Math.max(1, seconds));
  const when = `there is room once an instance is deleted, at the latest at ${end.toISOString()}`;
  const text = `${message}; ${when}, when the next policy ends`;
  return new ControlError(507, code, text, { retryAfterSeconds });
}
