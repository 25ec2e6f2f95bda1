// How fast an object comes from S3 through the bridge into a true keep, as a share of the same bytes put into it directly.
import { connectKeep } from "@holdfast/channel";
import { BridgeClient, fetchTransport, KeepClient } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";
import { newIdentities, userPolicy, vodFunction } from "../../apps/control/src/testing/samples.ts";
import { startRealPlatform } from "../../test/platform/real-platform.ts";
import { buildControl } from "../../tools/build-control.ts";
import { startSparseObject } from "./sparse-object.ts";

/** Rates in MiB a second, of each round. */
export interface UploadResult {
  readonly bridge: readonly number[];
  readonly direct: readonly number[];
  /** What the store alone gives. */
  readonly store: readonly number[];
}

const MIB = 1 << 20;
const PART = new Uint8Array(MIB);

/** Measures rounds of the bridge, of a direct upload, and of the store without a keep, which take turns. */
export async function measureUploads(options: {
  mib: number;
  rounds: number;
}): Promise<UploadResult> {
  const { mib } = options;
  const object = await startSparseObject(mib * MIB);
  const platform = await startRealPlatform({ s3: object.s3, main: await buildControl() });
  try {
    const { ccfaas, s3Url } = platform.world;
    const identities = await newIdentities();
    const definition = { ...vodFunction(), programs: [], data_files: [], max_memory_mib: 3 * mib };
    await ccfaas.registerFunction(definition);
    const { policy } = await ccfaas.createInstance(userPolicy(identities));
    const bridge = new BridgeClient(fetchTransport(s3Url));
    const veracruz = {
      policy,
      certificate: identities.bridge.certificatePem,
      key: identities.bridge.keyPem,
    };
    const result = { bridge: [] as number[], direct: [] as number[], store: [] as number[] };
    for (let round = 0; round <= options.rounds; round += 1) {
      const rates = {
        bridge: await rateOf(mib, () =>
          bridge.copy({
            s3: object.source,
            veracruz: { ...veracruz, filename: "/s3_app_input/object" },
          }),
        ),
        direct: await rateOf(mib, async () => {
          const connection = await connectKeep({
            policy: parsePolicy(policy),
            identity: identities.bridge,
            clock: systemClock,
          });
          const keep = new KeepClient(connection);
          await keep.putFile("/s3_app_input/direct", zeros(mib), { size: mib * MIB });
          connection.close();
        }),
        store: await rateOf(mib, () => object.readAll()),
      };
      // The first round is for warming up.
      if (round === 0) continue;
      for (const way of ["bridge", "direct", "store"] as const) result[way].push(rates[way]);
    }
    return result;
  } finally {
    await platform.close();
    object.close();
  }
}

async function rateOf(mib: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return mib / ((performance.now() - start) / 1000);
}

async function* zeros(mib: number): AsyncGenerator<Uint8Array> {
  for (let each = 0; each < mib; each += 1) yield PART;
}
