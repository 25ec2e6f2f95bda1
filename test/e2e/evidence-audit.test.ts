// An attestation service as a process decides; its log is audited by the command, whole, changed and cut.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { createSimulatedNsm, newSimulatedAuthority, simulatedPcrs } from "@holdfast/attester";
import { newKeepKey } from "@holdfast/channel";
import { AttestationClient, fetchTransport } from "@holdfast/contract";
import { fromBase64, systemClock } from "@holdfast/core";

const ROOT = resolve(import.meta.dirname, "../..");

/** A service over a directory, its address when it listens. */
async function startService(t: TestContext, directory: string): Promise<string> {
  const config = join(directory, "config.json");
  writeFileSync(
    config,
    JSON.stringify({
      listen: { host: "127.0.0.1", port: 0 },
      data_dir: "data",
      simulated_root: "root.pem",
    }),
  );
  const main = join(ROOT, "apps/trust/src/main.ts");
  const child = spawn(process.execPath, [main, "--config", config], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(async () => {
    child.kill();
    await once(child, "exit");
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const [, address] = /Server listening at (http:\/\/[^"]+)/.exec(line) ?? [];
    if (address === undefined) continue;
    child.stdout.resume();
    return address;
  }
  throw new Error("the service ended before it listened");
}

function audit(log: string, ...more: string[]) {
  const main = join(ROOT, "apps/cli/src/main.ts");
  const argv = [main, "evidence", "audit", log, "--json", ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
  assert.equal(stderr, "");
  return { status, value: JSON.parse(stdout) };
}

test("decisions of a service are the same when they are made again", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-audit-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const authority = await newSimulatedAuthority(systemClock);
  const root = join(directory, "root.pem");
  writeFileSync(root, authority.certificatePem);
  const client = new AttestationClient(fetchTransport(await startService(t, directory)));
  const nsm = createSimulatedNsm({
    authority,
    pcrs: simulatedPcrs(new Uint8Array(48).fill(7)),
    moduleId: "i-audit",
    clock: systemClock,
  });
  const { request: csr } = await newKeepKey(new Uint8Array(32).fill(1), "audit");
  const userData = createHash("sha256").update(csr).digest();
  for (const spoil of [false, true]) {
    const { challenge_id: challengeId, nonce } = await client.challenge();
    const wanted = fromBase64(nonce);
    if (spoil) wanted[0] = (wanted[0] ?? 0) ^ 1;
    const evidence = await nsm.attest({ nonce: wanted, userData });
    const certified = client.certify({ challengeId, evidence, csr });
    if (spoil) await assert.rejects(certified, { code: "ATTESTATION_REFUSED" });
    else await certified;
  }

  const log = join(directory, "data/decisions.jsonl");
  // The log and the folder beside it are all that it takes.
  const whole = audit(log);
  assert.equal(whole.status, 0, JSON.stringify(whole.value));
  assert.match(JSON.stringify(whole.value.roots), /"sha256":"[0-9a-f]{64}"/);
  assert.deepEqual(
    whole.value.decisions.map(({ outcome }: { outcome: string }) => outcome),
    ["issued", "refused"],
  );
  const later = audit(log, "--at", "2040-01-01T00:00:00Z");
  assert.equal(later.status, 0);
  assert.match(JSON.stringify(later.value.decisions[0].changes), /path\.validity/);
  const [first = ""] = readFileSync(log, "utf8").split("\n");
  const changed = join(directory, "changed.jsonl");
  writeFileSync(changed, readFileSync(log, "utf8").replace('"issued"', '"denied"'));
  assert.equal(audit(changed, "--root", root).status, 1);
  writeFileSync(changed, `${first}\n`);
  // Away from its folder, a log is judged with what the auditor brings.
  assert.equal(audit(changed).status, 1);
  assert.equal(audit(changed, "--root", root).status, 0);
  const main = join(ROOT, "apps/cli/src/main.ts");
  const pinned = ["evidence", "audit", changed, "--root", root, "--head", whole.value.head];
  assert.equal(spawnSync(process.execPath, [main, ...pinned]).status, 1);

  const folder = join(directory, "data/decisions.basis");
  const [document = ""] = readdirSync(folder);
  const kept = readFileSync(join(folder, document));
  for (const spoil of [
    () => writeFileSync(join(folder, document), "something else"),
    () => rmSync(join(folder, document)),
  ]) {
    spoil();
    const { status, value } = audit(log);
    assert.equal(status, 1);
    assert.match(JSON.stringify(value.decisions), /was changed|is not beside the log/);
    writeFileSync(join(folder, document), kept);
  }
  assert.equal(audit(log).status, 0);
});
