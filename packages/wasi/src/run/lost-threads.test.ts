// Threads that die, fall silent or lie, at each point of a run: every run ends all the same, and the runner goes on.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { admit, program } from "../testing/modules.ts";
import { FOREVER, runOptions } from "../testing/runs.ts";
import type { RunOptions, RunOutcome } from "./options.ts";
import { createSourceWorker, Runner } from "./runner.ts";

const SHOUTING = program("(loop $again (call $say) (br $again))");

/** A run of a program whose thread is made, or unmade, as told; afterwards the runner must still work. */
async function endOf(
  createWorker: () => Worker,
  options: { text?: string; more?: Partial<RunOptions> } = {},
): Promise<RunOutcome> {
  let made = 0;
  const runner = new Runner({
    createWorker: () => {
      made += 1;
      return made === 1 ? createWorker() : createSourceWorker();
    },
    warm: 0,
  });
  try {
    const module = await admit(options.text ?? program(FOREVER));
    const outcome = await runner.start(runOptions(module, options.more)).done;
    const next = await runner.start(runOptions(await admit(program("(call $say)")))).done;
    assert.equal(next.state, "exited");
    return outcome;
  } finally {
    await runner.close();
  }
}

/** A worker of ours that says it is ready, then does to its first job what is told. */
function impostor(body: string): Worker {
  return new Worker(
    `const { parentPort } = require("node:worker_threads");
     parentPort.on("message", (job) => { ${body} });
     parentPort.postMessage("ready");`,
    { eval: true, env: {} },
  );
}

const END = `state: "exited", exitCode: 0, inputs: [], durationMs: 1, reusable: true`;
const NODE = `kind: "file", path: "/f", accessed: 0n, modified: 0n`;

describe("a thread that is gone ends its run", { timeout: 60_000 }, () => {
  const cases: Readonly<Record<string, () => Worker>> = {
    "before it is online": () => {
      const worker = createSourceWorker();
      void worker.terminate();
      return worker;
    },
    "before it is ready": () => {
      const worker = createSourceWorker();
      worker.once("online", () => void worker.terminate());
      return worker;
    },
    "when it is ready": () => {
      const worker = createSourceWorker();
      worker.once("message", () => void worker.terminate());
      return worker;
    },
    "because it fails to load": () => new Worker(`throw new Error("no")`, { eval: true, env: {} }),
    "because it exits as it loads": () => new Worker("process.exit(0)", { eval: true, env: {} }),
    "with the job in its hands": () => impostor("process.exit(0)"),
    "because it can't read its job": () => {
      const worker = impostor("");
      worker.once("message", () => worker.emit("messageerror", new Error("unreadable")));
      return worker;
    },
  };
  for (const [when, createWorker] of Object.entries(cases)) {
    it(when, async () => {
      const { state, reason } = await endOf(createWorker);
      assert.deepEqual([state, reason], ["failed", "RUN_WORKER_LOST"]);
    });
  }

  it("while the guest writes", async () => {
    let end = (): void => assert.fail("no thread yet");
    const outcome = await endOf(
      () => {
        const worker = createSourceWorker();
        end = () => {
          end = () => undefined;
          void worker.terminate();
        };
        return worker;
      },
      { text: SHOUTING, more: { onOutput: () => end() } },
    );
    assert.deepEqual([outcome.state, outcome.reason], ["failed", "RUN_WORKER_LOST"]);
  });
});

describe("a thread that lies is ended", { timeout: 60_000 }, () => {
  const lies: Readonly<Record<string, string>> = {
    "about nothing": `parentPort.postMessage(undefined)`,
    "about the state": `parentPort.postMessage({ ${END}, state: "well" })`,
    "about the exit code": `parentPort.postMessage({ ${END}, exitCode: -1 })`,
    "about the time": `parentPort.postMessage({ ${END}, durationMs: NaN })`,
    "about its inputs": `parentPort.postMessage({ ${END}, inputs: [7] })`,
    "about a path": `parentPort.postMessage({ ${END},
      changes: { removed: [], written: [{ ${NODE}, path: "/" + "x".repeat(5000), content: { size: 0, chunks: [] } }] } })`,
    "about a kind": `parentPort.postMessage({ ${END},
      changes: { removed: [], written: [{ ${NODE}, kind: "socket" }] } })`,
    "about a size below zero": `parentPort.postMessage({ ${END},
      changes: { removed: [], written: [{ ${NODE}, content: { size: -5e9, chunks: [] } }] } })`,
    "about a size without pieces": `parentPort.postMessage({ ${END},
      changes: { removed: [], written: [{ ${NODE}, content: { size: 2 ** 40, chunks: [] } }] } })`,
    "about pieces": `parentPort.postMessage({ ${END},
      changes: { removed: [], written: [{ ${NODE}, content: { size: 5, chunks: [{ byteLength: 5 }] } }] } })`,
    "about growing pieces": `parentPort.postMessage({ ${END},
      changes: { removed: [], written: [{ ${NODE}, content: { size: 5,
        chunks: [new SharedArrayBuffer(5, { maxByteLength: 1e6 })] } }] } })`,
    "about the length of a record": `const words = new Int32Array(job.ring); words[16] = -1;
      Atomics.store(words, 0, 8); Atomics.notify(words, 0)`,
    "about where its records end": `const words = new Int32Array(job.ring);
      Atomics.store(words, 0, 0x7fffffff); Atomics.notify(words, 0)`,
  };
  for (const [what, body] of Object.entries(lies)) {
    it(what, async () => {
      const { state, reason, changes } = await endOf(() => impostor(body));
      assert.deepEqual([state, reason, changes], ["failed", "RUN_WORKER_LOST", undefined]);
    });
  }

  it("not when it tells the truth", async () => {
    const content = `{ size: 5, chunks: [new SharedArrayBuffer(5)] }`;
    const honest = `parentPort.postMessage({ ${END},
      changes: { removed: ["/g"], written: [{ ${NODE}, content: ${content} }] } })`;
    let first = true;
    const runner = new Runner({
      createWorker: () => {
        assert.ok(first);
        first = false;
        return impostor(honest);
      },
      warm: 0,
      retained: 1,
    });
    const module = await admit(program(FOREVER));
    const { state, changes } = await runner.start(runOptions(module)).done;
    assert.equal(state, "exited");
    assert.deepEqual(changes?.removed, ["/g"]);
    await runner.start(runOptions(module)).done;
    await runner.close();
  });

  it("about its counts, which then are zero", async () => {
    const outcome = await endOf(() =>
      impostor(`new Float64Array(job.ring)[2] = NaN; new Float64Array(job.ring)[3] = -1;
        parentPort.postMessage({ ${END} })`),
    );
    assert.deepEqual([outcome.peakMemoryBytes, outcome.bytesRead], [0, 0]);
  });
});

describe("a run that can't be handed over", { timeout: 60_000 }, () => {
  it("because no thread can be made is refused, and the next may work", async () => {
    let fails = true;
    const runner = new Runner({
      createWorker: () => {
        if (fails) throw new Error("no more threads");
        return createSourceWorker();
      },
      warm: 1,
    });
    const module = await admit(program("(call $say)"));
    assert.throws(() => runner.start(runOptions(module)), { code: "RUN_NO_THREAD" });
    fails = false;
    const run = runner.start(runOptions(module));
    // The thread that is to be kept warm can't be made when this one has ended: its outcome stands nonetheless.
    fails = true;
    assert.equal((await run.done).state, "exited");
    await runner.close();
  });

  it("because its options can't be sent ends", async () => {
    const runner = new Runner({ createWorker: createSourceWorker, warm: 0 });
    const module = await admit(program(FOREVER));
    const unsendable = { fixed: (() => undefined) as never };
    const { state, reason } = await runner.start(runOptions(module, { clock: unsendable })).done;
    assert.deepEqual([state, reason], ["failed", "RUN_WORKER_LOST"]);
    await runner.close();
  });
});

describe("a guest that never stops writing", { timeout: 60_000 }, () => {
  it("does not hold the thread that follows it", async () => {
    const runner = new Runner({ createWorker: createSourceWorker, warm: 0 });
    let heard = 0;
    const run = runner.start(
      runOptions(await admit(SHOUTING), {
        onOutput: (_stream, bytes) => {
          heard += bytes.length;
        },
        limits: { outputBytes: 2 ** 30 },
      }),
    );
    while (heard === 0) await new Promise((resolve) => setImmediate(resolve));
    // Were it held, only the limit would end the run.
    for (let turns = 0; turns < 20; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    run.cancel();
    assert.equal((await run.done).state, "cancelled");
    await runner.close();
  });
});
