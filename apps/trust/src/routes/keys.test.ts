// The administrator's routes of the key broker: closed to everybody else, strict in what they take, and silent about keys.
import assert from "node:assert/strict";
import { test } from "node:test";
import { administer, GRANT, KEY, KEY_NAME, putKey } from "../testing/release.ts";
import { ADMIN_TOKEN, newService } from "../testing/service.ts";

const URL = `/v1/keys/${KEY_NAME}`;
const BODY = { key: KEY.toBase64(), grant: GRANT };
const ROUTES = [
  ["GET", "/v1/keys"],
  ["GET", URL],
  ["PUT", URL],
  ["PUT", `${URL}/grant`],
  ["DELETE", URL],
] as const;

for (const [method, url] of ROUTES) {
  test(`401 for ${method} ${url} without the administrator's token`, async (t) => {
    const service = await newService(t);
    await putKey(service);
    for (const authorization of [undefined, "Bearer wrong", `Bearer ${ADMIN_TOKEN}x`]) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const answer = await service.app.inject({ method, url, headers });
      assert.equal(answer.statusCode, 401);
      assert.equal(answer.json().code, "ADMIN_REQUIRED");
    }
    assert.equal((await service.decisions()).length, 1);
  });
}

test("a key is kept, told of and deleted, and every change is on the log", async (t) => {
  const service = await newService(t);
  const made = await administer(service, "PUT", URL, BODY);
  assert.equal(made.statusCode, 201, made.body);
  const told = { name: KEY_NAME, grant: GRANT, created_at: service.now.toISOString(), released: 0 };
  assert.deepEqual(made.json(), told);
  const again = await administer(service, "PUT", URL, BODY);
  assert.deepEqual([again.statusCode, again.json()], [200, told]);
  assert.deepEqual((await administer(service, "GET", URL)).json(), told);
  assert.deepEqual((await administer(service, "GET", "/v1/keys")).json(), { keys: [told] });
  const { not_after: _, ...grant } = GRANT;
  const granted = await administer(service, "PUT", `${URL}/grant`, grant);
  assert.deepEqual([granted.statusCode, granted.json()], [200, { ...told, grant }]);
  const taken = await administer(service, "PUT", URL, {
    ...BODY,
    key: KEY.toReversed().toBase64(),
  });
  assert.deepEqual([taken.statusCode, taken.json().code], [409, "KEY_TAKEN"]);
  assert.equal((await administer(service, "DELETE", URL)).statusCode, 204);
  for (const [method, payload] of [["GET"], ["DELETE"], ["PUT", GRANT]] as const) {
    const gone = await administer(service, method, payload ? `${URL}/grant` : URL, payload);
    assert.deepEqual([gone.statusCode, gone.json().code], [404, "KEY_UNKNOWN"]);
  }
  const decisions = await service.decisions();
  assert.deepEqual(
    decisions.map(({ kind, outcome, facts }) => `${kind} ${outcome} ${facts["key"]}`),
    [
      `key made ${KEY_NAME}`,
      `key unchanged ${KEY_NAME}`,
      `key granted ${KEY_NAME}`,
      `key removed ${KEY_NAME}`,
    ],
  );
  assert.ok(!JSON.stringify(decisions).includes(KEY.toBase64()));
});

test("a name of the greatest length is one, and of one more is none", async (t) => {
  const service = await newService(t);
  const name = "k".repeat(128);
  assert.equal((await administer(service, "PUT", `/v1/keys/${name}`, BODY)).statusCode, 201);
  assert.equal((await administer(service, "GET", `/v1/keys/${name}`)).json().name, name);
  const longer = await administer(service, "PUT", `/v1/keys/${name}k`, BODY);
  assert.equal(longer.json().code, "REQUEST_INVALID", longer.body);
});

const digests = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => index.toString(16).padStart(64, "0"));
const BAD: readonly (readonly [name: string, url: string, body: object])[] = [
  ["a key of 31 bytes", URL, { ...BODY, key: KEY.slice(1).toBase64() }],
  ["a key of 33 bytes", URL, { ...BODY, key: Uint8Array.of(1, ...KEY).toBase64() }],
  ["a key with spare bits", URL, { ...BODY, key: `${"A".repeat(42)}B=` }],
  ["a key in base64url", URL, { ...BODY, key: `${"_".repeat(42)}8=` }],
  ["no key", URL, { grant: GRANT }],
  ["no grant", URL, { key: BODY.key }],
  ["a member that is not known", URL, { ...BODY, more: 1 }],
  ["a term that is not known", URL, { ...BODY, grant: { ...GRANT, reader: [] } }],
  ["no measurement", URL, { ...BODY, grant: { ...GRANT, measurements: [] } }],
  [
    "a measurement in capitals",
    URL,
    { ...BODY, grant: { ...GRANT, measurements: ["AB".repeat(32)] } },
  ],
  [
    "a measurement of 65 digits",
    URL,
    { ...BODY, grant: { ...GRANT, measurements: ["a".repeat(65)] } },
  ],
  ["no program in a list of them", URL, { ...BODY, grant: { ...GRANT, programs: [] } }],
  ["more programs than a bound", URL, { ...BODY, grant: { ...GRANT, programs: digests(257) } }],
  ["a number for a switch", URL, { ...BODY, grant: { ...GRANT, simulated: 1 } }],
  ["a local time", URL, { ...BODY, grant: { ...GRANT, not_after: "2026-06-30T00:00:00" } }],
  ["neither programs nor policies", URL, { ...BODY, grant: { measurements: GRANT.measurements } }],
  ["a name with capitals", "/v1/keys/Model", BODY],
  ["a name with a slash", "/v1/keys/a%2Fb", BODY],
  ["a name that climbs", "/v1/keys/..%2F..", BODY],
  ["a name that is hidden", "/v1/keys/.a", BODY],
];

for (const [name, url, body] of BAD) {
  test(`refused: ${name}`, async (t) => {
    const service = await newService(t);
    const answer = await administer(service, "PUT", url, body);
    assert.deepEqual([answer.statusCode, answer.json().code], [400, "REQUEST_INVALID"]);
    assert.ok(!answer.body.includes(BODY.key.slice(4, 20)));
    assert.deepEqual((await administer(service, "GET", "/v1/keys")).json(), { keys: [] });
    assert.deepEqual(await service.decisions(), []);
  });
}

test("a grant of the greatest size fits", async (t) => {
  const service = await newService(t);
  const many = digests(256);
  const measurements = digests(64).map((each) => `${each}${"0".repeat(32)}`);
  const grant = { ...GRANT, measurements, programs: many, policies: many, readers: many };
  const answer = await administer(service, "PUT", URL, { ...BODY, grant });
  assert.equal(answer.statusCode, 201, answer.body);
  const [decision] = await service.decisions();
  assert.deepEqual(JSON.parse(String(decision?.facts["grant"])), grant);
});
