// The S3 bridge between a real S3 store (Swift) and a keep over attested TLS.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { connectKeep } from "@holdfast/channel";
import {
  BridgeClient,
  fetchTransport,
  KeepClient,
  type Problem,
  type S3StreamBody,
} from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import {
  eventually,
  newIdentities,
  userPolicy,
  vodFunction,
} from "../../apps/control/src/testing/samples.ts";
import { makeWorld, type World } from "../../apps/control/src/testing/world.ts";
import { type FaultProxy, startFaultProxy } from "../peers/fault-proxy.ts";
import { type Swift, skipWithoutSwift, startSwift } from "../peers/swift.ts";

const skip = skipWithoutSwift();
const BUCKET = "videos";
const TARGET = "/s3_app_input/in_enc.h264";
const OBJECT = new Uint8Array(3_000_000).map((_, index) => index * 7);

describe("the bridge between Swift and a keep", { skip, concurrency: false }, () => {
  let swift: Swift;
  let world: World;
  let proxy: FaultProxy;
  let identities: Awaited<ReturnType<typeof newIdentities>>;
  let policy: string;

  before(async () => {
    swift = await startSwift();
    const { hostname, port } = new URL(swift.endpoint);
    proxy = await startFaultProxy({ host: hostname, port: Number(port) });
    const store = newStore();
    await store.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await store.send(new PutObjectCommand({ Bucket: BUCKET, Key: "in.h264", Body: OBJECT }));
    await store.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: "empty", Body: new Uint8Array() }),
    );
    store.destroy();
    world = await makeWorld({
      s3: { endpoint: proxy.url, force_path_style: true, region: swift.region },
    });
    await world.start();
    identities = await newIdentities();
    await world.ccfaas.registerFunction(vodFunction());
    ({ policy } = await world.ccfaas.createInstance(userPolicy(identities)));
  });

  after(async () => {
    await world?.close();
    await proxy?.close();
    await swift?.close();
  });

  it("compatible: an object is copied whole, and the answer is the original's sentence", async () => {
    const answer = await copy({});
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/html/);
    assert.equal(await answer.text(), "<p>OK video file copied</p>");
    assert.deepEqual(await filesInKeep(), new Map([[TARGET, OBJECT.length]]));
  });

  it("copies without anybody waiting, and tells how far it is", async () => {
    const bridge = new BridgeClient(fetchTransport(world.s3Url));
    const file = "/s3_app_input/job";
    const started = await bridge.startCopy(requestOf({ veracruz: { filename: file } }));
    const ended = await bridge.getCopy(started.id, { wait: 20 });
    assert.equal(
      `${ended.state} ${ended.bytes} ${ended.size}`,
      `done ${OBJECT.length} ${OBJECT.length}`,
    );
    assert.equal((await filesInKeep()).get(file), OBJECT.length);
    const secrets = [swift.secretAccessKey, identities.bridge.keyPem];
    for (const secret of secrets) assert.equal(JSON.stringify(ended).includes(secret), false);
    const failing = await bridge.startCopy(requestOf({ s3: { filename: "nothing" } }));
    const failed = await bridge.getCopy(failing.id, { wait: 20 });
    assert.equal(`${failed.state} ${failed.code}`, "failed S3_NOT_FOUND");
  });

  it("ends a copy when it is told to, and the keep has nothing of it", async () => {
    const bridge = new BridgeClient(fetchTransport(world.s3Url));
    const file = "/s3_app_input/cancelled";
    world.setFaults({ stallPath: file });
    try {
      const { id } = await bridge.startCopy(requestOf({ veracruz: { filename: file } }));
      await eventually(
        () => bridge.getCopy(id),
        ({ bytes }) => bytes === OBJECT.length,
      );
      await bridge.deleteCopy(id);
      await assert.rejects(bridge.getCopy(id), /no such copy/);
    } finally {
      world.setFaults({});
    }
    assert.equal((await filesInKeep()).get(file), undefined);
  });

  it("copies an empty object", async () => {
    const target = "/s3_app_input/empty";
    assert.equal(
      (await copy({ s3: { filename: "empty" }, veracruz: { filename: target } })).status,
      200,
    );
    assert.equal((await filesInKeep()).get(target), 0);
  });

  it("different: a refusal of S3 is 502, not 500; its sentence begins as the original's", async () => {
    const target = "/s3_app_input/wrong-secret";
    const problem = await refusal(502, "S3_READ_FAILED", {
      s3: { aws_secret_access_key: "wrong" },
      veracruz: { filename: target },
    });
    assert.match(
      problem.detail,
      /^Not able to read bucket videos file in\.h264 from S3: ClientError: SignatureDoesNotMatch \(403\)/,
    );
    assert.equal((await filesInKeep()).has(target), false);
  });

  it("different: no such object is 404, not 500, and no empty file is in the keep", async () => {
    const target = "/s3_app_input/missing";
    await refusal(404, "S3_NOT_FOUND", {
      s3: { filename: "nothing" },
      veracruz: { filename: target },
    });
    assert.equal((await filesInKeep()).has(target), false);
  });

  it("goes on where S3 broke off, again and again", async () => {
    const target = "/s3_app_input/resumed";
    proxy.set({ kind: "cut", direction: "down", after: 1_000_000, times: 10 });
    try {
      assert.equal((await copy({ veracruz: { filename: target } })).status, 200);
      assert.ok(proxy.struck > 1);
    } finally {
      proxy.set();
    }
    assert.equal((await filesInKeep()).get(target), OBJECT.length);
  });

  it("leaves nothing in the keep when S3 breaks off and does not come back", async () => {
    const target = "/s3_app_input/cut";
    proxy.set({ kind: "cut", direction: "down", after: 1_000_000, connectionsAfter: 0 });
    try {
      await refusal(502, "S3_READ_FAILED", { veracruz: { filename: target } });
    } finally {
      proxy.set();
    }
    assert.equal((await filesInKeep()).has(target), false);
  });

  it("goes on where the connection to the keep broke, and again", async () => {
    const target = "/s3_app_input/keep-cut";
    world.setFaults({ cutEvery: 1_000_000 });
    try {
      assert.equal((await copy({ veracruz: { filename: target } })).status, 200);
    } finally {
      world.setFaults({});
    }
    assert.equal((await filesInKeep()).get(target), OBJECT.length);
  });

  it("does not mix two objects when one takes the other's place in the middle", async () => {
    const target = "/s3_app_input/mixed";
    const store = newStore();
    const put = (fill: number): Promise<unknown> =>
      store.send(
        new PutObjectCommand({
          Bucket: BUCKET,
          Key: "replaced",
          Body: new Uint8Array(3_000_000).fill(fill),
        }),
      );
    await put(1);
    const onStrike = (): Promise<unknown> => put(2);
    proxy.set({ kind: "cut", direction: "down", after: 1_000_000, onStrike });
    try {
      await refusal(502, "S3_READ_FAILED", {
        s3: { filename: "replaced" },
        veracruz: { filename: target },
      });
    } finally {
      proxy.set();
      store.destroy();
    }
    assert.equal((await filesInKeep()).has(target), false);
  });

  it("leaves nothing in the keep when a byte is changed on the way", async () => {
    const target = "/s3_app_input/changed";
    proxy.set({ kind: "corrupt", direction: "down", after: 1_000_000 });
    try {
      const { detail } = await refusal(502, "S3_READ_FAILED", { veracruz: { filename: target } });
      assert.match(detail, /MD5/);
    } finally {
      proxy.set();
    }
    assert.equal((await filesInKeep()).has(target), false);
  });

  it("passes on that the keep refuses a path outside the identity's rights", async () => {
    await refusal(502, "KEEP_REFUSED", { veracruz: { filename: "/program/detector.wasm" } });
    assert.equal((await filesInKeep()).has("/program/detector.wasm"), false);
  });

  it("sends no byte to a keep that runs another policy", async () => {
    const target = "/s3_app_input/other-policy";
    const edited = policy.replace('"debug": true', '"debug": false');
    await refusal(502, "KEEP_NOT_PROVEN", { veracruz: { filename: target, policy: edited } });
    assert.equal((await filesInKeep()).has(target), false);
  });

  it("refuses a key that is not the certificate's", async () => {
    await refusal(422, "KEEP_IDENTITY", { veracruz: { key: identities.user.keyPem } });
  });

  it("compatible: half of the credentials is 400, in the original's words", async () => {
    const answer = await copy({ s3: { aws_secret_access_key: "" } });
    assert.equal(answer.status, 400);
    const problem = (await answer.json()) as Problem;
    assert.equal(problem.code, "S3_CREDENTIALS");
    assert.equal(problem.detail, "aws credentials have to be all provided or none");
  });

  it("different: a keep that is gone is 502, not 500", async () => {
    const other = await world.ccfaas.createInstance(userPolicy(identities, { instanceid: "gone" }));
    await world.ccfaas.deleteInstance("gone");
    await refusal(502, "KEEP_UNREACHABLE", { veracruz: { policy: other.policy } });
  });

  function newStore(): S3Client {
    return new S3Client({
      endpoint: swift.endpoint,
      region: swift.region,
      forcePathStyle: true,
      credentials: swift,
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
  }

  function requestOf(change: {
    s3?: Partial<S3StreamBody["s3"]>;
    veracruz?: Partial<S3StreamBody["veracruz"]>;
  }): S3StreamBody {
    return {
      s3: {
        bucket: BUCKET,
        filename: "in.h264",
        region_name: swift.region,
        aws_access_key_id: swift.accessKeyId,
        aws_secret_access_key: swift.secretAccessKey,
        ...change.s3,
      },
      veracruz: {
        filename: TARGET,
        policy,
        certificate: identities.bridge.certificatePem,
        key: identities.bridge.keyPem,
        ...change.veracruz,
      },
    };
  }

  function copy(change: Parameters<typeof requestOf>[0]): Promise<Response> {
    return fetch(`${world.s3Url}/s3_stream_veracruz`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(requestOf(change)),
    });
  }

  async function refusal(
    status: number,
    code: string,
    change: Parameters<typeof copy>[0],
  ): Promise<Problem> {
    const answer = await copy(change);
    const problem = (await answer.json()) as Problem;
    assert.equal(`${answer.status} ${problem.code}`, `${status} ${code}`, problem.detail);
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
    return problem;
  }

  async function filesInKeep(): Promise<Map<string, number>> {
    const connection = await connectKeep({
      policy: parsePolicy(policy),
      identity: identities.bridge,
      clock: systemClock,
    });
    try {
      const { entries } = await new KeepClient(connection).list("/s3_app_input");
      return new Map(entries.map(({ name, size }) => [name, size]));
    } finally {
      connection.close();
    }
  }
});
