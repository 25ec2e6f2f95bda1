// Requests to stores that would never end.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { HeadBucketCommand } from "@aws-sdk/client-s3";
import { newS3Client } from "./s3-client.ts";

describe("clients of S3", { concurrency: false }, () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket));
  let endpoint: string;

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  const ask = new HeadBucketCommand({ Bucket: "bucket" });

  it("give a store up that takes connections and says nothing", async () => {
    const settings = { endpoint, force_path_style: true, silence_ms: 100 };
    const client = await newS3Client(settings, { accessKeyId: "a", secretAccessKey: "b" });
    await assert.rejects(client.send(ask), /timed out after 100 ms/);
    client.destroy();
  });

  it("give up a search for credentials that does not end", async () => {
    const endless = (): Promise<never> => new Promise(() => undefined);
    const client = await newS3Client({ endpoint }, endless, { requestMs: 100 });
    await assert.rejects(client.send(ask), /did not answer within 100 ms/);
    client.destroy();
  });
});
