// The document that the services were asked for in, word for word: its schemas beside ours, its policies sent as they
// stand there, and what it shows of answers beside ours, byte for byte.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  FunctionBody,
  type InstanceAnswer,
  S3StreamBody,
  UserPolicyBody,
  VaasPolicyBody,
  type VeracruzCreated,
} from "@holdfast/contract";
import { call, isProblem } from "../../apps/control/src/testing/call.ts";
import { newIdentities } from "../../apps/control/src/testing/samples.ts";
import { makeWorld, type World } from "../../apps/control/src/testing/world.ts";
import { compareSchemas, type Shape } from "./originals/compare-schemas.ts";
import { parseLoose, readSeed } from "./originals/seed-document.ts";

const found = readSeed();
const skip = found === undefined ? "the document is not beside the repository" : false;

describe("the document's example", { skip, concurrency: false }, () => {
  const seed = found as NonNullable<typeof found>;
  let world: World;
  let certificates: Readonly<Record<string, string>>;
  before(async () => {
    world = await makeWorld();
    await world.start();
    const { user, bridge } = await newIdentities();
    const { user: loader } = await newIdentities();
    certificates = {
      XXXXXXXXX: bridge.certificatePem,
      YYYYYYYYY: user.certificatePem,
      PPPPPPPPP: loader.certificatePem,
      ZZZZZZZZZ: world.authority.certificatePem.trimEnd(),
    };
  });
  after(() => world?.close());

  /** Certificates in the places of the document's crosses. */
  const filled = (text: string): string =>
    text.replace(
      /-----BEGIN CERTIFICATE-----\\n(\w+)\\n-----END CERTIFICATE-----/g,
      (_, crosses: string) => JSON.stringify(certificates[crosses]).slice(1, -1),
    );
  const post = (url: string, json: unknown): ReturnType<typeof call> => call("POST", url, { json });

  // A right without a name or a number says nothing; the original lets it through, and its keep does not start.
  const whole = (path: string): string[] => [
    `${path}[] required: file_name`,
    `${path}[] required: rights`,
  ];
  const schemas: readonly (readonly [string, object, readonly string[]])[] = [
    ["* User Policy", UserPolicyBody, whole("identities[].file_rights")],
    [
      "* Program Policy",
      FunctionBody,
      ["more: holdfast", ...whole("programs[].file_rights"), ...whole("file_rights")],
    ],
    [
      "* VaaS policy",
      VaasPolicyBody,
      ["more: holdfast", ...whole("identities[].file_rights"), ...whole("programs[].file_rights")],
    ],
    [
      "# Iotex-S3 description",
      S3StreamBody,
      // Its text has the token; without both parts there is nothing to do.
      ["required: s3", "required: veracruz", "s3 more: aws_session_token"],
    ],
  ];
  for (const [words, ours, differences] of schemas) {
    it(`schema after "${words}" is ours, save what is named`, () => {
      assert.deepEqual(compareSchemas(seed.schema(words), ours as Shape), differences);
    });
  }

  it("program policy is taken, and answered as the document prints answers", async () => {
    const definition = parseLoose(seed.policy("* Program Policy"));
    const answer = await post(`${world.ccfaasUrl}/function`, definition);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(JSON.parse(answer.text), definition);
  });

  it("registration answers byte for byte what the document shows", async () => {
    const shown = seed.printed("Registering function");
    const answer = await post(`${world.ccfaasUrl}/function`, parseLoose(shown));
    assert.equal(answer.text, shown);
    const again = await call("GET", `${world.ccfaasUrl}/function/vod_small`);
    assert.equal(again.text, shown);
  });

  it("user policy makes an instance of the registered function", async () => {
    const json = parseLoose(filled(seed.policy("* User Policy"))) as UserPolicyBody;
    const answer = await post(`${world.ccfaasUrl}/instance`, json);
    assert.equal(answer.status, 200, answer.text);
    const { instance, policy } = JSON.parse(answer.text) as InstanceAnswer;
    assert.equal(instance, "uniqueID");
    const { identities } = JSON.parse(policy) as UserPolicyBody;
    const expected = json.identities.map((identity, id) => ({ ...identity, id }));
    assert.deepEqual(identities, expected);
  });

  it("VaaS policy comes back as the full policy, byte for byte; its date is over, which is refused", async () => {
    const [vaas, full] = ["* VaaS policy", "* Full policy"].map((words) =>
      filled(seed.policy(words)),
    );
    const over = await post(`${world.vaasUrl}/veracruz`, parseLoose(vaas ?? ""));
    isProblem(over, 422, "POLICY_INVALID");
    const later = (text = ""): string => text.replace('"year": 2023', '"year": 2123');
    const answer = await post(`${world.vaasUrl}/veracruz`, parseLoose(later(vaas)));
    assert.equal(answer.status, 200, answer.text);
    const { instance_id, policy } = JSON.parse(answer.text) as VeracruzCreated;
    assert.equal(instance_id, "instance1");
    const told = JSON.parse(policy) as Record<string, string>;
    const expected = later(full)
      .replace("veracruz-nitro-proxy:3010", told["proxy_attestation_server_url"] ?? "")
      .replace(/"runtime_manager_hash_nitro": "\w{64}"/, (line) =>
        line.replace(/\w{64}/, told["runtime_manager_hash_nitro"] ?? ""),
      )
      .replace(
        "<Veracruz instance IP>:<Veracruz instance Port>",
        told["veracruz_server_url"] ?? "",
      );
    assert.equal(policy, expected);
  });
});
