// What the originals' services and scripts rest on when they call veracruz-client, with ours in its place.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Ran, run } from "../../apps/cli/src/testing/run.ts";
import {
  bytesOf,
  eventually,
  newIdentities,
  sha256,
  userPolicy,
  vodFunction,
} from "../../apps/control/src/testing/samples.ts";
import { makeWorld, type World } from "../../apps/control/src/testing/world.ts";

/** Opens a pipe once there is somebody at its other end. */
async function openedForWriting(path: string): Promise<number> {
  return await eventually(
    async () => {
      try {
        return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      } catch {
        return -1;
      }
    },
    (file) => file >= 0,
  );
}

describe("holdfast client in the place of veracruz-client", { concurrency: false }, () => {
  let world: World;
  let directory: string;
  const at = (name: string): string => join(directory, name);
  const words = (...more: string[]): string[] => {
    return ["client", at("policy"), "--identity", at("cert.pem"), "--key", at("key.pem"), ...more];
  };
  const client = (...more: string[]): Promise<Ran> => run(words(...more));

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-client-"));
    world = await makeWorld();
    await world.start();
    await world.ccfaas.registerFunction(vodFunction());
    const identities = await newIdentities();
    const { policy } = await world.ccfaas.createInstance(userPolicy(identities));
    writeFileSync(at("policy"), policy);
    writeFileSync(at("cert.pem"), identities.user.certificatePem);
    writeFileSync(at("key.pem"), identities.user.keyPem);
  });
  after(async () => {
    await world?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("sends from a named pipe what comes through it, as iotex-s3-app.py has it do", async () => {
    assert.equal(spawnSync("mkfifo", [at("pipe")]).status, 0);
    const sending = client("--data", `/user_input/key=${at("pipe")}`, "--json");
    const end = await openedForWriting(at("pipe"));
    // Together they fit into the pipe: nobody waits here if nobody reads there.
    const parts = [bytesOf("first ".repeat(5000)), bytesOf("second".repeat(5000))];
    for (const part of parts) writeSync(end, part);
    closeSync(end);
    const bytes = Buffer.concat(parts);
    const { code, stdout, stderr } = await sending;
    assert.equal(code, 0, stderr);
    const { uploads } = JSON.parse(stdout) as { uploads: { bytes: number; sha256: string }[] };
    assert.deepEqual(
      uploads.map(({ bytes, sha256 }) => [bytes, sha256]),
      [[bytes.length, sha256(bytes)]],
    );
  });

  it("is interrupted at a named pipe whose writer falls silent", { timeout: 60_000 }, async () => {
    const interruption = new AbortController();
    const upload = words("--data", `/user_input/key=${at("pipe")}`);
    const ran = run(upload, { interrupted: interruption.signal });
    const end = await openedForWriting(at("pipe"));
    interruption.abort();
    assert.equal((await ran).code, 130);
    closeSync(end);
  });

  it("says Error and exits with 1, which is what load_data.sh and execute_program.sh look at", async () => {
    const { code, stderr } = await client("--data", `/output/x=${at("cert.pem")}`);
    assert.equal(code, 1);
    assert.match(stderr, /^Error: /m);
  });

  it("refuses what is neither a file nor a pipe", async () => {
    const { code, stderr } = await client("--data", `/user_input/key=${directory}`);
    assert.equal(code, 1);
    assert.match(stderr, /is not a file \(CLI_FILE\)/);
  });

  it("ends the keep with --shutdown alone", async () => {
    const { code, stderr } = await client("--shutdown");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Shutting down enclave$/m);
    await eventually(
      () => world.vaas.list(),
      ({ veracruz }) => veracruz.length === 0,
    );
  });
});
