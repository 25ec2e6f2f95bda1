// Quotes of a real software TPM through the real tools; the tools' own checker agrees with what came out.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fromHex, fromText, toHex, unmet, webCrypto } from "@holdfast/core";
import { NO_ENDORSEMENTS, verifyEvidence } from "@holdfast/evidence";
import {
  type AttesterError,
  createTpmAttester,
  encodeTpmQuote,
  makeCredential,
  newTpmKey,
  type RunTool,
  type TpmKeyKind,
  toolsFor,
} from "../index.ts";

const PEERS = ["/usr/bin/swtpm", "/usr/bin/tpm2_quote", "/usr/bin/tpm2_checkquote"];
const missing = PEERS.filter((path) => !existsSync(path));
if (missing.length > 0 && process.env["HOLDFAST_PEERS"] === "required") {
  throw new Error(`not installed: ${missing.join(", ")}`);
}
const skip = missing.length > 0 && `not installed: ${missing.join(", ")} (swtpm, tpm2-tools)`;
const NONCE = fromHex("00112233445566778899aabbccddeeff");
const SECRET = fromHex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");

interface SoftTpm {
  readonly tcti: string;
  readonly run: RunTool;
  readonly directory: string;
}

const running: { child: ChildProcess; directory: string }[] = [];
after(async () => {
  for (const { child, directory } of running) {
    child.kill("SIGKILL");
    await rm(directory, { recursive: true, force: true });
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts a TPM; the tools want its control channel on the next port, so a pair of free ones is looked for. */
async function startTpm(): Promise<SoftTpm> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-swtpm-"));
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const port = await freePort();
    const channel = (number: number): string => `type=tcp,bindaddr=127.0.0.1,port=${number}`;
    const child = spawn(
      "/usr/bin/swtpm",
      [
        ...["socket", "--tpm2", "--tpmstate", `dir=${directory}`],
        ...["--server", channel(port), "--ctrl", channel(port + 1)],
        ...["--flags", "not-need-init,startup-clear"],
      ],
      { stdio: "ignore" },
    );
    running.push({ child, directory });
    if (await isListening(port + 1, child)) {
      const tcti = `swtpm:host=127.0.0.1,port=${port}`;
      return { tcti, run: toolsFor({ tcti }), directory };
    }
    child.kill("SIGKILL");
  }
  throw new Error("swtpm did not start");
}

async function isListening(port: number, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null) {
    const connected = await new Promise<boolean>((done) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        done(true);
      });
      socket.once("error", () => done(false));
    });
    if (connected) return true;
    await new Promise((done) => setTimeout(done, 20));
  }
  return false;
}

/** What the tools' own checker says of a quote. */
async function checkQuote(
  directory: string,
  quote: { message: Uint8Array; signature: Uint8Array; publicArea: Uint8Array },
  nonce: Uint8Array,
): Promise<number | null> {
  const file = (name: string): string => join(directory, name);
  await writeFile(file("m"), quote.message);
  await writeFile(file("s"), quote.signature);
  await writeFile(file("u"), quote.publicArea);
  const args = ["-u", file("u"), "-m", file("m"), "-s", file("s"), "-g", "sha256"];
  return spawnSync("/usr/bin/tpm2_checkquote", [...args, "-q", toHex(nonce)]).status;
}

for (const kind of ["ecc", "rsa"] satisfies TpmKeyKind[]) {
  test(`a quote by a key of kind ${kind} is what the tools' own checker accepts`, {
    skip,
  }, async () => {
    const { run, directory } = await startTpm();
    await run("tpm2_pcrextend", `16:sha256=${"ab".repeat(32)}`);
    const key = await newTpmKey(run, directory, kind);
    assert.equal(toHex(key.name.subarray(0, 2)), "000b");
    assert.deepEqual(
      key.name.subarray(2),
      new Uint8Array(createHash("sha256").update(key.publicArea.subarray(2)).digest()),
    );
    const attester = createTpmAttester(run, key, new Map([["sha256", [16, 0, 7]]]));
    const quote = await attester.quote(NONCE);
    const extended = createHash("sha256")
      .update(new Uint8Array(32))
      .update(fromHex("ab".repeat(32)));
    const zeros = "00".repeat(32);
    const values: Readonly<Record<string, string>> = quote.pcrs.sha256 ?? {};
    assert.deepEqual(quote.pcrs, { sha256: { 0: zeros, 7: zeros, 16: extended.digest("hex") } });
    // TPMS_ATTEST ends with the digest over the values, in order.
    const digest = createHash("sha256");
    for (const index of ["0", "7", "16"]) digest.update(fromHex(values[index] ?? ""));
    assert.equal(toHex(quote.message.subarray(-32)), digest.digest("hex"));
    assert.equal(await checkQuote(directory, quote, NONCE), 0);
    const judge = (nonce: Uint8Array, akNames: string[]) =>
      verifyEvidence(fromText(encodeTpmQuote(quote)), {
        at: new Date(),
        crypto: webCrypto,
        endorsements: NO_ENDORSEMENTS,
        nonce,
        tpm: { akNames },
      });
    const enrolled = [toHex(key.name)];
    const appraisal = await judge(NONCE, enrolled);
    assert.deepEqual(
      unmet(appraisal.checks).map(({ name }) => name),
      [],
    );
    assert.equal(appraisal.verdict, "affirmed");
    assert.equal((await judge(NONCE.with(0, 1), enrolled)).verdict, "refused");
    assert.notEqual((await judge(NONCE, ["000b".padEnd(68, "0")])).verdict, "affirmed");
    assert.notEqual(await checkQuote(directory, quote, NONCE.with(0, 1)), 0);
  });
}

test("two banks, and many requests in a row and at once", { skip }, async () => {
  const { run, directory } = await startTpm();
  const key = await newTpmKey(run, directory);
  const selection = new Map([
    ["sha256", [0, 1]],
    ["sha384", [2]],
  ] as const);
  const attester = createTpmAttester(run, key, selection);
  const nonces = Array.from({ length: 4 }, (_, index) => NONCE.with(0, index));
  const quotes = await Promise.all(nonces.map((nonce) => attester.quote(nonce)));
  for (const [index, quote] of quotes.entries()) {
    assert.equal(quote.pcrs.sha384?.["2"], "00".repeat(48));
    assert.equal(await checkQuote(directory, quote, nonces[index]!), 0);
  }
});

test("only the TPM with both keys opens a credential, and only for that attestation key", {
  skip,
}, async () => {
  const { run, directory } = await startTpm();
  const file = (name: string): string => join(directory, name);
  const key = await newTpmKey(run, directory);
  await run("tpm2_readpublic", "-Q", "-c", file("ek.ctx"), "-f", "der", "-o", file("ek.der"));
  await run("tpm2_flushcontext", "-t");
  const ekSpki = new Uint8Array(await readFile(file("ek.der")));
  const activate = async (akName: Uint8Array): Promise<Uint8Array> => {
    const { file: made } = makeCredential(ekSpki, akName, SECRET);
    await writeFile(file("credential"), made);
    await run("tpm2_startauthsession", "--policy-session", "-S", file("session"));
    await run("tpm2_policysecret", "-Q", "-S", file("session"), "-c", "e");
    const keys = ["-c", file("ak.ctx"), "-C", file("ek.ctx"), "-P", `session:${file("session")}`];
    try {
      await run(
        "tpm2_activatecredential",
        "-Q",
        ...keys,
        "-i",
        file("credential"),
        "-o",
        file("out"),
      );
    } finally {
      await run("tpm2_flushcontext", file("session"));
      await run("tpm2_flushcontext", "-t");
    }
    return new Uint8Array(await readFile(file("out")));
  };
  assert.deepEqual(await activate(key.name), SECRET);
  await assert.rejects(activate(key.name.with(5, (key.name[5] ?? 0) ^ 1)), {
    code: "ATTESTER_REFUSED",
  });
});

test("credentials of another kind are refused before they are made", () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
  const ecSpki = new Uint8Array(ec.export({ type: "spki", format: "der" }));
  const name = Uint8Array.of(0, 0x0b, ...new Uint8Array(32));
  const refused = coded("ATTESTER_INPUT", /expected/);
  assert.throws(() => makeCredential(spki, name, new Uint8Array()), refused);
  assert.throws(() => makeCredential(spki, name, new Uint8Array(33)), refused);
  assert.throws(() => makeCredential(spki, name.subarray(1), SECRET), refused);
  assert.throws(() => makeCredential(spki, name.with(1, 4), SECRET), refused);
  assert.throws(() => makeCredential(ecSpki, name, SECRET), refused);
  assert.notDeepEqual(makeCredential(spki, name, SECRET), makeCredential(spki, name, SECRET));
});

function coded(code: string, message: RegExp): (error: AttesterError) => boolean {
  return (error) => error.code === code && message.test(error.message);
}

test("a key that is not there, or a TPM that does not answer, is told in one line", {
  skip,
}, async () => {
  const { run } = await startTpm();
  const key = { context: "/nonexistent/ak.ctx", publicArea: NONCE, name: NONCE };
  const attester = createTpmAttester(run, key, new Map([["sha256", [0]]]));
  await assert.rejects(attester.quote(NONCE), coded("ATTESTER_REFUSED", /^tpm2_quote: [^\n]+$/));
  const nobody = toolsFor({ tcti: `swtpm:host=127.0.0.1,port=${await freePort()}` });
  await assert.rejects(nobody("tpm2_flushcontext", "-t"), coded("ATTESTER_REFUSED", /tcti/));
});

test("tools that are not installed are named", async () => {
  const run = toolsFor({ tcti: "device:/dev/tpmrm0", path: "/nonexistent" });
  await assert.rejects(
    run("tpm2_quote"),
    coded("ATTESTER_UNREACHABLE", /tpm2_quote is not installed/),
  );
});

test("selections and nonces out of bounds are refused before a tool runs", async () => {
  const run: RunTool = () => Promise.reject(new Error("a tool ran"));
  const key = { context: "0x81010002", publicArea: NONCE, name: NONCE };
  for (const selection of [
    new Map(),
    new Map([["sha256", []]]),
    new Map([["sha256", [24]]]),
    new Map([["sha256", [-1]]]),
    new Map([["sha256", [0.5]]]),
    new Map([["sha1", [0]]]),
  ]) {
    assert.throws(
      () => createTpmAttester(run, key, selection as never),
      coded("ATTESTER_INPUT", /sha256, sha384, sha512/),
    );
  }
  const attester = createTpmAttester(run, key, new Map([["sha256", [0]]]));
  for (const length of [0, 65]) {
    await assert.rejects(
      attester.quote(new Uint8Array(length)),
      coded("ATTESTER_INPUT", /1 to 64 expected/),
    );
  }
});
