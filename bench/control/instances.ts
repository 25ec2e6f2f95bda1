// How long an instance takes from the request to ready, with real keeps (key, evidence, certificate, check, load), cold and
// from a keep that waits, at VaaS and at CCFaaS, and how many reads the control plane answers a second.
// Usage: node bench/control/instances.ts [--rounds 10] [--reads 2000]

import { Agent, request } from "node:http";
import { parseArgs } from "node:util";
import { composeVaasPolicy, parseFunctionPolicy, parseUserPolicy } from "@holdfast/policy";
import {
  eventually,
  newIdentities,
  provisionVod,
  userPolicy,
  vodFunction,
} from "../../apps/control/src/testing/samples.ts";
import { type RealPlatform, startRealPlatform } from "../../test/platform/real-platform.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    reads: { type: "string", default: "2000" },
  },
});
const CONNECTIONS = 8;

for (const warm of [0, 1]) {
  const platform = await startRealPlatform({ keeps: { warm } });
  try {
    await provisionVod(platform.world.ccfaas);
    const name = warm === 0 ? "cold" : "warm";
    await measureKeeps(platform, `keep (VaaS), ${name}`, warm);
    await measureInstances(platform, `instance (CCFaaS), ${name}`, warm);
    if (warm > 0) await measureReads(platform, Number(values.reads));
  } finally {
    await platform.close();
  }
}

async function measureKeeps({ world }: RealPlatform, name: string, warm: number): Promise<void> {
  const asked = composeVaasPolicy({
    functionPolicy: parseFunctionPolicy(vodFunction()),
    userPolicy: parseUserPolicy(userPolicy(await newIdentities())),
    instanceId: "0",
  });
  // The contract's type has mutable arrays; nothing is changed.
  const body = asked as unknown as Parameters<typeof world.vaas.create>[0];
  await measure(name, warm, world.vaasUrl, {
    async make() {
      await world.vaas.create(body);
    },
    async end() {
      for (const { name, state, instance_hash } of (await world.vaas.keeps()).keeps) {
        if (state === "serving") await world.vaas.delete(name, { instance_hash });
      }
    },
  });
}

async function measureInstances(
  { world }: RealPlatform,
  name: string,
  warm: number,
): Promise<void> {
  const identities = await newIdentities();
  await measure(name, warm, world.vaasUrl, {
    async make() {
      await world.ccfaas.createInstance(userPolicy(identities));
    },
    end: () => world.ccfaas.deleteInstance("0"),
  });
}

async function measure(
  name: string,
  warm: number,
  vaasUrl: string,
  work: { make(): Promise<void>; end(): Promise<void> },
): Promise<void> {
  const made: number[] = [];
  const ended: number[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    await eventually(
      async () => (await fetch(`${vaasUrl}/metrics`)).text(),
      (metrics) => metrics.includes(`holdfast_keeps{state="waiting"} ${warm}\n`),
    );
    const start = performance.now();
    await work.make();
    const ready = performance.now();
    await work.end();
    made.push(ready - start);
    ended.push(performance.now() - ready);
  }
  tell(`${name}, until ready`, made);
  tell(`${name}, until all gone`, ended);
}

async function measureReads({ world }: RealPlatform, reads: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  for (const path of ["/healthz", "/function", "/v1/functions", "/instance"]) {
    const url = `${world.ccfaasUrl}${path}`;
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
