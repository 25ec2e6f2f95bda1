// An instance that takes longer than a request is held open, or than its service runs without a restart.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import { CcfaasClient, problem, ServiceError, type UserPolicyBody } from "@holdfast/contract";
import { fromText, type HttpRequest } from "@holdfast/core";
import { caughtContext, inEmptyDirectory, run } from "../testing/run.ts";
import { samplePolicy } from "../testing/sample-policy.ts";
import { createInstance, type Persistence } from "./create-instance.ts";

const ASKED: UserPolicyBody = { instanceid: "i", function: "f", identities: [] };
const READY = { instance: "i", policy: "the policy" };
const SOON: Persistence = { begunMs: 0, patienceMs: 60_000, pauseMs: 1 };
/** As if every request broke off at once. */
const AT_ONCE: Persistence = { ...SOON, begunMs: Number.POSITIVE_INFINITY };
const LOST = "lost";

/** A CCFaaS that answers creations so, one after the other, the last one for ever; and what it was asked. */
function answering(...answers: (typeof LOST | readonly [status: number, body: object])[]) {
  const asked: HttpRequest[] = [];
  const ccfaas = new CcfaasClient({
    async request(request) {
      if (request.method !== "POST") return response(404, {});
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? LOST;
      asked.push(request);
      if (answer === LOST) throw new ServiceError("SERVICE_UNREACHABLE", "no answer");
      return response(...answer);
    },
  });
  return { ccfaas, asked };
}

function response(status: number, body: object) {
  return {
    status,
    headers: {},
    body: (async function* () {
      yield fromText(JSON.stringify(body));
    })(),
  };
}

const refusal = (status: number, code: string) =>
  [status, problem(status, code, "told so")] as const;

suite("an instance that takes long", () => {
  test("is asked for again under the same key when its answer is lost", async () => {
    const { ccfaas, asked } = answering(LOST, LOST, [200, READY]);
    const made = await createInstance(caughtContext(), ccfaas, ASKED, { persistence: SOON });
    assert.deepEqual(made, READY);
    const keys = asked.map(({ headers }) => headers?.["idempotency-key"]);
    assert.equal(keys.length, 3);
    assert.match(keys[0] ?? "", /^[0-9a-f-]{36}$/);
    assert.equal(new Set(keys).size, 1);
  });

  test("outlasts a restart of its service", async () => {
    const { ccfaas } = answering(refusal(503, "SHUTTING_DOWN"), LOST, LOST, [200, READY]);
    const made = await createInstance(caughtContext(), ccfaas, ASKED, { persistence: AT_ONCE });
    assert.deepEqual(made, READY);
  });

  test("is given up when its service stays away", async () => {
    const { ccfaas } = answering(refusal(503, "SHUTTING_DOWN"), LOST);
    const persistence = { ...AT_ONCE, patienceMs: 20 };
    const asking = createInstance(caughtContext(), ccfaas, ASKED, { persistence });
    await assert.rejects(asking, { code: "SERVICE_UNREACHABLE" });
  });

  for (const [fault, answer, code] of [
    ["a service that is not there", LOST, "SERVICE_UNREACHABLE"],
    ["a refusal", refusal(507, "VAAS_REFUSED"), "VAAS_REFUSED"],
    ["a failure", refusal(502, "INSTANCE_FAILED"), "INSTANCE_FAILED"],
  ] as const) {
    test(`is not waited for after ${fault}`, async () => {
      const { ccfaas, asked } = answering(answer, [200, READY]);
      const asking = createInstance(caughtContext(), ccfaas, ASKED, { persistence: AT_ONCE });
      await assert.rejects(asking, { code });
      assert.equal(asked.length, 1);
    });
  }
});

suite("whoever gives up waiting for an instance", () => {
  inEmptyDirectory();

  test("is told that it goes on, and how to end it", async () => {
    const { user } = await samplePolicy();
    const certificate = user.certificatePem.trim();
    const identities = [{ certificate, file_rights: [{ file_name: "/in/", rights: 534084 }] }];
    writeFileSync("user.json", JSON.stringify({ ...ASKED, identities }));
    const interruption = new AbortController();
    const silent = createServer(() => interruption.abort());
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    try {
      const { port } = silent.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}`;
      const { code, stderr } = await run(["instance", "create", "user.json", "--url", url], {
        interrupted: interruption.signal,
      });
      assert.equal(code, 130);
      assert.match(stderr, /CLI_INTERRUPTED[\s\S]*holdfast instance delete i/);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});
