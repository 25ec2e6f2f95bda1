// The control plane as a process: VaaS, CCFaaS and the S3 bridge, whichever the configuration names.
// Usage: node apps/control/dist/main.mjs --config FILE.json, which tools/build-control.ts makes of this file.
import { mkdir } from "node:fs/promises";
import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { messageOf } from "@holdfast/core";

const GRACE_MS = 30_000;

// Files stream through here in small parts that live for a moment. V8 would let its young generation grow to tens of
// megabytes for them before it collects any; kept as small as it starts, it costs a little time and no memory.
setFlagsFromString("--semi-space-growth-factor=1");
// Nor does it collect the whole heap for them, every few megabytes: their memory is weighed with all the rest.
setFlagsFromString("--external-memory-accounted-in-global-limit");

const { values } = parseArgs({ options: { config: { type: "string" } } });
if (values.config === undefined) {
  console.error("usage: node apps/control/dist/main.mjs --config FILE.json");
  process.exit(2);
}
try {
  const { readConfig } = await import("./config.ts");
  const config = await readConfig(values.config);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  // What was compiled once is not compiled again at the next start; the directory is as private as the rest of the data.
  enableCompileCache(join(config.dataDir, "cache"));
  const { run } = await import("./run.ts");
  const running = await run(config);
  flushCompileCache();
  process.on("SIGHUP", () => void running.reload());
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.once(signal, () => {
      // What is under way may finish; what hangs may not keep the process.
      setTimeout(() => process.exit(1), GRACE_MS).unref();
      running.stop(signal).then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
} catch (thrown) {
  console.error(`control plane: ${messageOf(thrown)}`);
  process.exit(1);
}
