// How many reads the control plane answers a second, beside a bare server of Node's that sends the very same bytes: what
// is lost to access, routing, the database and JSON.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { openStore } from "@holdfast/store";
import { newIdentities, provisionVod, userPolicy } from "../../apps/control/src/testing/samples.ts";
import { makeWorld } from "../../apps/control/src/testing/world.ts";
import { buildControl } from "../../tools/build-control.ts";

/** One read. */
export interface ReadResult {
  readonly path: string;
  readonly bytes: number;
  readonly perSecond: number;
  readonly barePerSecond: number;
}

const CONNECTIONS = 8;
const INSTANCES = 1000;

/** Measures reads of a control plane that remembers a thousand instances; each takes turns with the bare server. */
export async function measureReads(options: {
  requests: number;
  rounds: number;
}): Promise<ReadResult[]> {
  const world = await makeWorld({ main: await buildControl() });
  try {
    await fill(join(world.config.data_dir, "store"));
    await world.spawn();
    await provisionVod(world.ccfaas);
    await world.ccfaas.createInstance(userPolicy(await newIdentities()));
    const results: ReadResult[] = [];
    for (const path of ["/function", "/instance/0", `/v1/instances?limit=${INSTANCES}`]) {
      const url = `${world.ccfaasUrl}${path}`;
      const answer = new Uint8Array(await (await fetch(url)).arrayBuffer());
      const bare = await startBare(answer);
      // A list of a thousand is a thousand times the work of one.
      const requests = Math.max(20, Math.round(options.requests / (1 + answer.length / 4000)));
      const rates: number[] = [];
      const bareRates: number[] = [];
      for (let round = 0; round <= options.rounds; round += 1) {
        const [rate, bareRate] = [await rateOf(url, requests), await rateOf(bare.url, requests)];
        // The first round is for warming up.
        if (round > 0) {
          rates.push(rate);
          bareRates.push(bareRate);
        }
      }
      bare.close();
      const [perSecond, barePerSecond] = [median(rates), median(bareRates)];
      results.push({ path, bytes: answer.length, perSecond, barePerSecond });
    }
    return results;
  } finally {
    await world.close();
  }
}

/** Instances that failed, as the records of a day may be. */
async function fill(directory: string): Promise<void> {
  const store = await openStore({ directory });
  const at = new Date().toISOString();
  for (let index = 0; index < INSTANCES - 1; index += 1) {
    const key = randomUUID();
    await store.instances.create({
      key,
      id: `instance-${index}`,
      namespace: "default",
      functionName: "vod_small",
      functionDefinition: "{}",
      userPolicy: "{}",
      requestKey: randomUUID(),
      createdAt: at,
      loads: [],
    });
    await store.instances.move(key, ["requested"], "failed", at, { reason: "for the bench" });
  }
  await store.close();
}

async function rateOf(url: string, requests: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let left = requests;
  const start = performance.now();
  const reader = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await read(url, agent);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, reader));
  agent.destroy();
  return requests / ((performance.now() - start) / 1000);
}

function read(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url} answered ${answer.statusCode}`));
      answer.resume();
      answer.once("end", resolve);
    })
      .once("error", reject)
      .end();
  });
}

/** A process that sends the same bytes to everybody. */
async function startBare(answer: Uint8Array): Promise<{ url: string; close(): void }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "bare-server.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(answer);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { url: line.toString().trim(), close: () => void child.kill() };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? 0;
}
