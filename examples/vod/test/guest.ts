// One detector host for all runs of a test file.
import { after } from "node:test";
import { type DetectorHost, type GuestFiles, type GuestOutcome, openDetectorHost } from "./host.ts";

let host: Promise<DetectorHost> | undefined;
after(async () => (await host)?.close());

/** Runs the detector, which is built first when it is not up to date. */
export async function runDetector(
  files: GuestFiles,
  args: readonly string[] = [],
): Promise<GuestOutcome> {
  host ??= openDetectorHost();
  return (await host).run(files, args);
}
