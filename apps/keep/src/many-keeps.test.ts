// Several keeps on one machine, each in its own process, all at once: each serves its own file and its own run, and
// knows nothing of the others.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connectKeep } from "@holdfast/channel";
import { KeepClient } from "@holdfast/contract";
import { fromText, readBody, systemClock, toText } from "@holdfast/core";
import { copying, wat } from "./testing/programs.ts";
import { type RealKeep, startPlatform, startRealKeep } from "./testing/real-platform.ts";
import { EXECUTE, READ, WRITE } from "./testing/test-policy.ts";

const KEEPS = 8;

describe("eight keeps at once", { timeout: 120_000 }, () => {
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  before(async () => {
    platform = await startPlatform();
  });
  after(() => platform.close());

  test("serve a file and a run each, and no other's client", async () => {
    const program = await wat(copying("x", "y"));
    const keeps = await Promise.all(
      Array.from({ length: KEEPS }, () =>
        startRealKeep(platform, {
          rights: [{ "/in/": READ | WRITE, "/out/": READ, "/program/": WRITE | EXECUTE }],
          programs: { "/program/copy.wasm": { "/in/": READ, "/out/": READ | WRITE } },
        }),
      ),
    );
    const served = await Promise.all(keeps.map((keep, index) => serve(keep, index, program)));
    assert.deepEqual(
      served,
      keeps.map((_, index) => `of keep ${index}`),
    );
    const [mine, other] = keeps;
    assert.ok(mine?.identities[0] !== undefined && other !== undefined);
    const stranger = { policy: other.policy, identity: mine.identities[0], clock: systemClock };
    await assert.rejects(connectKeep(stranger).then((made) => new KeepClient(made).status()));
    await Promise.all(
      keeps.map(async (keep) => {
        await (await keep.client()).shutdown();
        assert.equal((await keep.reaches("ended")).exit_code, 0);
      }),
    );
  });
});

/** Puts a file in, has it copied by a program, and reads the copy. */
async function serve(keep: RealKeep, index: number, program: Uint8Array): Promise<string> {
  await keep.reaches("serving");
  const client = await keep.client();
  await client.putFile("/program/copy.wasm", program);
  await client.putFile("/in/x", fromText(`of keep ${index}`));
  const { id } = await client.startRun("/program/copy.wasm");
  assert.equal((await client.waitRun(id)).exit_code, 0);
  return toText((await readBody((await client.readFile("/out/y")).body, 100)) ?? new Uint8Array());
}
