// The service as a process: starts from a file, ends on a signal, keeps what it must across a kill.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { fetchTrusting, newIdentity } from "@holdfast/channel";
import { AttestationClient, fetchTransport } from "@holdfast/contract";
import { systemClock, toPem, webCrypto } from "@holdfast/core";
import { verifyLog } from "@holdfast/evidence";
import { filled } from "@holdfast/testkit";
import { world } from "./testing/service.ts";

const MAIN = resolve(import.meta.dirname, "main.ts");

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly client: AttestationClient;
  readonly lines: readonly string[];
}

async function newConfig(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-main-"));
  t.after(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "root.pem"), toPem("CERTIFICATE", world.root.der));
  const config = join(directory, "config.json");
  const listen = { host: "127.0.0.1", port: 0 };
  await writeFile(config, JSON.stringify({ listen, data_dir: "data", simulated_root: "root.pem" }));
  return config;
}

async function run(t: TestContext, config: string, caFile?: string): Promise<Running> {
  const child = spawn(process.execPath, [MAIN, "--config", config], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  const url = await new Promise<string>((found, failed) => {
    child.once("exit", (code) => failed(new Error(`exit code ${code}`)));
    reader.on("line", (line) => {
      lines.push(line);
      const address = /Server listening at (https?:\/\/[^"]+)/.exec(line)?.[1];
      if (address !== undefined) found(address);
    });
  });
  const fetcher =
    caFile === undefined
      ? {}
      : { fetcher: fetchTrusting({ authoritiesPem: await readFile(caFile) }) };
  return { child, url, client: new AttestationClient(fetchTransport(url, fetcher)), lines };
}

test("keeps its authority and log across a kill, and ends on SIGTERM with 0", async (t) => {
  const config = await newConfig(t);
  const first = await run(t, config);
  const before = await first.client.authority();
  const proof = { evidence: filled(9, 1), csr: filled(9, 1) };
  const refused = first.client.certify({ challengeId: "nobody's", ...proof });
  await assert.rejects(refused, { code: "ATTESTATION_REFUSED" });
  first.child.kill("SIGKILL");
  await once(first.child, "exit");

  const second = await run(t, config);
  assert.deepEqual(await second.client.authority(), before);
  assert.match(second.lines.join("\n"), /SIMULATED evidence is accepted/);
  const { challenge_id: challengeId } = await second.client.challenge();
  await assert.rejects(second.client.certify({ challengeId, ...proof }), {
    code: "ATTESTATION_REFUSED",
  });
  const other = spawnSync(process.execPath, [MAIN, "--config", config], { encoding: "utf8" });
  assert.equal(other.status, 2);
  assert.match(other.stderr, /DATA_IN_USE/);
  second.child.kill("SIGTERM");
  assert.deepEqual(await once(second.child, "exit"), [0, null]);

  const log = await readFile(join(config, "../data/decisions.jsonl"), "utf8");
  const verdict = await verifyLog(log.trimEnd().split("\n"), webCrypto);
  assert.equal(verdict.count, 2);
  assert.ok(verdict.checks.every(({ outcome }) => outcome === "passed"));
});

test("serves TLS under an authority that it makes, and the same one when it starts again", async (t) => {
  const config = await newConfig(t);
  const tls = { auto_dir: "tls" };
  await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, "utf8")), tls }));
  const caFile = join(config, "../tls/ca.pem");
  const first = await run(t, config, caFile);
  const ca = await readFile(caFile, "utf8");
  assert.equal((await first.client.challenge()).nonce.length, 44);
  first.child.kill("SIGTERM");
  assert.deepEqual(await once(first.child, "exit"), [0, null]);
  const second = await run(t, config, caFile);
  await second.client.challenge();
  assert.equal(await readFile(caFile, "utf8"), ca);
});

test("presents another certificate after SIGHUP, when its files changed", async (t) => {
  const config = await newConfig(t);
  const [certificate, key] = [join(config, "../c.pem"), join(config, "../k.pem")];
  const identity = () => newIdentity({ commonName: "127.0.0.1", clock: systemClock });
  const [first, second] = [await identity(), await identity()];
  await writeFile(certificate, first.certificatePem);
  await writeFile(key, first.keyPem);
  const tls = { certificate_file: "c.pem", key_file: "k.pem" };
  await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, "utf8")), tls }));
  const { child, url } = await run(t, config);
  assert.equal(await shownAt(url), first.certificatePem);
  await writeFile(certificate, second.certificatePem);
  await writeFile(key, second.keyPem);
  child.kill("SIGHUP");
  for (let i = 0; i < 500 && (await shownAt(url)) !== second.certificatePem; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(await shownAt(url), second.certificatePem);
});

async function shownAt(url: string): Promise<string | undefined> {
  const { port } = new URL(url);
  const socket = connect({ port: Number(port), host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const shown = socket.getPeerX509Certificate()?.toString().trimEnd();
  socket.destroy();
  return shown;
}

test("says what is wrong with its arguments and its file, with exit code 2", async (t) => {
  const config = await newConfig(t);
  await writeFile(config, "{}");
  const bad = spawnSync(process.execPath, [MAIN, "--config", config], { encoding: "utf8" });
  assert.equal(bad.status, 2);
  assert.match(bad.stderr, /^CONFIG_INVALID: .*listen/);
  for (const args of [[], ["--port", "1"]]) {
    const none = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
    assert.equal(none.status, 2);
    assert.match(none.stderr, /usage/);
  }
});
