// Connections over real TLS: nothing of a request reaches a keep that does not prove itself, and nobody but the
// policy's identities reaches a keep.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { connect as tlsConnect } from "node:tls";
import { fromText, readBody, systemClock, toText } from "@holdfast/core";
import { ChannelError, connectKeep, newIdentity } from "./index.ts";
import { type SmallKeep, startSmallKeep } from "./testing/small-keep.ts";

const hasCode = (code: string) => (thrown: unknown) =>
  thrown instanceof ChannelError && thrown.code === code;

async function withKeep(
  change: Parameters<typeof startSmallKeep>[1],
  use: (keep: SmallKeep) => Promise<void>,
): Promise<void> {
  const keep = await startSmallKeep(systemClock, change);
  try {
    await use(keep);
  } finally {
    await keep.close();
  }
}

test("a judged connection carries requests, several at once", () =>
  withKeep({}, async (keep) => {
    const connection = await connectKeep({ ...keep, clock: systemClock });
    const answers = await Promise.all(
      ["/a", "/b", "/c", "/d"].map((path) =>
        connection.request({ method: "PUT", path, body: fromText("x".repeat(100_000)) }),
      ),
    );
    for (const [index, { status, body }] of answers.entries()) {
      assert.equal(status, 200);
      assert.equal(toText((await readBody(body, 10)) ?? fromText("")), `/${"abcd"[index]}`);
    }
    connection.close();
    assert.equal(keep.seen.length, 4);
    assert.ok(keep.seen.every((line) => line.startsWith("0 PUT")));
  }));

test("the post-quantum hybrid group is agreed on", () =>
  withKeep({}, async ({ policy, identity }) => {
    const group = await new Promise<unknown>((resolve, reject) => {
      const socket = tlsConnect(
        {
          host: policy.serverUrl.host,
          port: policy.serverUrl.port,
          cert: identity.certificatePem,
          key: identity.keyPem,
          rejectUnauthorized: false,
          ecdhCurve: "X25519MLKEM768",
          minVersion: "TLSv1.3",
        },
        () => {
          resolve(socket.getProtocol());
          socket.destroy();
        },
      );
      socket.on("error", reject);
    });
    assert.equal(group, "TLSv1.3");
  }));

for (const [fault, change] of [
  ["another measurement", { measurement: "00".repeat(32) }],
  ["another policy hash", { policyHash: "11".repeat(32) }],
  ["an expired certificate", { notAfter: new Date(Date.now() - 1000) }],
] as const) {
  test(`not a byte of a request goes to a keep with ${fault}`, () =>
    withKeep(change, async (keep) => {
      await assert.rejects(
        connectKeep({ ...keep, clock: systemClock }),
        hasCode("CHANNEL_NOT_PROVEN"),
      );
      assert.deepEqual(keep.seen, []);
    }));
}

test("a stranger's connection is closed before a request of it is heard", () =>
  withKeep({}, async (keep) => {
    const stranger = await newIdentity({ commonName: "user", clock: systemClock });
    await assert.rejects(async () => {
      const connection = await connectKeep({ ...keep, identity: stranger, clock: systemClock });
      await connection.request({ method: "GET", path: "/v1/status" });
    }, ChannelError);
    assert.deepEqual(keep.seen, []);
  }));

test("a request over a connection that the keep is just closing fails, and never waits for ever", () =>
  withKeep({}, async (keep) => {
    const stranger = await newIdentity({ commonName: "user", clock: systemClock });
    // The request meets the close at another moment each time.
    for (let turns = 0; turns < 120; turns += 1) {
      await assert.rejects(async () => {
        const connection = await connectKeep({ ...keep, identity: stranger, clock: systemClock });
        for (let turn = 0; turn < turns % 20; turn += 1) await undefined;
        await connection.request({ method: "GET", path: "/v1/status" });
      }, ChannelError);
    }
    assert.deepEqual(keep.seen, []);
  }));

test("a key that is not the certificate's is refused before connecting", () =>
  withKeep({}, async (keep) => {
    const other = await newIdentity({ commonName: "user", clock: systemClock });
    await assert.rejects(
      connectKeep({
        ...keep,
        identity: { certificatePem: keep.identity.certificatePem, keyPem: other.keyPem },
        clock: systemClock,
      }),
      hasCode("CHANNEL_IDENTITY"),
    );
  }));

test("TLS 1.2 is refused", () =>
  withKeep({}, async ({ policy, identity }) => {
    const outcome = await new Promise<string>((resolve) => {
      const socket = tlsConnect(
        {
          host: policy.serverUrl.host,
          port: policy.serverUrl.port,
          cert: identity.certificatePem,
          key: identity.keyPem,
          rejectUnauthorized: false,
          maxVersion: "TLSv1.2",
        },
        () => resolve("connected"),
      );
      socket.on("error", () => resolve("refused"));
    });
    assert.equal(outcome, "refused");
  }));

test("a silent server is given up on", async () => {
  const keep = await startSmallKeep(systemClock);
  await keep.close();
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) =>
    silent.listen(keep.policy.serverUrl.port, "127.0.0.1", resolve),
  );
  await assert.rejects(
    connectKeep({ ...keep, clock: systemClock, timeoutMs: 100 }),
    hasCode("CHANNEL_TIMEOUT"),
  );
  silent.close();
});

test("a server that takes for ever, byte by byte, is given up on", async () => {
  const keep = await startSmallKeep(systemClock);
  await keep.close();
  const dripping = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    // The head of a TLS record as long as can be, and then its body.
    socket.write(Uint8Array.of(22, 3, 3, 64, 0));
    const timer = setInterval(() => socket.write(Uint8Array.of(2)), 20);
    socket.on("close", () => clearInterval(timer));
  });
  await new Promise<void>((resolve) =>
    dripping.listen(keep.policy.serverUrl.port, "127.0.0.1", resolve),
  );
  await assert.rejects(
    connectKeep({ ...keep, clock: systemClock, timeoutMs: 1000 }),
    hasCode("CHANNEL_TIMEOUT"),
  );
  dripping.close();
});

test("a server that hangs up within the handshake is said so", async () => {
  const keep = await startSmallKeep(systemClock);
  await keep.close();
  const rude = createServer((socket) => socket.once("data", () => socket.end()));
  await new Promise<void>((resolve) =>
    rude.listen(keep.policy.serverUrl.port, "127.0.0.1", resolve),
  );
  await assert.rejects(
    connectKeep({ ...keep, clock: systemClock }),
    hasCode("CHANNEL_UNREACHABLE"),
  );
  rude.close();
});

test("nobody listening is said so", async () => {
  const keep = await startSmallKeep(systemClock);
  await keep.close();
  await assert.rejects(
    connectKeep({ ...keep, clock: systemClock }),
    hasCode("CHANNEL_UNREACHABLE"),
  );
});
