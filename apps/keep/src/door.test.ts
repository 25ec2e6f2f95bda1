// Who gets through the door, and what gets through it.
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { describe, test } from "node:test";
import { type ClientIdentity, newIdentity, newSerial, signWith } from "@holdfast/channel";
import {
  basicConstraints,
  createCertificate,
  encodeName,
  fromText,
  keyUsage,
  systemClock,
  toPem,
} from "@holdfast/core";
import { conversation, rawTls } from "./testing/raw-tls.ts";
import { refused } from "./testing/refused.ts";
import { TestClock } from "./testing/test-clock.ts";
import { startTestKeep, type TestKeep } from "./testing/test-keep.ts";
import { READ, WRITE } from "./testing/test-policy.ts";

const DAY = 24 * 60 * 60 * 1000;
const RIGHTS = [{ "/in/": READ | WRITE }];
const STATUS = "GET /v1/status HTTP/1.1\r\nhost: keep\r\nconnection: close\r\n\r\n";

describe("who gets through the door", () => {
  test("nobody without a certificate", () =>
    withKeep({ rights: RIGHTS }, async ({ port }) => {
      assert.equal(await conversation(await rawTls(port), STATUS), "");
    }));

  test("nobody with a certificate of their own", () =>
    withKeep({ rights: RIGHTS }, async ({ port }) => {
      const stranger = await newIdentity({ commonName: "stranger", clock: systemClock });
      assert.equal(await conversation(await rawTls(port, tlsOf(stranger)), STATUS), "");
    }));

  test("a stranger is not let in for bearing an identity's name", async () => {
    const named = await newIdentity({ commonName: "same", clock: systemClock });
    const stranger = await newIdentity({ commonName: "same", clock: systemClock });
    await withKeep({ rights: RIGHTS, identities: [named] }, async ({ port }) => {
      assert.equal(await conversation(await rawTls(port, tlsOf(stranger)), STATUS), "");
    });
  });

  test("every one of several identities of one name, without identifiers of their keys", async () => {
    // As the original user program makes them: openssl with a configuration that names nothing of the kind.
    const identities = await Promise.all([1, 2, 3].map(() => issue("same", undefined, false)));
    const rights = identities.map(() => ({ "/in/": READ | WRITE }));
    await withKeep({ rights, identities }, async ({ port }) => {
      for (const identity of identities) {
        const answer = await conversation(await rawTls(port, tlsOf(identity)), STATUS);
        assert.match(answer, /^HTTP\/1.1 200 /);
      }
    });
  });

  test("no certificate issued by an identity that is an authority", async () => {
    const authority = await issue("authority", undefined, true);
    const leaf = await issue("leaf", authority, false);
    await withKeep({ rights: RIGHTS, identities: [authority] }, async ({ port, log }) => {
      const chain = {
        ...leaf,
        certificatePem: `${leaf.certificatePem}\n${authority.certificatePem}`,
      };
      assert.equal(await conversation(await rawTls(port, tlsOf(chain)), STATUS), "");
      assert.ok(log.some((line) => line.includes("peer-refused")));
      const own = await conversation(await rawTls(port, tlsOf(authority)), STATUS);
      assert.match(own, /^HTTP\/1.1 200 /);
    });
  });

  test("no identity whose certificate has ended", async () => {
    const ended = await newIdentity({ commonName: "ended", clock: systemClock, days: -1 / 48 });
    await withKeep({ rights: RIGHTS, identities: [ended] }, async ({ port }) => {
      assert.equal(await conversation(await rawTls(port, tlsOf(ended)), STATUS), "");
    });
  });

  test("no identity whose certificate ends while it is connected", () =>
    withKeep({ rights: RIGHTS }, async ({ port, identities, clock, keep, log }) => {
      const [identity] = identities;
      const idle = await rawTls(port, tlsOf(identity!));
      const asking = await rawTls(port, tlsOf(identity!));
      idle.write("GET /v1/status HTTP/1.1\r\nhost: keep\r\n\r\n");
      await once(idle, "data");
      clock.advance(366 * DAY);
      assert.equal(await conversation(asking, STATUS), "");
      const closed = once(idle, "close");
      keep.sweep();
      await closed;
      assert.ok(log.some((line) => line.includes("peer-expired")));
    }));

  test("no TLS before 1.3", () =>
    withKeep({ rights: RIGHTS }, async ({ port, identities }) => {
      await assert.rejects(
        rawTls(port, { ...tlsOf(identities[0]!), minVersion: "TLSv1.2", maxVersion: "TLSv1.2" }),
        /version/i,
      );
    }));

  test("no suite but the policy's", () =>
    withKeep({ rights: RIGHTS, ciphersuite: "TLS1_3_CHACHA20_POLY1305_SHA256" }, async (keep) => {
      const tls = tlsOf(keep.identities[0]!);
      await assert.rejects(rawTls(keep.port, { ...tls, ciphers: "TLS_AES_256_GCM_SHA384" }));
      const socket = await rawTls(keep.port, tls);
      assert.equal(socket.getCipher().standardName, "TLS_CHACHA20_POLY1305_SHA256");
      assert.equal(socket.getProtocol(), "TLSv1.3");
      socket.destroy();
    }));

  test("no session is resumed past the check of its certificate", () =>
    withKeep({ rights: RIGHTS }, async ({ port, identities }) => {
      const tls = tlsOf(identities[0]!);
      const first = await rawTls(port, tls);
      let session: Buffer | undefined;
      first.on("session", (ticket) => {
        session = ticket;
      });
      await conversation(first, STATUS);
      const second = await rawTls(port, session === undefined ? tls : { ...tls, session });
      assert.equal(second.isSessionReused(), false);
      second.destroy();
    }));

  test("after a renewal nobody else than before", () =>
    withKeep({ rights: RIGHTS }, async (keep) => {
      const tls = tlsOf(keep.identities[0]!);
      const stranger = tlsOf(await newIdentity({ commonName: "stranger", clock: systemClock }));
      const leafOf = async (): Promise<string | undefined> => {
        const socket = await rawTls(keep.port, tls);
        const { fingerprint256 } = socket.getPeerCertificate();
        assert.match(await conversation(socket, STATUS), /^HTTP\/1.1 200 /);
        return fingerprint256;
      };
      const before = await leafOf();
      await keep.renew();
      assert.notEqual(await leafOf(), before);
      assert.equal(await conversation(await rawTls(keep.port), STATUS), "");
      assert.equal(await conversation(await rawTls(keep.port, stranger), STATUS), "");
    }));
});

describe("what gets through the door", () => {
  test("unknown resources and methods are named so", () =>
    withKeep({ rights: RIGHTS }, async (keep) => {
      const connection = await keep.connection();
      const ask = async (method: string, path: string): Promise<[number, string | undefined]> => {
        const { status, headers, body } = await connection.request({ method, path });
        for await (const _ of body);
        return [status, headers["allow"]];
      };
      assert.deepEqual(await ask("GET", "/v1/nothing"), [404, undefined]);
      assert.deepEqual(await ask("GET", "/v1/runs/a/b/c/d/e/f/g/h"), [404, undefined]);
      assert.deepEqual(await ask("DELETE", "/v1/files"), [405, "PUT, POST, GET, HEAD"]);
      // A running keep has no way in for another policy.
      assert.deepEqual(await ask("PUT", "/v1/policy"), [405, "GET"]);
      assert.deepEqual(await ask("POST", "/v1/policy"), [405, "GET"]);
    }));

  test("a request that two readers could understand differently is refused", () =>
    withKeep({ rights: RIGHTS }, async ({ port, identities }) => {
      const say = async (text: string): Promise<string> =>
        (await conversation(await rawTls(port, tlsOf(identities[0]!)), text)).split("\r\n")[0]!;
      const head = (line: string, ...headers: string[]): string =>
        `${[line, "host: keep", "connection: close", ...headers].join("\r\n")}\r\n\r\n`;
      const twice = "GET /v1/files?path=/in/a&path=/in/b HTTP/1.1";
      assert.match(await say(head(twice)), / 400 /);
      assert.match(await say(head("GET /v1/files?path=/in/%ff HTTP/1.1")), / 400 /);
      const digest = "content-digest: sha-256=:AAAA:";
      assert.match(
        await say(head("PUT /v1/files?path=/in/a HTTP/1.1", "content-length: 0", digest, digest)),
        / 400 /,
      );
      const both = ["content-length: 4", "transfer-encoding: chunked"];
      assert.equal(await say(head("PUT /v1/files?path=/in/a HTTP/1.1", ...both)), "");
      assert.equal(await say("NONSENSE\r\n\r\n"), "");
    }));

  test("headers without end are cut off", () =>
    withKeep({ rights: RIGHTS }, async ({ port, identities }) => {
      const socket = await rawTls(port, tlsOf(identities[0]!));
      const filler = `x-filler: ${"x".repeat(60_000)}\r\n`;
      assert.equal(await conversation(socket, `GET /v1/status HTTP/1.1\r\n${filler}`), "");
    }));

  test("a body that comes too slowly is cut off, and nothing of it stays", () =>
    withKeep(
      { rights: RIGHTS, limits: { pace: { windowMs: 50, leastBytes: 100 } } },
      async (keep) => {
        const socket = await rawTls(keep.port, tlsOf(keep.identities[0]!));
        const head = "PUT /v1/files?path=/in/slow HTTP/1.1\r\nhost: keep\r\ncontent-length: 1000";
        const answer = await conversation(socket, `${head}\r\n\r\nfirst bytes`);
        assert.match(answer, /too slowly/);
        await refused("FILE_MISSING", (await keep.client()).readFile("/in/slow"));
      },
    ));

  test("a client that dies in the middle of an upload leaves nothing half-written", () =>
    withKeep({ rights: RIGHTS }, async (keep) => {
      const client = await keep.client();
      await client.putFile("/in/x", fromText("as it was"));
      const before = (await client.status()).storage?.used_bytes;
      const socket = await rawTls(keep.port, tlsOf(keep.identities[0]!));
      const head = "PUT /v1/files?path=/in/x HTTP/1.1\r\nhost: keep\r\ncontent-length: 9999999";
      socket.write(`${head}\r\n\r\n${"x".repeat(2_000_000)}`);
      await until(async () => ((await client.status()).storage?.used_bytes ?? 0) > 1_000_000);
      socket.destroy();
      await until(async () => (await client.status()).storage?.used_bytes === before);
      const { size } = await client.readFile("/in/x");
      assert.equal(size, 9);
    }));

  test("one identity can't hold all connections", () =>
    withKeep(
      { rights: RIGHTS, limits: { peers: { strangers: 8, perIdentity: 3 } } },
      async (keep) => {
        const tls = tlsOf(keep.identities[0]!);
        const held = [];
        for (let i = 0; i < 3; i += 1) held.push(await rawTls(keep.port, tls));
        assert.equal(await conversation(await rawTls(keep.port, tls), STATUS), "");
        assert.match(await conversation(held[0]!, STATUS), /^HTTP\/1.1 200 /);
        for (const socket of held) socket.destroy();
      },
    ));

  test("200 slow, malformed and unknown connections don't keep the right one out", () =>
    withKeep({ rights: RIGHTS }, async (keep) => {
      const stranger = await newIdentity({ commonName: "stranger", clock: systemClock });
      const sockets = [];
      for (let i = 0; i < 200; i += 1) {
        const socket = connectTcp(keep.port, "127.0.0.1");
        socket.on("error", () => undefined);
        // A third says nothing, a third speaks nonsense, a third begins a handshake and stops.
        if (i % 3 === 1) socket.write("GET / HTTP/1.1\r\n\r\n");
        if (i % 3 === 2) socket.write(Buffer.from("16030100c8010000c40303", "hex"));
        sockets.push(socket);
      }
      const unknown = Array.from({ length: 20 }, async () =>
        conversation(await rawTls(keep.port, tlsOf(stranger)), STATUS),
      );
      const client = await keep.client();
      for (let i = 0; i < 20; i += 1) await client.putFile(`/in/${i}`, fromText("served"));
      assert.equal((await client.list("/in")).entries.length, 20);
      assert.deepEqual(new Set(await Promise.all(unknown)), new Set([""]));
      for (const socket of sockets) socket.destroy();
      // The clock stands still: nor do they fill the log.
      assert.equal(keep.log.filter((line) => line.includes("peer-refused")).length, 1);
    }));
});

async function withKeep(
  options: Parameters<typeof startTestKeep>[0],
  act: (keep: TestKeep) => Promise<void>,
): Promise<void> {
  const keep = await startTestKeep({ clock: new TestClock(), ...options });
  try {
    await act(keep);
  } finally {
    await keep.close();
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let asked = 0; asked < 20_000; asked += 1) if (await holds()) return;
  assert.fail("it did not come about");
}

function tlsOf({ certificatePem, keyPem }: ClientIdentity): { cert: string; key: string } {
  return { cert: certificatePem, key: keyPem };
}

type Issued = ClientIdentity & { readonly privateKey: KeyObject; readonly name: Uint8Array };

async function issue(
  commonName: string,
  issuer: Issued | undefined,
  isCa: boolean,
): Promise<Issued> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = encodeName({ CN: commonName });
  const now = Date.now();
  const der = await createCertificate(
    {
      serial: newSerial(),
      issuer: issuer?.name ?? name,
      subject: name,
      notBefore: new Date(now - DAY),
      notAfter: new Date(now + DAY),
      spki: publicKey.export({ type: "spki", format: "der" }),
      extensions: [
        basicConstraints(isCa),
        isCa ? keyUsage("digitalSignature", "keyCertSign") : keyUsage("digitalSignature"),
      ],
      algorithm: "ecdsa-sha256",
    },
    signWith(issuer?.privateKey ?? privateKey),
  );
  return {
    certificatePem: toPem("CERTIFICATE", der).trimEnd(),
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    privateKey,
    name,
  };
}
