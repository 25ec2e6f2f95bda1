import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AttesterError } from "@holdfast/attester";
import { LoaderError, parseLoaderAssignment, parseLoaderConfig } from "./config.ts";
import { noteLine } from "./follow-keep.ts";
import { KeepLog } from "./keep-log.ts";
import { measure } from "./measure-bundle.ts";
import { openPlatform } from "./open-platform.ts";
import { postToService } from "./post-to-service.ts";
import { StateReport } from "./state-report.ts";

const STARTING = {
  state: "starting",
  loader_pid: 1,
  started_at: "",
  platform: "simulated-nitro",
  simulated: true,
  measurement: "",
} as const;

const directory = mkdtempSync(join(tmpdir(), "holdfast-loader-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const CONFIG = {
  bundle: "/keep.mjs",
  attestation_url: "http://127.0.0.1:3010",
  platform: { kind: "simulated-nitro", authority_dir: "/authority" },
};
const ASSIGNMENT = {
  policy: "{}",
  listen: { host: "127.0.0.1", port: 3014 },
  state_file: "/state",
  log_file: "/log",
};

test("a configuration is read", () => {
  const config = parseLoaderConfig(JSON.stringify(CONFIG));
  assert.equal(config.ahead, false);
  assert.deepEqual(config.fetchAllow, []);
  const fetch_allow = ["https://host/files/"];
  const allowing = parseLoaderConfig(JSON.stringify({ ...CONFIG, fetch_allow }));
  assert.deepEqual(allowing.fetchAllow, fetch_allow);
  assert.equal(parseLoaderConfig(JSON.stringify({ ...CONFIG, ahead: true })).ahead, true);
  const assignment = parseLoaderAssignment(JSON.stringify(ASSIGNMENT));
  assert.deepEqual(assignment.listen, { host: "127.0.0.1", port: 3014 });
  assert.deepEqual(config.platform, { kind: "simulated-nitro", authorityDir: "/authority" });
  const real = (platform: object) =>
    parseLoaderConfig(JSON.stringify({ ...CONFIG, platform })).platform;
  assert.deepEqual(real({ kind: "aws-nitro" }), { kind: "aws-nitro", device: "/dev/nsm" });
  assert.deepEqual(real({ kind: "aws-nitro", device: "/x" }), { kind: "aws-nitro", device: "/x" });
});

test("a configuration at fault is refused", () => {
  const faults = [
    "",
    "null",
    "[]",
    JSON.stringify({ ...CONFIG, platform: { kind: "aws-nitro", device: "" } }),
    JSON.stringify({ ...CONFIG, platform: { kind: "another", authority_dir: "/x" } }),
    JSON.stringify({ ...CONFIG, ahead: 1 }),
    JSON.stringify({ ...CONFIG, fetch_allow: "https://host/" }),
    JSON.stringify({ ...CONFIG, fetch_allow: [1] }),
    JSON.stringify({ ...CONFIG, attestation_ca_file: "" }),
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
  const assignments = [
    "",
    "[]",
    JSON.stringify({ ...ASSIGNMENT, listen: { host: "x", port: "3014" } }),
    JSON.stringify({ ...ASSIGNMENT, listen: { host: "x", port: 65_536 } }),
    ...Object.keys(ASSIGNMENT).map((name) => JSON.stringify({ ...ASSIGNMENT, [name]: undefined })),
  ];
  for (const text of assignments) {
    assert.throws(
      () => parseLoaderAssignment(text),
      (thrown) => thrown instanceof LoaderError && thrown.code === "LOADER_CONFIG",
      text,
    );
  }
});

test("a machine without the module's device is no platform of it", async () => {
  const bundle = { bytes: new Uint8Array(), pcr0: new Uint8Array(48), measurement: "" };
  const device = join(directory, "nsm");
  await assert.rejects(
    openPlatform({ kind: "aws-nitro", device }, bundle),
    (thrown) => thrown instanceof AttesterError && thrown.code === "ATTESTER_UNREACHABLE",
  );
});

test("the keep's words are carried to three places of the service, and to no other", async () => {
  const carried = (path: unknown) => postToService(path, {}, { url: "http://127.0.0.1:1" });
  const paths = [
    "/v1/keys",
    "/v1/keys/model",
    "/v1/keys/model/grant",
    "/v1/keys/../release",
    "/v1/keys/a/../b/release",
    "/v1/keys/model/release?x",
    "/v1/keys/Model/release",
    "/v1/reference-values",
    "//other.example/v1/challenges",
    undefined,
  ];
  for (const path of paths) await assert.rejects(carried(path), /not a path to carry to/);
  for (const path of ["/v1/challenges", "/v1/certificates", "/v1/keys/model.1/release"]) {
    await assert.rejects(carried(path), /ECONNREFUSED/);
  }
});

test("the measurement is the first 32 bytes of a SHA-384", () => {
  const { pcr0, measurement } = measure(new TextEncoder().encode("abc"));
  assert.equal(pcr0.length, 48);
  assert.equal(measurement, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed");
});

test("the keep's lines change the state; nonsense and what comes after the end do not", () => {
  const path = join(directory, "state.json");
  const told: string[] = [];
  const report = new StateReport(STARTING, (line) => told.push(JSON.parse(line).state));
  const stored = (): Record<string, unknown> => JSON.parse(readFileSync(path, "utf8"));
  for (const line of ["", "nonsense", "[]", "null", '{"event":"other"}']) noteLine(report, line);
  noteLine(report, '{"event":"serving","port":1}');
  assert.equal(report.state.state, "starting", "nothing was assigned that it could serve");
  noteLine(report, '{"event":"waiting"}');
  assert.equal(existsSync(path), false, "nobody named a file yet");
  report.keepIn(path, { listen: { host: "127.0.0.1", port: 0 } });
  assert.equal(stored()["state"], "starting");
  noteLine(report, '{"event":"waiting"}');
  assert.equal(stored()["state"], "starting", "it waits no more");
  noteLine(report, '{"event":"attested"}');
  noteLine(report, '{"event":"serving","port":3014}');
  assert.deepEqual(stored()["listen"], { host: "127.0.0.1", port: 3014 });
  report.change({ state: "ended", exit_code: 0 });
  noteLine(report, '{"event":"serving","port":1}');
  assert.equal(stored()["state"], "ended");
  assert.deepEqual(readdirSync(directory), ["state.json"]);
  const states = told.filter((state, index) => state !== told[index - 1]);
  assert.deepEqual(states, ["starting", "waiting", "starting", "attested", "serving", "ended"]);
});

test("a keep that died before it was assigned is found dead in the file", () => {
  const path = join(directory, "dead.json");
  const report = new StateReport(STARTING, () => undefined);
  report.change({ state: "failed", reason: "why" });
  report.keepIn(path, { listen: { host: "127.0.0.1", port: 0 } });
  const { state, reason } = JSON.parse(readFileSync(path, "utf8"));
  assert.equal(`${state} ${reason}`, "failed why");
  rmSync(path);
});

test("lines of a keep that is not assigned yet are held back, then written", () => {
  const path = join(directory, "keep.log");
  const log = new KeepLog();
  log.add("first");
  log.open(path);
  log.add("second");
  assert.equal(readFileSync(path, "utf8"), "first\nsecond\n");
  rmSync(path);
});
