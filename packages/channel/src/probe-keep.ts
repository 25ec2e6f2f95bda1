// Judges a keep without being anybody to it: in TLS 1.3 the server proves itself before it looks at the client, so that
// whoever started a keep can tell that it serves what was asked, and still can't speak with it.
import { policyHash } from "@holdfast/policy";
import type { KeepVerdict } from "./judge-keep.ts";
import { type OpenOptions, openJudged } from "./open-judged.ts";

/**
 * Connects, judges, and leaves.
 * @throws ChannelError CHANNEL_UNREACHABLE, CHANNEL_TIMEOUT, CHANNEL_CLOSED when cancelled, CHANNEL_NOT_PROVEN
 */
export async function probeKeep(options: Omit<OpenOptions, "identity">): Promise<KeepVerdict> {
  const { socket, verdict } = await openJudged(options, await policyHash(options.policy.text));
  socket.destroy();
  return verdict;
}
