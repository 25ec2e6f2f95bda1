// Roles and tokens, on services that run.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Answer, call, isJson, isProblem } from "../testing/call.ts";
import { newIdentities, userPolicy, vodFunction } from "../testing/samples.ts";
import { makeWorld, type World } from "../testing/world.ts";

const TOKENS = { reader: "token-r", user: "token-u", admin: "token-a", operator: "token-o" };
const digest = (value: string | Uint8Array): string =>
  createHash("sha256").update(value).digest("hex");

describe("access", { concurrency: false }, () => {
  let world: World;

  before(async () => {
    world = await makeWorld();
    mkdirSync(world.directory, { recursive: true });
    const principals = Object.entries(TOKENS).map(([role, token]) => ({
      name: `the ${role}`,
      roles: role === "operator" ? ["operator", "reader"] : [role],
      token_sha256: digest(token),
    }));
    writeFileSync(join(world.directory, "principals.json"), JSON.stringify({ principals }));
    writeFileSync(join(world.directory, "vaas-token"), `${TOKENS.operator}\n`);
    Object.assign(world.config, {
      local_development: false,
      access: { principals_file: "principals.json", tls_ends_elsewhere: true },
    });
    Object.assign(world.config.ccfaas ?? {}, { vaas_token_file: "vaas-token" });
    await world.start();
  });
  after(() => world?.close());

  const as = (
    who: keyof typeof TOKENS | undefined,
    method: string,
    url: string,
    json?: unknown,
  ): Promise<Answer> =>
    call(method, url, {
      ...(json === undefined ? {} : { json }),
      headers: who === undefined ? {} : { authorization: `Bearer ${TOKENS[who]}` },
    });

  it("nobody unknown sees or does anything", async () => {
    for (const base of [world.vaasUrl, world.ccfaasUrl, world.s3Url]) {
      isProblem(await as(undefined, "GET", `${base}/openapi.json`), 401, "ACCESS_UNKNOWN");
      isProblem(await as(undefined, "GET", `${base}/metrics`), 401, "ACCESS_UNKNOWN");
    }
    const answer = await as(undefined, "GET", `${world.ccfaasUrl}/function`);
    isProblem(answer, 401, "ACCESS_UNKNOWN");
    assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="holdfast"');
    isProblem(
      await as(undefined, "POST", `${world.ccfaasUrl}/function`, vodFunction()),
      401,
      "ACCESS_UNKNOWN",
    );
    isProblem(
      await as(undefined, "POST", `${world.s3Url}/s3_stream_veracruz`, {}),
      401,
      "ACCESS_UNKNOWN",
    );
    for (const authorization of [
      "Bearer wrong",
      "Bearer ",
      "Basic dG9rZW4tYTo=",
      `Bearer ${TOKENS.admin} x`,
      `Token ${TOKENS.admin}`,
    ]) {
      const wrong = await call("GET", `${world.ccfaasUrl}/function`, {
        headers: { authorization },
      });
      isProblem(wrong, 401, "ACCESS_UNKNOWN");
    }
  });

  it("everybody may ask whether a service is well", async () => {
    for (const base of [world.vaasUrl, world.ccfaasUrl, world.s3Url]) {
      isJson(await as(undefined, "GET", `${base}/healthz`), { status: "ok" });
    }
  });

  it("each role may do its own, and nothing of another's", async () => {
    const { ccfaasUrl, vaasUrl, s3Url } = world;
    const policy = userPolicy(await newIdentities());
    const attempts = [
      ["reader", "GET", `${ccfaasUrl}/function`],
      ["admin", "POST", `${ccfaasUrl}/function`, vodFunction()],
      ["admin", "POST", `${ccfaasUrl}/function/vod_small/program/x`],
      ["user", "POST", `${ccfaasUrl}/instance`, policy],
      ["user", "POST", `${s3Url}/s3_stream_veracruz`, {}],
      ["operator", "POST", `${vaasUrl}/veracruz`, {}],
      ["operator", "DELETE", `${vaasUrl}/veracruz/a:1`],
      ["user", "DELETE", `${ccfaasUrl}/instance/0`],
      ["admin", "DELETE", `${ccfaasUrl}/function/vod_small`],
    ] as const;
    for (const [role, method, url, json] of attempts) {
      for (const other of Object.keys(TOKENS) as (keyof typeof TOKENS)[]) {
        const isReading = method === "GET" && other === "operator";
        if (other === role || isReading) continue;
        isProblem(await as(other, method, url, json), 403, "ACCESS_DENIED");
      }
      const { status, text } = await as(role, method, url, json);
      assert.ok(![401, 403].includes(status), `${role} ${method} ${url}: ${text}`);
    }
  });

  it("lets CCFaaS make keeps by its own token, and no one's else", async () => {
    const policy = userPolicy(await newIdentities(), { instanceid: "1" });
    assert.equal(
      (await as("admin", "POST", `${world.ccfaasUrl}/function`, vodFunction())).status,
      200,
    );
    assert.equal((await as("user", "POST", `${world.ccfaasUrl}/instance`, policy)).status, 200);
    assert.equal((await as("user", "DELETE", `${world.ccfaasUrl}/instance/1`)).status, 200);
  });
});
