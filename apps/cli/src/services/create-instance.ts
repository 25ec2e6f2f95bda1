// An instance through CCFaaS, with its provisioning shown as it goes on.
import type { CcfaasClient, InstanceAnswer, UserPolicyBody } from "@holdfast/contract";
import type { Context } from "../context.ts";
import type { Progress } from "../terminal/progress.ts";

const POLL_MS = 500;

/** Creates an instance; answers once it is provisioned. */
export async function createInstance(
  { terminal, interrupted }: Pick<Context, "terminal" | "interrupted">,
  ccfaas: CcfaasClient,
  asked: UserPolicyBody,
): Promise<InstanceAnswer> {
  const progress = terminal.progress(`starting and provisioning ${asked.instanceid}`);
  const watch = setInterval(() => {
    void tellLoaded(ccfaas, asked.instanceid, progress);
  }, POLL_MS);
  try {
    return await ccfaas.createInstance(asked, { signal: interrupted });
  } finally {
    clearInterval(watch);
    progress.end();
  }
}

async function tellLoaded(ccfaas: CcfaasClient, id: string, progress: Progress): Promise<void> {
  try {
    const { bytes_loaded, bytes_total } = await ccfaas.describeInstance(id);
    progress.update(bytes_loaded, bytes_total);
  } catch {
    // Progress is not worth a failure.
  }
}
