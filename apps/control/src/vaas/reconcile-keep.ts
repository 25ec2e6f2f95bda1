// Brings a keep's record in line with what its launcher sees, one step: the only place where a keep becomes serving,
// or is found dead. Steps of one keep follow one another; a step that comes late changes nothing.
import { probeKeep } from "@holdfast/channel";
import { messageOf } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import type { StoredKeep } from "@holdfast/store";
import type { KeepReport } from "../keeps/keep-launcher.ts";
import { handleOf, isOver, timestamp, type VaasContext } from "./context.ts";

const PROBE_TIMEOUT_MS = 10_000;
const LAUNCH_MS = 10_000;

/** Looks at a keep and records what became of it; answers the record as it stands then. */
export function reconcileKeep(context: VaasContext, id: string): Promise<StoredKeep | undefined> {
  return context.turns.take(id, () => lookAndRecord(context, id));
}

async function lookAndRecord(context: VaasContext, id: string): Promise<StoredKeep | undefined> {
  const keep = await context.store.keeps.find(id);
  if (keep === undefined || isOver(keep) || keep.state === "ending") return keep;
  if (keep.node !== context.launcher.node) return keep;
  if (isBeingLaunched(context, keep)) return keep;
  const report = await context.launcher.look(handleOf(keep));
  const death = deathOf(context, keep, report);
  if (death !== undefined) await buryKeep(context, keep, death, report);
  else await advance(context, keep, report);
  return await context.store.keeps.find(id);
}

/** Ends what is left of a keep and records why it is over. */
export async function buryKeep(
  context: VaasContext,
  keep: StoredKeep,
  reason: string,
  report?: KeepReport,
): Promise<void> {
  // What was recorded while it lived comes first: by now its number may be somebody else's.
  const process = keep.keep ?? report?.keep;
  context.ages.forget(keep.id);
  await context.launcher.end({ ...handleOf(keep), ...(process ? { keep: process } : {}) });
  const state = keep.state === "serving" ? "ended" : "failed";
  if (await context.store.keeps.close(keep.id, state, reason, timestamp(context))) {
    context.logger.warn({ keep: keep.name, instance: keep.instanceId, reason }, `keep ${state}`);
  }
}

/** Between its record and a process that lasts; where several processes share the records, another may be at it. */
function isBeingLaunched({ launching, store, ages }: VaasContext, keep: StoredKeep): boolean {
  if (launching.has(keep.id)) return true;
  return keep.loader === undefined && store.isShared && ages.of(keep.id) < LAUNCH_MS;
}

/** Why a keep counts as dead; undefined while it does not. */
function deathOf(context: VaasContext, keep: StoredKeep, report: KeepReport): string | undefined {
  if (keep.loader === undefined) return "VaaS was restarted before the keep was started";
  if (report.state === "failed" || report.state === "ended") {
    return report.reason ?? `the keep ${report.state}`;
  }
  if (!report.alive) return "the keep's loader vanished";
  // One that came to serve while nobody looked was not late.
  const isUp = keep.state === "serving" || report.state === "serving";
  if (isUp) context.ages.forget(keep.id);
  else if (context.ages.of(keep.id) > context.config.startTimeoutMs) {
    return `the keep did not serve within ${context.config.startTimeoutMs} ms`;
  }
  return undefined;
}

async function advance(context: VaasContext, keep: StoredKeep, report: KeepReport): Promise<void> {
  const { keeps } = context.store;
  const at = timestamp(context);
  const facts = {
    ...(report.keep === undefined ? {} : { keep: report.keep }),
    ...(report.platform === undefined ? {} : { platform: report.platform }),
    ...(report.simulated === undefined ? {} : { simulated: report.simulated }),
    ...(report.measurement === undefined ? {} : { measurement: report.measurement }),
  };
  if (keep.state === "serving") return;
  if (report.state === "starting" && keep.state === "requested") {
    await keeps.move(keep.id, ["requested"], "starting", at, facts);
  }
  if (report.state === "attested" && keep.state !== "attested") {
    await keeps.move(keep.id, ["requested", "starting"], "attested", at, facts);
  }
  if (report.state !== "serving") return;
  try {
    await probeKeep({
      policy: parsePolicy(keep.policy),
      clock: context.clock,
      timeoutMs: PROBE_TIMEOUT_MS,
      // The time above is for silence; one that says a little now and then must not hold everything up either.
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    await keeps.move(keep.id, ["requested", "starting", "attested"], "serving", at, facts);
    context.logger.info({ keep: keep.name, instance: keep.instanceId }, "keep serves");
  } catch (thrown) {
    await buryKeep(context, keep, `the keep failed its check: ${messageOf(thrown)}`, report);
  }
}
