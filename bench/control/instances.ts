// How long an instance takes from the request to ready, with real keeps (key, evidence, certificate, check, load), and
// how many reads the control plane answers a second.
// Usage: node bench/control/instances.ts [--rounds 10] [--reads 2000]

import { Agent, request } from "node:http";
import { parseArgs } from "node:util";
import { newIdentities, provisionVod, userPolicy } from "../../apps/control/src/testing/samples.ts";
import { startRealPlatform } from "../../test/platform/real-platform.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    reads: { type: "string", default: "2000" },
  },
});
const CONNECTIONS = 8;

const platform = await startRealPlatform();
try {
  await provisionVod(platform.world.ccfaas);
  await measureInstances(Number(values.rounds));
  await measureReads(Number(values.reads));
} finally {
  await platform.close();
}

async function measureInstances(rounds: number): Promise<void> {
  const { ccfaas } = platform.world;
  const identities = await newIdentities();
  const made: number[] = [];
  const ended: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    await ccfaas.createInstance(userPolicy(identities));
    const ready = performance.now();
    await ccfaas.deleteInstance("0");
    made.push(ready - start);
    ended.push(performance.now() - ready);
  }
  tell("instance, from request to ready", made);
  tell("instance, from deletion to all gone", ended);
}

async function measureReads(reads: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  for (const path of ["/healthz", "/function", "/v1/functions", "/instance"]) {
    const url = `${platform.world.ccfaasUrl}${path}`;
    let left = reads;
    const start = performance.now();
    const reader = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await read(url, agent);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, reader));
    const rate = reads / ((performance.now() - start) / 1000);
    console.log(`GET ${path}`.padEnd(38), `${rate.toFixed(0)} a second`);
  }
  agent.destroy();
}

function read(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (answer) => {
      answer.resume();
      answer.once("end", resolve);
    })
      .once("error", reject)
      .end();
  });
}

function tell(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((left, right) => left - right);
  const at = (share: number): string =>
    `${(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0)} ms`;
  console.log(
    what.padEnd(38),
    `first ${times[0]?.toFixed(0)} ms, median ${at(0.5)}, worst ${at(1)}`,
  );
}
