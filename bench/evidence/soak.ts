// One verifier over many pieces of evidence of every kind: memory must not grow with their number.
import { createNodeCrypto } from "../../packages/channel/src/index.ts";
import { verifyEvidence } from "../../packages/evidence/src/index.ts";
import { type Platform, requestOf } from "./samples.ts";

/** Memory after so many verifications, in MiB. */
export interface MemoryPoint {
  readonly verifications: number;
  readonly heap: number;
  readonly rss: number;
}

const POINTS = 10;

/** Verifies so many times, all platforms in turn, and looks at memory on the way. */
export async function soak(platforms: readonly Platform[], count: number): Promise<MemoryPoint[]> {
  const crypto = createNodeCrypto();
  const subjects = platforms.map((platform) => ({
    platform,
    request: requestOf(platform, crypto),
  }));
  const points: MemoryPoint[] = [];
  for (let done = 0; done < count; done += 1) {
    if (done % Math.ceil(count / POINTS) === 0) points.push(await memoryAfter(done));
    const subject = subjects[done % subjects.length];
    if (subject === undefined) throw new Error("no platform to verify");
    const { evidence, name } = subject.platform;
    const piece = evidence[Math.floor(done / subjects.length) % evidence.length];
    const { verdict } = await verifyEvidence(piece ?? new Uint8Array(), subject.request);
    if (verdict !== "affirmed") throw new Error(`${name} is ${verdict}`);
  }
  points.push(await memoryAfter(count));
  return points;
}

/** Memory once garbage is gone, where collection can be asked for. */
async function memoryAfter(verifications: number): Promise<MemoryPoint> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((done) => setImmediate(done));
  }
  const { heapUsed, rss } = process.memoryUsage();
  const mebibytes = (bytes: number) => Math.round((bytes / 1024 / 1024) * 10) / 10;
  return { verifications, heap: mebibytes(heapUsed), rss: mebibytes(rss) };
}
