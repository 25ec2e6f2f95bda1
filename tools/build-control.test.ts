// The control plane as it is built serves from anywhere: no package is near it here, and what it loads only at times is
// found when its time has come.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { ServiceRefusal } from "@holdfast/contract";
import { AUDIENCE, ISSUER, newIssuerKey, signToken } from "../apps/control/src/testing/issuer.ts";
import { FILES, PROGRAM, vodFunction } from "../apps/control/src/testing/samples.ts";
import { makeWorld, type World } from "../apps/control/src/testing/world.ts";
import { buildControl } from "./build-control.ts";

/** Nobody listens there. */
const NOWHERE = "127.0.0.1:9";
const DAY_MS = 24 * 60 * 60 * 1000;

describe("the control plane as it is built", { concurrency: false }, () => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-build-control-"));
  let main: string;
  let world: World;
  before(async () => {
    main = await buildControl(directory);
    world = await makeWorld({ main });
  });
  after(async () => {
    await world?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("is healthy, registers functions, and has the AWS SDK when it needs it", async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" });
    const s3 = { bucket: "none", endpoint: `http://${NOWHERE}`, region: "us-east-1" };
    const control = await world.spawn({ blobs: { s3 } });
    for (const url of [world.vaasUrl, world.ccfaasUrl, world.s3Url]) {
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
    }
    const definition = vodFunction();
    await world.ccfaas.registerFunction(definition);
    assert.deepEqual(await world.ccfaas.getFunction(definition.function), definition);
    const upload = world.ccfaas.uploadProgram(definition.function, PROGRAM, FILES[PROGRAM]!);
    await assert.rejects(upload, (thrown) => {
      assert.ok(thrown instanceof ServiceRefusal);
      assert.equal(thrown.code, "BLOBS_UNREACHABLE");
      return true;
    });
    await end(control);
  });

  it("makes its directory for its owner alone", async () => {
    const data_dir = join(world.directory, "fresh");
    await end(await world.spawn({ data_dir }));
    assert.equal(statSync(data_dir).mode & 0o777, 0o700);
  });

  it("judges tokens of an issuer", async () => {
    const [known, unknown] = [await newIssuerKey("known"), await newIssuerKey("unknown")];
    const jwks_file = join(world.directory, "keys.json");
    writeFileSync(jwks_file, JSON.stringify({ keys: [known.publicJwk] }));
    const oidc = { issuer: ISSUER, audience: AUDIENCE, jwks_file };
    const control = await world.spawn({
      local_development: false,
      access: { oidc, tls_ends_elsewhere: true },
    });
    const statusWith = async (token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${world.ccfaasUrl}/function`, { headers })).status;
    };
    assert.equal(await statusWith(await signToken(known)), 200);
    assert.equal(await statusWith(await signToken(unknown)), 401);
    await end(control);
  });

  it("has the PostgreSQL driver when it needs it", async () => {
    const config = join(world.directory, "postgres.json");
    const database_url = `postgres://${NOWHERE}/none`;
    writeFileSync(config, JSON.stringify({ ...world.config, database_url }));
    const child = spawn(process.execPath, [main, "--config", config], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    assert.match(await text(child.stderr), /^control plane: .*ECONNREFUSED/);
  });

  it("stays whole for those who were started from an earlier build, for a week", async () => {
    const parts = join(directory, "parts");
    const built = new Set(readdirSync(parts));
    for (const [name, days] of [
      ["young.mjs", 6],
      ["old.mjs", 8],
    ] as const) {
      writeFileSync(join(parts, name), "");
      const then = new Date(Date.now() - days * DAY_MS);
      utimesSync(join(parts, name), then, then);
    }
    await buildControl(directory);
    assert.deepEqual(new Set(readdirSync(parts)), built.add("young.mjs"));
  });
});

/** The next one is to have its ports. */
async function end(control: ChildProcess): Promise<void> {
  const exited = once(control, "exit");
  control.kill("SIGKILL");
  await exited;
}
