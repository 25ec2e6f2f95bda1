// How long the control plane takes until it answers, and an instance from the request to ready, with real keeps (key,
// evidence, certificate, check, load), cold and from a keep that waits, at VaaS and at CCFaaS.
import { once } from "node:events";
import { composeVaasPolicy, parseFunctionPolicy, parseUserPolicy } from "@holdfast/policy";
import {
  eventually,
  newIdentities,
  provisionVod,
  userPolicy,
  vodFunction,
} from "../../apps/control/src/testing/samples.ts";
import { makeWorld } from "../../apps/control/src/testing/world.ts";
import { type RealPlatform, startRealPlatform } from "../../test/platform/real-platform.ts";
import { buildControl } from "../../tools/build-control.ts";

/** How long something took, in milliseconds. */
export interface TimeResult {
  readonly name: string;
  readonly first: number;
  readonly median: number;
  readonly worst: number;
}

/** Measures so many of each, one after the other. */
export async function measureStarts(options: { rounds: number }): Promise<TimeResult[]> {
  const main = await buildControl();
  const results = [await measureStartUp(main, options.rounds)];
  for (const warm of [0, 1]) {
    const platform = await startRealPlatform({ main, keeps: { warm } });
    const round = { warm, rounds: options.rounds, vaasUrl: platform.world.vaasUrl, results };
    try {
      await provisionVod(platform.world.ccfaas);
      const name = warm === 0 ? "cold" : "warm";
      await measureKeeps(platform, `keep (VaaS), ${name}`, round);
      await measureInstances(platform, `instance (CCFaaS), ${name}`, round);
    } finally {
      await platform.close();
    }
  }
  return results;
}

/** The control plane itself, from its process to its first answer; the first start compiles. */
async function measureStartUp(main: string, rounds: number): Promise<TimeResult> {
  const world = await makeWorld({ main });
  const times: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const start = performance.now();
      const control = await world.spawn();
      times.push(performance.now() - start);
      const exited = once(control, "exit");
      control.kill("SIGTERM");
      await exited;
    }
  } finally {
    await world.close();
  }
  return timesOf("control plane, until it answers", times);
}

interface Round {
  readonly warm: number;
  readonly rounds: number;
  readonly vaasUrl: string;
  readonly results: TimeResult[];
}

async function measureKeeps({ world }: RealPlatform, name: string, round: Round): Promise<void> {
  const asked = composeVaasPolicy({
    functionPolicy: parseFunctionPolicy(vodFunction()),
    userPolicy: parseUserPolicy(userPolicy(await newIdentities())),
    instanceId: "0",
  });
  // The contract's type has mutable arrays; nothing is changed.
  const body = asked as unknown as Parameters<typeof world.vaas.create>[0];
  await measure(name, round, {
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
  round: Round,
): Promise<void> {
  const identities = await newIdentities();
  await measure(name, round, {
    async make() {
      await world.ccfaas.createInstance(userPolicy(identities));
    },
    end: () => world.ccfaas.deleteInstance("0"),
  });
}

async function measure(
  name: string,
  { warm, rounds, vaasUrl, results }: Round,
  work: { make(): Promise<void>; end(): Promise<void> },
): Promise<void> {
  const made: number[] = [];
  const ended: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
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
  results.push(timesOf(`${name}, until ready`, made), timesOf(`${name}, until all gone`, ended));
}

function timesOf(name: string, times: readonly number[]): TimeResult {
  const sorted = [...times].sort((left, right) => left - right);
  return {
    name,
    first: times[0] ?? 0,
    median: sorted[sorted.length >> 1] ?? 0,
    worst: sorted.at(-1) ?? 0,
  };
}
