// Certificates of services: made on first start, replaced while the service runs, for local names alone.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { type AddressInfo, connect as connectPlain, isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { type Clock, systemClock, toPem } from "@holdfast/core";
import { newIdentity } from "../keys.ts";
import type { ServiceTlsError } from "./errors.ts";
import { issueServer } from "./issue-server.ts";
import { openLocalAuthority } from "./local-authority.ts";
import {
  alternativeNames,
  isLoopback,
  isServiceName,
  nameConstraints,
  namesOutside,
} from "./names.ts";
import { createServiceServer } from "./service-server.ts";
import { ServiceTls } from "./service-tls.ts";
import type { TlsSource } from "./tls-source.ts";

const DAY = 24 * 60 * 60 * 1000;
const inDays = (days: number): Clock => ({ now: () => new Date(Date.now() + days * DAY) });

async function directoryOf(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-tls-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

interface Running {
  readonly tls: ServiceTls;
  readonly port: number;
  readonly faults: string[];
}

async function serve(t: TestContext, source: TlsSource, clock: Clock = systemClock) {
  const faults: string[] = [];
  const tls = await ServiceTls.open(source, { clock, onFault: (fault) => faults.push(fault) });
  const server = createServiceServer((_request, answer) => answer.end("here"), { tls });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    tls.close();
    server.closeAllConnections();
    server.close();
  });
  return { tls, port: (server.address() as AddressInfo).port, faults } satisfies Running;
}

/** The handshake of a client that trusts one authority, or anybody; what the server showed, or why it was refused. */
function shake(port: number, ca?: string, name = "localhost"): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: "127.0.0.1",
      servername: isIP(name) === 0 ? name : "",
      checkServerIdentity: (_host: string, shown: PeerCertificate) =>
        checkServerIdentity(name, shown),
      ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
    };
    const socket: TLSSocket = connect(options, () => {
      const shown = socket.getPeerX509Certificate();
      socket.destroy();
      if (shown === undefined) reject(new Error("no certificate"));
      else resolve(shown);
    });
    socket.once("error", reject);
  });
}

test("an authority is made once, by whoever is first, and for its owner alone", async (t) => {
  const directory = join(await directoryOf(t), "tls");
  const all = await Promise.all(
    Array.from({ length: 8 }, () => openLocalAuthority(directory, [], systemClock)),
  );
  assert.equal(new Set(all.map(({ certificate }) => certificate.serial)).size, 1);
  assert.equal((await stat(join(directory, "ca.key"))).mode & 0o777, 0o600);
  const published = new X509Certificate(await readFile(join(directory, "ca.pem")));
  assert.equal(published.serialNumber.toLowerCase(), all[0]?.certificate.serial);
  assert.ok(published.ca);
});

test("a client that trusts the authority reaches the service by each of its names", async (t) => {
  const directory = await directoryOf(t);
  const names = ["box.example", "192.0.2.7", "2001:db8::7"];
  const { port } = await serve(t, { kind: "auto", directory, names });
  const ca = await readFile(join(directory, "ca.pem"), "utf8");
  for (const name of ["localhost", "127.0.0.1", "::1", ...names]) {
    await shake(port, ca, name);
  }
  await assert.rejects(shake(port, ca, "other.example"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
});

test("speaks TLS 1.3 and nothing before it", async (t) => {
  const directory = await directoryOf(t);
  const { port } = await serve(t, { kind: "auto", directory, names: [] });
  const socket = connect({
    port,
    host: "127.0.0.1",
    maxVersion: "TLSv1.2",
    rejectUnauthorized: false,
  });
  const [fault] = await once(socket, "error");
  assert.match(String(fault), /protocol version|alert/i);
});

test("what the authority signs for any other name is refused", async (t) => {
  const directory = await directoryOf(t);
  const authority = await openLocalAuthority(directory, [], systemClock);
  for (const name of ["bank.example", "192.0.2.1", "2001:db8::1"]) {
    const { cert, key } = await issueServer({ ...authority, names: [name] }, systemClock);
    const [certificateFile, keyFile] = [join(directory, "x.pem"), join(directory, "x.key")];
    await writeFile(certificateFile, cert);
    await writeFile(keyFile, key);
    const { port } = await serve(t, { kind: "files", certificateFile, keyFile });
    const ca = await readFile(authority.certificateFile, "utf8");
    await assert.rejects(shake(port, ca, name), /permitted subtree violation/, name);
  }
});

test("a certificate is renewed while the service runs, and connections that stand go on", async (t) => {
  const directory = await directoryOf(t);
  let days = 0;
  const clock = { now: () => inDays(days).now() };
  const { tls, port } = await serve(t, { kind: "auto", directory, names: [] }, clock);
  const ca = await readFile(join(directory, "ca.pem"), "utf8");
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca });
  t.after(() => agent.destroy());
  const ask = (): Promise<X509Certificate | undefined> =>
    new Promise((resolve, reject) => {
      request({ agent, host: "localhost", port }, (answer) => {
        const shown = (answer.socket as TLSSocket).getPeerX509Certificate();
        answer.resume().once("end", () => resolve(shown));
      })
        .once("error", reject)
        .end();
    });
  const first = await shake(port, ca);
  const standing = await ask();
  days = 59;
  await tls.renew();
  assert.equal((await shake(port, ca)).serialNumber, first.serialNumber);
  days = 61;
  await tls.renew();
  const second = await shake(port);
  assert.notEqual(second.serialNumber, first.serialNumber);
  assert.equal((await ask())?.serialNumber, standing?.serialNumber);
});

test("an authority has a successor before its end, which clients trust before it issues", async (t) => {
  const directory = await directoryOf(t);
  const caFile = join(directory, "ca.pem");
  let days = 0;
  const clock = { now: () => inDays(days).now() };
  const { tls, port } = await serve(t, { kind: "auto", directory, names: ["box.example"] }, clock);
  const old = await readFile(caFile, "utf8");
  const issuer = async (): Promise<string> => (await shake(port)).issuer;
  const first = await issuer();
  const renewedAfter = async (day: number): Promise<void> => {
    days = day;
    await tls.renew();
  };
  await renewedAfter(9 * 365 - 1);
  assert.equal(await readFile(caFile, "utf8"), old);
  await renewedAfter(9 * 365 + 60);
  const both = await readFile(caFile, "utf8");
  assert.ok(both.startsWith(old) && both.length > old.length);
  assert.equal(await issuer(), first);
  await renewedAfter(10 * 365 - 119);
  assert.notEqual(await issuer(), first);
  await renewedAfter(10 * 365 + 1);
  const successor = await readFile(caFile, "utf8");
  assert.equal(`${old}${successor}`, both);
  assert.deepEqual(
    (await readdir(directory)).filter((name) => !name.startsWith("ca")),
    [],
  );
});

test("a service under the successor is trusted by whoever has both, by its names alone", async (t) => {
  const directory = await directoryOf(t);
  const old = (await openLocalAuthority(directory, ["box.example"], inDays(-9.9 * 365)))
    .certificate;
  // The successor's certificate is of this time, as the handshake has it.
  const successor = await openLocalAuthority(directory, ["box.example"], systemClock);
  assert.notEqual(successor.certificate.serial, old.serial);
  const { port } = await serve(t, { kind: "auto", directory, names: ["box.example"] });
  const both = await readFile(join(directory, "ca.pem"), "utf8");
  assert.equal(both.match(/BEGIN CERTIFICATE/g)?.length, 2);
  await shake(port, both, "box.example");
  await assert.rejects(shake(port, toPem("CERTIFICATE", old.der)), /unable to/);
  await assert.rejects(
    openLocalAuthority(directory, ["b.example"], systemClock),
    unusable(/b\.ex/),
  );
});

test("an authority of a directory that was restored after its end is succeeded at once", async (t) => {
  const directory = await directoryOf(t);
  const ended = await openLocalAuthority(directory, [], inDays(-11 * 365));
  const all = await Promise.all(
    Array.from({ length: 8 }, () => openLocalAuthority(directory, [], systemClock)),
  );
  assert.equal(new Set(all.map(({ certificate }) => certificate.serial)).size, 1);
  assert.notEqual(all[0]?.certificate.serial, ended.certificate.serial);
  const ca = await readFile(join(directory, "ca.pem"), "utf8");
  const { port } = await serve(t, { kind: "auto", directory, names: [] });
  await shake(port, ca);
});

const unusable = (message: RegExp) => (error: ServiceTlsError) =>
  error.code === "TLS_AUTHORITY_UNUSABLE" && message.test(error.message);

const FAULTS: Readonly<Record<string, [spoil: (file: string) => Promise<void>, RegExp]>> = {
  "that others may read": [(file) => chmod(file, 0o640), /chmod 600/],
  "that is no key": [(file) => writeFile(file, "nothing"), /CERTIFICATE/],
  "with another's certificate": [
    async (file) => {
      const { keyPem } = await newIdentity({ commonName: "other", clock: systemClock });
      const text = await readFile(file, "utf8");
      await writeFile(file, `${keyPem}${text.slice(text.indexOf("-----BEGIN CERT"))}`);
    },
    /not the certificate's/,
  ],
  "whose certificate is no authority's": [
    async (file) => {
      const { keyPem, certificatePem } = await newIdentity({
        commonName: "other",
        clock: systemClock,
      });
      await writeFile(file, `${keyPem}${certificatePem}\n`);
    },
    /may not issue/,
  ],
};
for (const [fault, [spoil, message]] of Object.entries(FAULTS)) {
  test(`refused: an authority's file ${fault}`, async (t) => {
    const directory = await directoryOf(t);
    await openLocalAuthority(directory, [], systemClock);
    await spoil(join(directory, "ca.key"));
    await assert.rejects(openLocalAuthority(directory, [], systemClock), unusable(message));
  });
}

test("refused: an authority made for other names", async (t) => {
  const directory = await directoryOf(t);
  await openLocalAuthority(directory, ["a.example"], systemClock);
  await openLocalAuthority(directory, [], systemClock);
  await assert.rejects(
    openLocalAuthority(directory, ["b.example"], systemClock),
    unusable(/not made for b\.example/),
  );
});

test("files are read again when they change, and a pair half replaced is not taken", async (t) => {
  const directory = await directoryOf(t);
  const [certificateFile, keyFile] = [join(directory, "c.pem"), join(directory, "k.pem")];
  const identity = () => newIdentity({ commonName: "localhost", clock: systemClock });
  const [first, second] = [await identity(), await identity()];
  await writeFile(certificateFile, first.certificatePem);
  await writeFile(keyFile, first.keyPem);
  const { tls, port, faults } = await serve(t, { kind: "files", certificateFile, keyFile });
  const serial = (pem: string): string => new X509Certificate(pem).serialNumber;
  await writeFile(certificateFile, second.certificatePem);
  await tls.renew();
  assert.equal((await shake(port)).serialNumber, serial(first.certificatePem));
  assert.match(faults.join(), /c\.pem and .*k\.pem: .*mismatch/);
  await writeFile(keyFile, second.keyPem);
  await tls.renew();
  assert.equal((await shake(port)).serialNumber, serial(second.certificatePem));
});

test("refused: files that are not there", async () => {
  const source = { kind: "files", certificateFile: "/nowhere/c", keyFile: "/nowhere/k" } as const;
  await assert.rejects(ServiceTls.open(source, { clock: systemClock, onFault: () => undefined }), {
    code: "TLS_FILES_UNUSABLE",
  });
});

test("plain HTTP is answered with what the port speaks, and not kept", async (t) => {
  const directory = await directoryOf(t);
  const { port } = await serve(t, { kind: "auto", directory, names: [] });
  // A client that never closes its own side.
  const socket = connectPlain({ port, host: "127.0.0.1", allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
  let text = "";
  for await (const part of socket.setEncoding("utf8")) text += part;
  assert.match(text, /^HTTP\/1\.1 400 /);
  assert.match(text, /speaks TLS: use https, and trust the authority in .*ca\.pem/);
  assert.match(text, /--local-development/);
});

test("names are hosts and addresses, without wildcards and zones", () => {
  for (const name of [
    "localhost",
    "a-1.example",
    "127.0.0.1",
    "::1",
    "2001:db8::1",
    "::ffff:1.2.3.4",
  ])
    assert.ok(isServiceName(name), name);
  for (const name of [
    "",
    "*.example",
    "-a",
    "a-",
    "a..b",
    ".a",
    "fe80::1%eth0",
    "a b",
    "a/b",
    "x".repeat(64),
  ])
    assert.ok(!isServiceName(name), name);
});

test("loopback is this machine by its names and addresses, and nothing that looks like it", () => {
  for (const host of ["localhost", "127.0.0.1", "127.8.9.10", "::1", "[::1]", "::ffff:127.0.0.1"])
    assert.ok(isLoopback(host), host);
  for (const host of [
    "",
    "0.0.0.0",
    "::",
    "localhost.example",
    "127.0.0.1.example",
    "127.1",
    "x127.0.0.1",
  ])
    assert.ok(!isLoopback(host), host);
});

test("addresses stand in certificates as their bytes", () => {
  const bytes = (name: string): string =>
    Buffer.from(alternativeNames([name]).value).toString("hex");
  assert.equal(bytes("10.1.2.3"), "300687040a010203");
  assert.equal(bytes("::1"), `30128710${"00".repeat(15)}01`);
  assert.equal(bytes("2001:db8:0:1::a"), "3012871020010db800000001000000000000000a");
  assert.equal(bytes("::ffff:1.2.3.4"), `30128710${"00".repeat(10)}ffff01020304`);
  const extension = nameConstraints(["::1"]);
  const extensions = new Map([[extension.oid, { critical: true, value: extension.value }]]);
  assert.deepEqual(namesOutside(extensions, ["0:0:0:0:0:0:0:1", "::2"]), ["::2"]);
  assert.deepEqual(namesOutside(new Map(), ["localhost"]), ["localhost"]);
});
