import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { LoaderError, parseLoaderConfig } from "./config.ts";
import { noteLine } from "./follow-keep.ts";
import { measure } from "./measure-bundle.ts";
import { StateFile } from "./state-file.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-loader-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const CONFIG = {
  bundle: "/keep.mjs",
  policy: "{}",
  listen: { host: "127.0.0.1", port: 3014 },
  attestation_url: "http://127.0.0.1:3010",
  platform: { kind: "simulated-nitro", authority_dir: "/authority" },
  state_file: "/state",
  log_file: "/log",
};

test("a configuration is read", () => {
  const config = parseLoaderConfig(JSON.stringify(CONFIG));
  assert.deepEqual(config.listen, { host: "127.0.0.1", port: 3014 });
  assert.equal(config.platform.authorityDir, "/authority");
});

test("a configuration at fault is refused", () => {
  const faults = [
    "",
    "null",
    "[]",
    JSON.stringify({ ...CONFIG, platform: { kind: "aws-nitro", authority_dir: "/x" } }),
    JSON.stringify({ ...CONFIG, listen: { host: "x", port: "3014" } }),
    JSON.stringify({ ...CONFIG, bundle: "" }),
    ...Object.keys(CONFIG).map((name) => JSON.stringify({ ...CONFIG, [name]: undefined })),
  ];
  for (const text of faults) {
    assert.throws(
      () => parseLoaderConfig(text),
      (thrown) => thrown instanceof LoaderError && thrown.code === "LOADER_CONFIG",
      text,
    );
  }
});

test("the measurement is the first 32 bytes of a SHA-384", () => {
  const { pcr0, measurement } = measure(new TextEncoder().encode("abc"));
  assert.equal(pcr0.length, 48);
  assert.equal(measurement, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed");
});

test("the keep's lines change the state; nonsense and what comes after the end do not", () => {
  const path = join(directory, "state.json");
  const state = new StateFile(path, {
    state: "starting",
    loader_pid: 1,
    started_at: "",
    platform: "simulated-nitro",
    simulated: true,
    measurement: "",
    policy_hash: "",
    listen: { host: "127.0.0.1", port: 0 },
  });
  const stored = (): Record<string, unknown> => JSON.parse(readFileSync(path, "utf8"));
  for (const line of ["", "nonsense", "[]", "null", '{"event":"other"}']) noteLine(state, line);
  assert.equal(stored()["state"], "starting");
  noteLine(state, '{"event":"attested"}');
  assert.equal(stored()["state"], "attested");
  noteLine(state, '{"event":"serving","port":3014}');
  assert.deepEqual(stored()["listen"], { host: "127.0.0.1", port: 3014 });
  state.change({ state: "ended", exit_code: 0 });
  noteLine(state, '{"event":"serving","port":1}');
  assert.equal(stored()["state"], "ended");
  assert.deepEqual(readdirSync(directory), ["state.json"]);
});
