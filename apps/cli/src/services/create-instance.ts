// An instance through CCFaaS, with its provisioning shown as it goes on.
import type { CcfaasClient, InstanceAnswer, UserPolicyBody } from "@holdfast/contract";
import type { Context } from "../context.ts";
import type { Progress } from "../terminal/progress.ts";

const POLL_MS = 500;

/**
 * Creates an instance; answers once it is provisioned.
 * @param version number, digest or alias of the function's version; the newest when absent
 */
export async function createInstance(
  { terminal, interrupted }: Pick<Context, "terminal" | "interrupted">,
  ccfaas: CcfaasClient,
  asked: UserPolicyBody,
  version?: string,
): Promise<InstanceAnswer> {
  const progress = terminal.progress(`starting and provisioning ${asked.instanceid}`);
  const watch = setInterval(() => {
    void tellLoaded(ccfaas, asked.instanceid, progress);
  }, POLL_MS);
  try {
    const options = { signal: interrupted };
    if (version === undefined) return await ccfaas.createInstance(asked, options);
    const exact = { ...asked, function: `${asked.function}@${version}` };
    const { id } = await ccfaas.startInstance(exact, options);
    return { instance: id, policy: await ccfaas.instancePolicy(id) };
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
