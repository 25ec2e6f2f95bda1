// Bench of the evidence verifier: node bench/evidence/main.ts [--quick]
// Cold: a new verifier that reads its endorsements anew for each piece. Warm: one verifier that has seen the platform before,
// over evidence that it has not. Times are the process's processor time, so that other processes do not count.
import { createNodeCrypto } from "../../packages/channel/src/index.ts";
import { type CryptoPort, webCrypto } from "../../packages/core/src/index.ts";
import { verifyEvidence } from "../../packages/evidence/src/index.ts";
import { peers } from "./peer.ts";
import { type Platform, platforms, requestOf } from "./samples.ts";

const quick = process.argv.includes("--quick");
const COUNT = quick ? 100 : 400;
const MANY = quick ? 5_000 : 100_000;

console.log(`Node ${process.version}, ${COUNT} pieces each; milliseconds a verification\n`);
console.log("| evidence | cold | warm | warm, a second | Web Cryptography |");
console.log("| --- | ---: | ---: | ---: | ---: |");
const measured = await platforms(COUNT);
for (const platform of measured) {
  await warm(platform, createNodeCrypto());
  const cold = await measure(platform, (each) =>
    verifyEvidence(each, requestOf(platform, createNodeCrypto())),
  );
  const [node, web] = [await warm(platform, createNodeCrypto()), await warm(platform, webCrypto)];
  const second = Math.round(1000 / node);
  console.log(
    `| ${platform.name} | ${cold.toFixed(2)} | ${node.toFixed(2)} | ${second} | ${web.toFixed(2)} |`,
  );
}

const pair = peers(createNodeCrypto({ remembered: 0 }));
if (pair !== undefined) {
  const rounds = quick ? 20 : 100;
  const [ours, theirs] = [await repeat(rounds, pair.ours), await repeat(rounds, pair.theirs)];
  console.log("\n| real TDX quote with collateral, nothing remembered | ms |\n| --- | ---: |");
  console.log(`| holdfast | ${ours.toFixed(2)} |`);
  console.log(`| @phala/dcap-qvl | ${theirs.toFixed(2)} (${(theirs / ours).toFixed(1)}x) |`);
}

const [first] = measured;
if (first !== undefined) {
  const request = requestOf(first, createNodeCrypto());
  const before = await heap();
  for (let index = 0; index < MANY; index += 1) {
    await verifyEvidence(first.evidence[index % COUNT] ?? new Uint8Array(), request);
  }
  const grown = (await heap()) - before;
  console.log(`\n${MANY} verifications: heap grew by ${(grown / 1024 / 1024).toFixed(1)} MiB`);
}

/** One verifier over all pieces, after it has seen the platform once. */
async function warm(platform: Platform, crypto: CryptoPort): Promise<number> {
  const request = requestOf(platform, crypto);
  const [seen = new Uint8Array(), ...rest] = platform.evidence;
  await verifyEvidence(seen, request);
  return await measure({ ...platform, evidence: rest }, (each) => verifyEvidence(each, request));
}

async function measure(
  { name, evidence }: Platform,
  verify: (evidence: Uint8Array) => ReturnType<typeof verifyEvidence>,
): Promise<number> {
  const start = process.cpuUsage();
  for (const each of evidence) {
    const { verdict } = await verify(each);
    if (verdict !== "affirmed") throw new Error(`${name} is ${verdict}`);
  }
  return milliseconds(start) / evidence.length;
}

async function repeat(rounds: number, run: () => Promise<void> | void): Promise<number> {
  for (let round = 0; round < 5; round += 1) await run();
  const start = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) await run();
  return milliseconds(start) / rounds;
}

function milliseconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Bytes of the heap once garbage is gone, where collection can be asked for. */
async function heap(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((done) => setImmediate(done));
  }
  return process.memoryUsage().heapUsed;
}
