// The configuration: read whole, or refused with the member that is wrong.
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toPem } from "@holdfast/core";
import { readConfig } from "./config.ts";
import type { TrustError } from "./errors.ts";
import { world } from "./testing/service.ts";

async function configFile(t: TestContext, text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-config-"));
  t.after(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "root.pem"), toPem("CERTIFICATE", world.root.der));
  await writeFile(join(directory, "two.pem"), toPem("CERTIFICATE", world.root.der).repeat(2));
  await writeFile(join(directory, "config.json"), text);
  return join(directory, "config.json");
}

const LISTEN = { host: "127.0.0.1", port: 3010 };
const GOOD = { listen: LISTEN, data_dir: "data" };

test("paths are relative to the file, and nothing simulated is accepted unless named", async (t) => {
  const file = await configFile(t, JSON.stringify(GOOD));
  assert.deepEqual(await readConfig(file), {
    listen: LISTEN,
    dataDirectory: join(file, "../data"),
    simulatedRoots: [],
    certificateHours: 24,
    rates: {
      address: { perSecond: 200, burst: 2000 },
      failures: { perSecond: 0.2, burst: 20 },
    },
    challengeSeconds: 300,
    adminToken: undefined,
    issuer: "holdfast-attestation",
    collateralDirectory: undefined,
    collateralSources: {},
    referenceSigners: [],
  });
});

test("a simulated root is read from its file", async (t) => {
  const file = await configFile(t, JSON.stringify({ ...GOOD, simulated_root: "root.pem" }));
  const { simulatedRoots } = await readConfig(file);
  assert.deepEqual(
    simulatedRoots.map(({ der }) => der),
    [world.root.der],
  );
});

test("sources of collateral are base addresses", async (t) => {
  const sources = { intel: { url: "http://127.0.0.1:1/pcs/" }, amd: { url: "https://[::1]" } };
  const file = await configFile(t, JSON.stringify({ ...GOOD, collateral_sources: sources }));
  assert.deepEqual((await readConfig(file)).collateralSources, {
    intel: "http://127.0.0.1:1/pcs",
    amd: "https://[::1]",
  });
});

test("other machines are served over TLS, or by something in front", async (t) => {
  const open = { ...GOOD, listen: { host: "0.0.0.0", port: 3010 } };
  const files = { certificate_file: "c", key_file: "k" };
  const made = { ...open, tls: { auto_dir: "tls", names: ["trust.example"] } };
  const brought = await configFile(t, JSON.stringify({ ...open, tls: files }));
  const base = join(brought, "..");
  assert.deepEqual((await readConfig(brought)).tls, {
    kind: "files",
    certificateFile: join(base, "c"),
    keyFile: join(base, "k"),
  });
  const { tls } = await readConfig(await configFile(t, JSON.stringify(made)));
  assert.equal(tls?.kind, "auto");
  const behind = await configFile(t, JSON.stringify({ ...open, tls_ends_elsewhere: true }));
  assert.equal((await readConfig(behind)).tls, undefined);
  assert.equal((await readConfig(behind)).isBehindProxy, true);
});

test("callers may ask as often as configured", async (t) => {
  const rates = { address: { per_second: 5, burst: 10 } };
  const file = await configFile(t, JSON.stringify({ ...GOOD, rates }));
  const read = (await readConfig(file)).rates;
  assert.deepEqual(read.address, { perSecond: 5, burst: 10 });
  assert.equal(read.failures.burst, 20);
});

const OPEN = { ...GOOD, listen: { host: "0.0.0.0", port: 3010 } };
const source = (url: string): string =>
  JSON.stringify({ ...GOOD, collateral_sources: { intel: { url } } });
const BAD: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  ["no JSON", "{", /can't be read/],
  ["no object", "[]", /object/],
  ["no listen", JSON.stringify({ data_dir: "x" }), /listen/],
  ["a port over 65535", JSON.stringify({ ...GOOD, listen: { ...LISTEN, port: 65536 } }), /port/],
  [
    "a member nobody knows",
    JSON.stringify({ ...GOOD, simulated_roots: [] }),
    /simulated_roots is not known/,
  ],
  ["plain HTTP for other machines", JSON.stringify(OPEN), /tls is needed/],
  [
    "TLS both here and elsewhere",
    JSON.stringify({ ...OPEN, tls: { auto_dir: "d" }, tls_ends_elsewhere: true }),
    /tls_ends_elsewhere/,
  ],
  [
    "a certificate for any name",
    JSON.stringify({ ...OPEN, tls: { auto_dir: "d", names: ["*.example"] } }),
    /no host and no address/,
  ],
  [
    "a rate of nothing",
    JSON.stringify({ ...GOOD, rates: { address: { per_second: 0, burst: 1 } } }),
    /per_second/,
  ],
  ["hours of zero", JSON.stringify({ ...GOOD, certificate_hours: 0 }), /certificate_hours/],
  ["hours as text", JSON.stringify({ ...GOOD, certificate_hours: "24" }), /certificate_hours/],
  [
    "a root that is not there",
    JSON.stringify({ ...GOOD, simulated_root: "x.pem" }),
    /simulated_root/,
  ],
  [
    "two roots in a file",
    JSON.stringify({ ...GOOD, simulated_root: "two.pem" }),
    /one certificate/,
  ],
  [
    "a source of a vendor nobody knows",
    JSON.stringify({ ...GOOD, collateral_sources: { arm: { url: "http://x" } } }),
    /not known/,
  ],
  ["a source that is a file", source("file:///etc"), /collateral_sources.intel.url/],
  ["a source with a query", source("http://x/?a=b"), /collateral_sources.intel.url/],
  ["a source with a user", source("http://u:p@x/"), /collateral_sources.intel.url/],
  [
    "a root that is none",
    JSON.stringify({ ...GOOD, simulated_root: "config.json" }),
    /CERTIFICATE/,
  ],
];

test("the administrator's token is read from a file that nobody else may read", async (t) => {
  const file = await configFile(t, JSON.stringify({ ...GOOD, admin_token_file: "token" }));
  const token = join(file, "../token");
  const rejected = (message: RegExp) =>
    assert.rejects(
      readConfig(file),
      (error: TrustError) => error.code === "CONFIG_INVALID" && message.test(error.message),
    );
  await rejected(/admin_token_file .*ENOENT/);
  await writeFile(token, `${"t".repeat(32)}\n`, { mode: 0o600 });
  assert.equal((await readConfig(file)).adminToken, "t".repeat(32));
  await chmod(token, 0o644);
  await rejected(/chmod 600/);
  await chmod(token, 0o600);
  await writeFile(token, "short");
  await rejected(/32 to 512/);
});

for (const [name, text, message] of BAD) {
  test(`refused: ${name}`, async (t) => {
    const file = await configFile(t, text);
    await assert.rejects(
      readConfig(file),
      (error: TrustError) => error.code === "CONFIG_INVALID" && message.test(error.message),
    );
  });
}
