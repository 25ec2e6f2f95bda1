// How much memory the control plane's process takes at rest and while large files stream through it: an object from S3
// through the bridge into a keep, a file into CCFaaS, and that file into a keep. The keeps are small ones, which speak the
// same attested TLS and hash what they get, but throw it away: a true one would hold it in memory.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { BridgeClient, fetchTransport } from "@holdfast/contract";
import {
  newIdentities,
  provisionVod,
  userPolicy,
  vodFunction,
} from "../../apps/control/src/testing/samples.ts";
import { makeWorld } from "../../apps/control/src/testing/world.ts";
import { buildControl } from "../../tools/build-control.ts";
import { peakMib, resetPeak, residentMib } from "./process-memory.ts";
import { startSparseObject } from "./sparse-object.ts";

/** What was measured, in MiB unless its name says otherwise. */
export interface MemoryResult {
  readonly atRest: number;
  readonly bridgePeak: number;
  readonly bridgeMibPerSecond: number;
  readonly uploadPeak: number;
  readonly provisionPeak: number;
}

const MIB = 1 << 20;
const PART = new Uint8Array(MIB);
const FILE = "/program_data/large";

/** Measures, with an object and a file of so many bytes. */
export async function measureMemory(sizes: {
  objectBytes: number;
  fileMib: number;
}): Promise<MemoryResult> {
  const object = await startSparseObject(sizes.objectBytes);
  const world = await makeWorld({
    main: await buildControl(),
    s3: object.s3,
    limits: { data_file_bytes: sizes.fileMib * MIB },
    keepPorts: 2,
  });
  try {
    // The first start compiles; from the second on it is as it stays.
    const first = await world.spawn();
    first.kill("SIGTERM");
    await once(first, "exit");
    const { pid = 0 } = await world.spawn();
    const { ccfaas } = world;
    await provisionVod(ccfaas);
    const identities = await newIdentities();
    const { policy } = await ccfaas.createInstance(userPolicy(identities));
    const atRest = residentMib(pid);
    const bridge = new BridgeClient(fetchTransport(world.s3Url));
    const copy = () =>
      bridge.startCopy({
        s3: object.source,
        veracruz: {
          filename: "/s3_app_input/object",
          policy,
          certificate: identities.bridge.certificatePem,
          key: identities.bridge.keyPem,
        },
      });
    const start = performance.now();
    const [bridgePeak] = await peakOf(pid, async () => {
      const { id } = await copy();
      for (;;) {
        const { state, reason } = await bridge.getCopy(id, { wait: 60 });
        if (state === "done") return;
        if (state !== "running") throw new Error(reason);
      }
    });
    const seconds = (performance.now() - start) / 1000;
    const definition = {
      ...vodFunction("large"),
      programs: [],
      data_files: [{ data_file: FILE, pi_hash: zerosDigest(sizes.fileMib) }],
    };
    await ccfaas.registerFunction(definition);
    const [uploadPeak] = await peakOf(pid, () =>
      ccfaas.uploadDataFile("large", FILE, zeros(sizes.fileMib)),
    );
    const [provisionPeak] = await peakOf(pid, () =>
      ccfaas.createInstance(userPolicy(identities, { function: "large", instanceid: "large" })),
    );
    const bridgeMibPerSecond = sizes.objectBytes / MIB / seconds;
    return { atRest, bridgePeak, bridgeMibPerSecond, uploadPeak, provisionPeak };
  } finally {
    await world.close();
    object.close();
  }
}

async function peakOf<T>(pid: number, work: () => Promise<T>): Promise<[mib: number, done: T]> {
  resetPeak(pid);
  const done = await work();
  return [peakMib(pid), done];
}

function zerosDigest(mib: number): string {
  const hash = createHash("sha256");
  for (let each = 0; each < mib; each += 1) hash.update(PART);
  return hash.digest("hex");
}

async function* zeros(mib: number): AsyncGenerator<Uint8Array> {
  for (let each = 0; each < mib; each += 1) yield PART;
}

if (import.meta.main) {
  const objectBytes = Number(process.argv[2] ?? 500_000_000);
  console.log(await measureMemory({ objectBytes, fileMib: 200 }));
}
