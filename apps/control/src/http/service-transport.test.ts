// How services reach each other when the authority that they are under changes while they run.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createServiceServer, newIdentity, ServiceTls } from "@holdfast/channel";
import { fromText, readBody, systemClock, toText } from "@holdfast/core";
import { serviceTransport } from "./service-transport.ts";

async function service(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-transport-"));
  const source = { kind: "auto", directory: join(directory, "tls"), names: [] } as const;
  const tls = await ServiceTls.open(source, { clock: systemClock, onFault: () => undefined });
  const asked: string[] = [];
  const server = createServiceServer(
    async (request, response) => {
      const body = (await readBody(request, 1000)) ?? new Uint8Array();
      asked.push(`${request.headers.authorization} ${toText(body)}`);
      response.end("here");
    },
    { tls },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    tls.close();
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [caFile, tokenFile] = [join(directory, "ca.pem"), join(directory, "token")];
  await writeFile(tokenFile, "mine\n");
  const other = await newIdentity({ commonName: "other", clock: systemClock });
  await writeFile(caFile, `${other.certificatePem}\n`);
  const transport = await serviceTransport(url, { caFile, tokenFile });
  const request = { method: "POST", path: "/", body: fromText("work") };
  return { ask: () => transport.request(request), asked, caFile, directory };
}

test("an authority that took over is found in its file, and the request made once", async (t) => {
  const { ask, asked, caFile, directory } = await service(t);
  await assert.rejects(ask(), { code: "SERVICE_UNTRUSTED" });
  assert.deepEqual(asked, []);
  await writeFile(caFile, await readFile(join(directory, "tls/ca.pem")));
  for (let time = 0; time < 2; time += 1) assert.equal((await ask()).status, 200);
  assert.deepEqual(asked, ["Bearer mine work", "Bearer mine work"]);
});

test("a file that is gone, or says the same, makes nobody trusted", async (t) => {
  const { ask, asked, caFile } = await service(t);
  await assert.rejects(ask(), { code: "SERVICE_UNTRUSTED" });
  await rm(caFile);
  await assert.rejects(ask(), { code: "SERVICE_UNTRUSTED" });
  assert.deepEqual(asked, []);
});
