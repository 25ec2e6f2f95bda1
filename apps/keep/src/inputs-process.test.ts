// Inputs of a keep as it really runs: a measured bundle that waited for its policy, behind a real loader.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { KeepClient, KeepInput } from "@holdfast/contract";
import { sha256 } from "./testing/input-host.ts";
import { startPlatform, startWaitingKeep } from "./testing/real-platform.ts";
import { READ } from "./testing/test-policy.ts";

const MIB = 1024 * 1024;
const SIZE = 128 * MIB;
const PLAIN = Buffer.alloc(SIZE, "what the policy says. ");

describe("inputs of a keep in its own process", { timeout: 240_000 }, () => {
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  let server: Server;
  let origin: string;
  before(async () => {
    server = createServer(({ url }, response) => {
      if (url === "/open/x") response.end(PLAIN);
      else response.writeHead(404).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    platform = await startPlatform();
  });
  after(async () => {
    await platform?.close();
    server.closeAllConnections();
    server.close();
  });

  async function settled(client: KeepClient): Promise<readonly KeepInput[]> {
    for (;;) {
      const { inputs = [] } = await client.status();
      if (inputs.every(({ state }) => state === "ready" || state === "failed")) return inputs;
      await pause(20);
    }
  }

  test("come to one that waited, without a second copy of them anywhere", async () => {
    const input = (path: string, source: string) => ({
      path,
      source,
      sha256: sha256(PLAIN),
      size: SIZE,
    });
    const keep = await startWaitingKeep(platform, {
      rights: [{ "/in/": READ }],
      fileHashes: { "/in/x": sha256(PLAIN), "/in/y": sha256(PLAIN) },
      maxMemoryMib: 512,
      terms: {
        inputs: [input("/in/x", `${origin}/open/x`), input("/in/y", `${origin}/closed/x`)],
      },
      loader: { fetch_allow: [`${origin}/open`] },
    });
    await keep.waits();
    const before = peaks(keep.said());
    keep.assign();
    await keep.reaches("serving");
    const client = await keep.client();
    const [came, refused] = await settled(client);
    assert.deepEqual(came, { path: "/in/x", state: "ready", received: SIZE, size: SIZE });
    assert.match(refused?.reason ?? "", /^INPUT_SOURCE_REFUSED/);
    assert.equal((await client.status()).storage?.used_bytes, SIZE);
    const grown = peaks(keep.said()).map((peak, index) => (peak - (before[index] ?? 0)) / MIB);
    const [keepMib = 0, loaderMib = 0] = grown;
    // Node and threads take their part; a second copy would take 128 more, a first one in the loader as well.
    assert.ok(keepMib < 300, `the keep took ${keepMib} MiB more for ${SIZE / MIB}`);
    assert.ok(loaderMib < 120, `the loader took ${loaderMib} MiB more`);
    const log = readFileSync(keep.logFile, "utf8");
    assert.match(log, /"input-ready"/);
    assert.doesNotMatch(log.replaceAll(/"by":"loader".*/g, ""), /\/in\/x/);
    keep.loader.kill("SIGTERM");
    await keep.reaches("ended");
  });
});

/** The most memory that keep and loader had so far, in bytes; 0 where nobody can tell. */
function peaks(state: { keep_pid?: number; loader_pid: number } | undefined): number[] {
  return [state?.keep_pid, state?.loader_pid].map((pid) => {
    const file = `/proc/${pid}/status`;
    if (!existsSync(file)) return 0;
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(file, "utf8"))?.[1] ?? 0) * 1024;
  });
}
