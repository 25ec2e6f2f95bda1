// Keeps that wait while things are killed: the control plane, their loaders, themselves. With the real loader and the real
// keep. Whatever is killed, nothing is left that nobody knows, and the next instance comes up.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { composeVaasPolicy, parseFunctionPolicy, parseUserPolicy } from "@holdfast/policy";
import {
  eventually,
  newIdentities,
  userPolicy,
  vodFunction,
} from "../../apps/control/src/testing/samples.ts";
import { type RealPlatform, startRealPlatform } from "../platform/real-platform.ts";

const WARM = 1;

describe("keeps that wait, when things are killed", {
  concurrency: false,
  timeout: 300_000,
  skip: process.platform === "linux" ? false : "finds processes in /proc",
}, () => {
  let platform: RealPlatform;
  let control: ChildProcess;
  let cache: string;
  let body: Parameters<RealPlatform["world"]["vaas"]["create"]>[0];

  before(async () => {
    platform = await startRealPlatform({ keeps: { warm: WARM } });
    control = platform.control;
    cache = realpathSync(join(platform.world.config.data_dir, "cache"));
    // The contract's type has mutable arrays; nothing is changed.
    body = composeVaasPolicy({
      functionPolicy: parseFunctionPolicy(vodFunction()),
      userPolicy: parseUserPolicy(userPolicy(await newIdentities())),
      instanceId: "0",
    }) as unknown as typeof body;
  });
  after(() => platform?.close());

  const waiting = async (): Promise<number> => {
    const metrics = await (await fetch(`${platform.world.vaasUrl}/metrics`)).text();
    return Number(/holdfast_keeps\{state="waiting"\} (\d+)/.exec(metrics)?.[1]);
  };
  const filled = (): Promise<number> => eventually(waiting, (count) => count === WARM);
  const kill = async (): Promise<void> => {
    const exited = once(control, "exit");
    control.kill("SIGKILL");
    await exited;
  };
  const restart = async (): Promise<void> => {
    control = await platform.world.spawn();
  };
  const living = async () =>
    (await platform.world.vaas.keeps()).keeps.filter(
      ({ state }) => state !== "ended" && state !== "failed",
    );
  const deleteAll = async (): Promise<void> => {
    for (const { name, instance_hash } of await living()) {
      await platform.world.vaas.delete(name, { instance_hash });
    }
  };
  /** Loaders of this platform, with their keeps, whoever their parent is by now. */
  const loaders = (): { loader: number; keep: number | undefined }[] => {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const mine = pids.filter((pid) => linkOf(pid) === cache).map(Number);
    const keepOf = (loader: number) => pids.map(Number).find((pid) => parentOf(pid) === loader);
    return mine.map((loader) => ({ loader, keep: keepOf(loader) }));
  };
  const untilGone = async (pids: readonly (number | undefined)[]): Promise<void> => {
    await eventually(
      async () => pids.filter((pid) => pid !== undefined && isThere(pid)),
      (left) => left.length === 0,
    );
  };

  it("those of a killed control plane end, and the next one has its own", async () => {
    await filled();
    const before = loaders();
    assert.equal(before.length, WARM);
    assert.ok(before.every(({ keep }) => keep !== undefined));
    await kill();
    await untilGone(before.flatMap(({ loader, keep }) => [loader, keep]));
    await restart();
    await filled();
    assert.equal(loaders().length, WARM);
  });

  it("one that is killed while it waits is replaced, keep or loader", async () => {
    for (const which of ["keep", "loader"] as const) {
      await filled();
      const [before] = loaders();
      process.kill(before?.[which] ?? 0, "SIGKILL");
      await untilGone([before?.loader, before?.keep]);
      await eventually(
        async () => loaders(),
        ([now]) => now !== undefined && now.loader !== before?.loader,
      );
    }
    await filled();
    await platform.world.vaas.create(body);
    await deleteAll();
  });

  it("one that is killed while it is handed out is not what the caller gets", async () => {
    await filled();
    const [before] = loaders();
    assert.ok(before?.keep !== undefined);
    // Its loader is held so that nobody can know yet when it is handed out.
    process.kill(before.loader, "SIGSTOP");
    process.kill(before.keep, "SIGKILL");
    const creating = platform.world.vaas.create(body);
    await eventually(living, (keeps) => keeps.some(({ state }) => state === "starting"));
    process.kill(before.loader, "SIGCONT");
    await creating;
    const [keep, ...others] = await living();
    assert.deepEqual([keep?.state, others], ["serving", []]);
    await untilGone([before.loader, before.keep]);
    await deleteAll();
  });

  it("nothing is orphaned when the control plane is killed while it hands one out", async () => {
    // From before anything of a request has happened to when the keep serves.
    for (const moment of [0, 8, 16, 32, 48, 96]) {
      await filled();
      const creating = platform.world.vaas.create(body).then(
        () => true,
        () => false,
      );
      await sleep(moment);
      await kill();
      const isAcknowledged = await creating;
      await restart();
      // What was begun is ended or goes on; what was acknowledged serves.
      const [keep, ...others] = await eventually(living, (keeps) =>
        keeps.every(({ state }) => state === "serving"),
      );
      assert.deepEqual(others, []);
      if (isAcknowledged) assert.ok(keep, "an acknowledged keep was lost");
      await filled();
      await eventually(
        async () => loaders().length,
        (count) => count === WARM + (keep === undefined ? 0 : 1),
      );
      await deleteAll();
    }
  });
});

function linkOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function parentOf(pid: number): number | undefined {
  const stat = statOf(pid);
  return stat === undefined ? undefined : Number(stat.split(" ")[1]);
}

/** One that was killed is gone, even while nobody has asked what became of it. */
function isThere(pid: number): boolean {
  return !/^[ZX]/.test(statOf(pid) ?? "Z");
}

/** What follows the name in a process's line (proc(5)): state, parent. */
function statOf(pid: number): string | undefined {
  const path = `/proc/${pid}/stat`;
  try {
    return existsSync(path) ? readFileSync(path, "utf8").split(") ").at(-1) : undefined;
  } catch {
    return undefined;
  }
}
