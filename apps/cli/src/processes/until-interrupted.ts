// Waits for Ctrl-C, or for a service to end by itself, which is a failure.
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import type { ChildService } from "./child-service.ts";

/**
 * Waits.
 * @throws CliError CLI_PROCESS when a service ends first
 */
export async function untilInterrupted(
  { interrupted }: Pick<Context, "interrupted">,
  services: readonly ChildService[],
): Promise<void> {
  const stopped = new Promise<undefined>((resolve) => {
    if (interrupted.aborted) resolve(undefined);
    interrupted.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  const ended = services.map(async (service) => {
    await service.ended;
    return service;
  });
  const first = await Promise.race([stopped, ...ended]);
  if (first === undefined || interrupted.aborted) return;
  throw new CliError("CLI_PROCESS", `the ${first.name} ended by itself`, {
    hint: `read its log: ${first.logFile}`,
  });
}
