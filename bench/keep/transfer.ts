// Upload and download through the attested channel beside plain Node TLS: same machine, same run, same suite, same
// bytes, turn by turn.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { connect } from "node:tls";
import { type ClientIdentity, newIdentity } from "@holdfast/channel";
import type { KeepClient } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import type { RealKeep } from "../../apps/keep/src/testing/real-platform.ts";
import { median } from "./statistics.ts";

/** Megabytes a second, both ways. */
export interface Rates {
  readonly up: number;
  readonly down: number;
}

/** Rates of the keep and of plain TLS, medians of all rounds. */
export interface TransferResult {
  readonly suite: string;
  readonly keep: Rates;
  readonly plain: Rates;
  /** The keep's rate by that of plain TLS just before it, median: other work on the machine disturbs both alike. */
  readonly shares: Rates;
}

const CHUNK = new Uint8Array(1 << 20).fill(7);

/** Measures both in turn and takes medians. */
export async function measureTransfer(
  keep: RealKeep,
  options: { bytes: number; rounds: number },
): Promise<TransferResult> {
  const suite = keep.policy.ciphersuite.replace(/^TLS1_3_/, "TLS_");
  const plain = await startPlain(suite);
  const client = await keep.client();
  const rounds: { keep: Rates; plain: Rates }[] = [];
  try {
    for (let round = 0; round <= options.rounds; round += 1) {
      const plainUp = await rate(options.bytes, () => plain.move(options.bytes, 0));
      const keepUp = await rate(options.bytes, () => upload(client, options.bytes));
      const plainDown = await rate(options.bytes, () => plain.move(0, options.bytes));
      const keepDown = await rate(options.bytes, () => download(client, options.bytes));
      // The first round warms up both.
      if (round === 0) continue;
      rounds.push({
        keep: { up: keepUp, down: keepDown },
        plain: { up: plainUp, down: plainDown },
      });
    }
  } finally {
    plain.close();
  }
  const both = (of: (round: (typeof rounds)[number], way: keyof Rates) => number): Rates => ({
    up: median(rounds.map((round) => of(round, "up"))),
    down: median(rounds.map((round) => of(round, "down"))),
  });
  return {
    suite,
    keep: both(({ keep }, way) => keep[way]),
    plain: both(({ plain }, way) => plain[way]),
    shares: both(({ keep, plain }, way) => keep[way] / plain[way]),
  };
}

async function rate(bytes: number, act: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await act();
  return bytes / 1000 / (performance.now() - start);
}

async function upload(client: KeepClient, bytes: number): Promise<void> {
  await client.putFile("/in/large", chunks(bytes), { size: bytes });
}

async function download(client: KeepClient, bytes: number): Promise<void> {
  const { body } = await client.readFile("/in/large");
  let received = 0;
  for await (const part of body) received += part.length;
  if (received !== bytes) throw new Error(`${received} bytes came, ${bytes} were expected`);
}

async function* chunks(bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, left);
}

interface Plain {
  move(up: number, down: number): Promise<void>;
  close(): void;
}

async function startPlain(ciphers: string): Promise<Plain> {
  const identity = await newIdentity({ commonName: "bench", clock: systemClock });
  const child = spawn(process.execPath, [join(import.meta.dirname, "plain-tls.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify({ ...identity, ciphers }));
  const died = once(child, "exit").then(() => Promise.reject(new Error("plain TLS did not start")));
  died.catch(() => undefined);
  const [line] = (await Promise.race([once(child.stdout, "data"), died])) as [Buffer];
  const port = Number(line.toString());
  return {
    move: (up, down) => movePlain(port, identity, up, down),
    close: () => void child.kill(),
  };
}

async function movePlain(
  port: number,
  { certificatePem, keyPem }: ClientIdentity,
  up: number,
  down: number,
): Promise<void> {
  const socket = connect({
    host: "127.0.0.1",
    port,
    cert: certificatePem,
    key: keyPem,
    rejectUnauthorized: false,
  });
  await once(socket, "secureConnect");
  const head = Buffer.alloc(16);
  head.writeBigUInt64BE(BigInt(up), 0);
  head.writeBigUInt64BE(BigInt(down), 8);
  let received = 0;
  socket.on("data", (part: Buffer) => {
    received += part.length;
  });
  const closed = once(socket, "close");
  socket.write(head);
  for (let left = up; left > 0; left -= CHUNK.length) {
    // One whose other side has ended does not drain.
    if (!socket.write(CHUNK.subarray(0, left))) await Promise.race([once(socket, "drain"), closed]);
  }
  await closed;
  if (received !== down + 1) throw new Error(`${received} bytes came, ${down + 1} were expected`);
}
