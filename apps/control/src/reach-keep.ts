// Connects to a keep, and does not give up at the first broken connection. A keep that does not prove itself gets no
// second chance.
import { setTimeout as sleep } from "node:timers/promises";
import {
  ChannelError,
  type ConnectOptions,
  connectKeep,
  type KeepConnection,
} from "@holdfast/channel";

const ATTEMPTS = 3;
const FIRST_WAIT_MS = 200;
const BREAKS: readonly string[] = ["CHANNEL_UNREACHABLE", "CHANNEL_TIMEOUT", "CHANNEL_CLOSED"];

/**
 * Connects to the keep that a policy names and judges it.
 * @throws ChannelError as `connectKeep` does, of the last attempt
 */
export async function reachKeep(options: ConnectOptions): Promise<KeepConnection> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await connectKeep(options);
    } catch (thrown) {
      const isBreak = thrown instanceof ChannelError && BREAKS.includes(thrown.code);
      if (!isBreak || attempts >= ATTEMPTS || options.signal?.aborted) throw thrown;
    }
    const { signal } = options;
    const wait = FIRST_WAIT_MS * 2 ** (attempts - 1);
    await sleep(wait, undefined, signal === undefined ? {} : { signal });
  }
}
