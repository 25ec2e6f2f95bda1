// Inputs that the keep fetches itself: nothing becomes a file but what the policy says, whatever the place, the loader and
// the service do.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { signConsent } from "@holdfast/channel";
import type { KeepInput } from "@holdfast/contract";
import { fromText, readBody } from "@holdfast/core";
import { type InputHost, sealed, sha256, startInputHost } from "./testing/input-host.ts";
import { printing, wat } from "./testing/programs.ts";
import { refused } from "./testing/refused.ts";
import { startTestKeep, type TestKeep, type TestKeepOptions } from "./testing/test-keep.ts";
import { EXECUTE, READ, WRITE } from "./testing/test-policy.ts";

const PATH = "/in/model.weights";
const PROGRAM = "/program/p.wasm";
/** More than the pieces in which a file comes and is kept. */
const PLAIN = Uint8Array.from(randomBytes(3_000_000));
const KEY = Uint8Array.from(randomBytes(32));

describe("inputs", { timeout: 120_000 }, () => {
  let host: InputHost;
  let keep: TestKeep | undefined;
  let sealedBytes: Uint8Array;
  before(async () => {
    host = await startInputHost();
    sealedBytes = await sealed(KEY, PLAIN);
  });
  after(() => host.close());
  beforeEach(async () => {
    await keep?.close();
    host.files.clear();
    host.keys.clear();
    host.asked.length = 0;
    host.files.set("/open/plain", PLAIN);
    host.files.set("/open/sealed", sealedBytes);
    host.keys.set("model", KEY);
  });
  after(() => keep?.close());

  /** The entry of an input; of the sealed file unless it is changed. */
  const entry = (change: object = {}): Record<string, unknown> => ({
    path: PATH,
    source: `${host.origin}/open/sealed`,
    sha256: sha256(sealedBytes),
    size: sealedBytes.length,
    key: "model",
    ...change,
  });
  const plain = (change: object = {}) =>
    entry({
      source: `${host.origin}/open/plain`,
      sha256: sha256(PLAIN),
      size: PLAIN.length,
      key: undefined,
      ...change,
    });

  async function keepWith(
    inputs: readonly object[],
    options: Partial<TestKeepOptions> & { readonly terms?: object } = {},
  ): Promise<TestKeep> {
    const { terms, ...rest } = options;
    keep = await startTestKeep({
      rights: [{ "/in/": READ | WRITE, "/program/": WRITE | EXECUTE, stdout: READ }],
      programs: { [PROGRAM]: { "/in/": READ, stdout: WRITE } },
      fileHashes: { [PATH]: sha256(PLAIN) },
      terms: { inputs, ...terms },
      ...rest,
    });
    return keep;
  }

  /** How the inputs stand once nothing is fetched any more. */
  async function settled(on: TestKeep, attempts?: number): Promise<readonly KeepInput[]> {
    await on.keep.fetchInputs(
      host.ways(on.policy.text, attempts === undefined ? {} : { attempts }),
    );
    return (await (await on.client()).status()).inputs ?? [];
  }

  /** The one input fails, for that reason, and nothing of it is left. */
  async function fails(reason: RegExp, on: TestKeep): Promise<void> {
    const [input] = await settled(on);
    assert.equal(input?.state, "failed");
    assert.match(input.reason ?? "", reason);
    const client = await on.client();
    assert.equal((await client.status()).storage?.used_bytes, 0);
    await refused("FILE_MISSING", client.readFile(PATH));
  }

  async function holds(on: TestKeep, path = PATH): Promise<void> {
    const { body } = await (await on.client()).readFile(path);
    assert.deepEqual(Buffer.from((await readBody(body, 2 ** 24)) ?? []), Buffer.from(PLAIN));
  }

  test("a plain file comes from where it is", async () => {
    const on = await keepWith([plain()]);
    const ready = { path: PATH, state: "ready", received: PLAIN.length, size: PLAIN.length };
    assert.deepEqual(await settled(on), [ready]);
    await holds(on);
    assert.deepEqual(host.asked, ["/open/plain"], "no key was needed");
    assert.doesNotMatch(on.log.join(""), /model|127\.0\.0\.1/);
  });

  test("a sealed file is opened with a released key", async () => {
    const on = await keepWith([entry()]);
    const [input] = await settled(on);
    assert.equal(input?.state, "ready", input?.reason ?? "");
    await holds(on);
    assert.deepEqual(host.asked, ["/v1/challenges", "/v1/keys/model/release", "/open/sealed"]);
  });

  test("no run starts before all inputs are there", async () => {
    const on = await keepWith([entry()]);
    const client = await on.client();
    await client.putFile(PROGRAM, await wat(printing("ran\n")));
    await refused("INPUT_MISSING", client.startRun(PROGRAM), /model\.weights/);
    assert.equal((await client.status()).inputs?.[0]?.state, "waiting");
    await settled(on);
    const { id } = await client.startRun(PROGRAM);
    assert.equal((await client.waitRun(id)).exit_code, 0);
  });

  test("a program may be an input", async () => {
    const module = await wat(printing("fetched\n"));
    host.files.set("/open/program", module);
    const source = `${host.origin}/open/program`;
    const input = { path: PROGRAM, source, sha256: sha256(module), size: module.length };
    const on = await keepWith([input], { fileHashes: { [PROGRAM]: sha256(module) } });
    await settled(on);
    const client = await on.client();
    const { id } = await client.startRun(PROGRAM);
    assert.equal((await client.waitRun(id)).exit_code, 0);
  });

  test("nobody else may put an input in", async () => {
    const on = await keepWith([entry()]);
    const client = await on.client();
    await refused("INPUT_FETCHED", client.putFile(PATH, PLAIN));
    await refused("INPUT_FETCHED", client.appendFile(`/in/./model.weights`, PLAIN));
    await settled(on);
    await refused("INPUT_FETCHED", client.putFile(PATH, fromText("x")), /fetches .* itself/);
    await holds(on);
  });

  test("nothing is fetched before those have consented who must", async () => {
    const on = await keepWith([entry()], { terms: { consent: [0] } });
    const client = await on.client();
    const fetched = on.keep.fetchInputs(host.ways(on.policy.text));
    assert.equal((await client.status()).inputs?.[0]?.state, "waiting");
    assert.deepEqual(host.asked, []);
    await client.giveConsent(signConsent(on.identities[0]!, on.policyHash));
    await fetched;
    await holds(on);
  });

  test("failed: wrong digest of what was fetched", async () => {
    const other = Uint8Array.from(sealedBytes);
    other[100] = (other[100] ?? 0) ^ 1;
    host.files.set("/open/sealed", other);
    await fails(/^INPUT_MISMATCH: .*another digest/, await keepWith([entry()]));
    assert.equal(host.asked.filter((path) => path === "/open/sealed").length, 1, "not tried again");
  });

  test("failed: shorter than the policy says", async () => {
    host.files.set("/open/sealed", sealedBytes.subarray(0, -1));
    await fails(/^INPUT_MISMATCH: 3000035 of 3000036 bytes/, await keepWith([entry()]));
  });

  test("failed: longer than the policy says", async () => {
    host.files.set("/open/sealed", Buffer.concat([sealedBytes, Buffer.of(0)]));
    await fails(/^INPUT_MISMATCH: more than 3000036 bytes/, await keepWith([entry()]));
  });

  test("failed: wrong tag", async () => {
    const other = Uint8Array.from(sealedBytes);
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
    host.files.set("/open/sealed", other);
    await fails(/^SEAL_INVALID/, await keepWith([entry({ sha256: sha256(other) })]));
  });

  test("failed: not a sealed file", async () => {
    await fails(/^SEAL_INVALID/, await keepWith([plain({ key: "model" })]));
  });

  test("failed: wrong key released", async () => {
    host.keys.set("model", Uint8Array.from(randomBytes(32)));
    await fails(/^SEAL_INVALID/, await keepWith([entry()]));
  });

  test("failed: plain digest is another", async () => {
    const other = await sealed(KEY, PLAIN.subarray(1));
    host.files.set("/open/sealed", other);
    const input = entry({ sha256: sha256(other), size: other.length });
    await fails(/^FILE_PIN_MISMATCH/, await keepWith([input]));
  });

  test("failed: key refused, which is asked for once", async () => {
    host.keys.set("model", 403);
    await fails(/^INPUT_KEY_REFUSED: .*key model: 403/, await keepWith([entry()]));
    assert.deepEqual(host.asked, ["/v1/challenges", "/v1/keys/model/release"]);
  });

  test("failed: source not allowed", async () => {
    const source = `${host.origin}/closed/sealed`;
    await fails(/^INPUT_SOURCE_REFUSED: .*\/closed\/sealed/, await keepWith([entry({ source })]));
    assert.equal(host.asked.includes("/closed/sealed"), false);
  });

  test("failed: redirect to a place that is not allowed", async () => {
    host.files.set("/open/sealed", (to) => to.writeHead(302, { location: "/closed/x" }).end());
    await fails(/^INPUT_SOURCE_REFUSED: .*\/closed\/x/, await keepWith([entry()]));
    assert.equal(host.asked.includes("/closed/x"), false);
  });

  test("failed: more than the keep has room for", async () => {
    const limits = { storage_mib: 1 };
    await fails(/^STORAGE_FULL/, await keepWith([entry()], { terms: { limits } }));
    assert.equal(host.asked.includes("/open/sealed"), false, "what can't be kept is not fetched");
  });

  test("failed: room that another file has taken", async () => {
    const on = await keepWith([entry()], { terms: { limits: { storage_mib: 4 } } });
    await (await on.client()).putFile("/in/other", PLAIN.subarray(0, 2_000_000));
    const [input] = await settled(on);
    assert.match(input?.reason ?? "", /^STORAGE_FULL/);
    const { used_bytes = 0 } = (await (await on.client()).status()).storage ?? {};
    assert.equal(used_bytes, 2_000_000, "nothing of it is left");
  });

  test("a source that breaks off is asked again, and so and so often", async () => {
    let breaks = 2;
    host.files.set("/open/sealed", (to) => {
      breaks -= 1;
      if (breaks < 0) to.end(sealedBytes);
      else to.write(sealedBytes.subarray(0, 200_000), () => to.destroy());
    });
    const on = await keepWith([entry()]);
    const [input] = await settled(on);
    assert.equal(input?.state, "ready", input?.reason ?? "");
    await holds(on);
    assert.equal(on.log.filter((line) => line.includes("input-broke")).length, 2);
    const asked = host.asked.filter((path) => path === "/v1/keys/model/release");
    assert.equal(asked.length, 1, "the key was there already");
    host.files.set("/open/sealed", (to) => to.writeHead(500).end());
    await on.close();
    await fails(/^INPUT_SOURCE_FAILED: .*answered 500/, await keepWith([entry()]));
    assert.equal(host.asked.filter((path) => path === "/open/sealed").length, 3 + 5);
  });

  test("a service that is away for a while is waited for", async () => {
    host.keys.set("model", 503);
    const on = await keepWith([entry()]);
    const fetched = on.keep.fetchInputs(host.ways(on.policy.text, { attempts: 10_000 }));
    const client = await on.client();
    for (;;) {
      const [input] = (await client.status()).inputs ?? [];
      if (input?.reason !== undefined) {
        assert.equal(input.state, "fetching");
        assert.match(input.reason, /^INPUT_KEY_UNREACHABLE: .*: 503; it is tried again/);
        break;
      }
    }
    host.keys.set("model", KEY);
    await fetched;
    await holds(on);
  });

  test("one that fails keeps no other from coming", async () => {
    const other = { ...plain(), path: "/in/other" };
    const inputs = [entry({ source: `${host.origin}/open/none` }), other];
    const on = await keepWith(inputs, {
      fileHashes: { [PATH]: sha256(PLAIN), "/in/other": sha256(PLAIN) },
    });
    const states = (await settled(on)).map(({ state }) => state);
    assert.deepEqual(states, ["failed", "ready"]);
    await holds(on, "/in/other");
    const client = await on.client();
    await client.putFile(PROGRAM, await wat(printing("never\n")));
    await refused("INPUT_MISSING", client.startRun(PROGRAM));
  });

  test("a keep that ends in the middle takes no more", async () => {
    let go: (() => void) | undefined;
    host.files.set("/open/sealed", (to) => {
      to.write(sealedBytes.subarray(0, 1_000_000));
      go = () => to.end(sealedBytes.subarray(1_000_000));
    });
    const on = await keepWith([entry()]);
    const fetched = on.keep.fetchInputs(host.ways(on.policy.text));
    const client = await on.client();
    for (let received = 0; received < 1_000_000; ) {
      received = (await client.status()).inputs?.[0]?.received ?? 0;
    }
    await on.close();
    go?.();
    await fetched;
    assert.doesNotMatch(on.log.join(""), /input-ready/);
  });
});
