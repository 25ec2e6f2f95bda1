// Measures the video object detector: what one 1920×1080 picture costs, stage by stage, on the keep's WebAssembly host;
// beside it the figures that the original demonstration published, and native darknet on the same networks in the same
// run. Usage: node bench/vod/main.ts [--runs N] [--network tiny|full|both] [--json]
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { type DetectorHost, openDetectorHost } from "../../examples/vod/test/host.ts";
import { buildDarknet } from "../../examples/vod/test/peer/darknet.ts";
import { fullVideo } from "./full-video.ts";
import { measureNetwork, type NetworkReport } from "./measure-network.ts";
import { measureSpread, type SpreadReport } from "./measure-spread.ts";
import { fullNetwork, tinyNetwork } from "./networks.ts";
import { networkTable, spreadTable } from "./tables.ts";

/** All that a run of the benchmark found. */
export interface BenchReport {
  readonly date: string;
  readonly machine: { readonly processor: string; readonly cores: number; readonly node: string };
  readonly networks: readonly NetworkReport[];
  readonly spread: SpreadReport;
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    network: { type: "string", default: "both" },
    json: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1 || runs > 1000)
  fail("--runs takes a number from 1 to 1000");
const wanted = { tiny: ["tiny"], full: ["full"], both: ["tiny", "full"] }[values.network];
if (wanted === undefined) fail("--network takes tiny, full or both");

const host = await openDetectorHost();
try {
  const report = await measure(host, wanted, runs);
  if (values.json) {
    console.log(JSON.stringify(report, undefined, 2));
  } else {
    const { processor, cores, node } = report.machine;
    console.log(`${processor}, ${cores} cores, Node ${node}, ${report.date}\n`);
    for (const network of report.networks) console.log(`${networkTable(network)}\n`);
    console.log(spreadTable(report.spread));
  }
} finally {
  await host.close();
}

async function measure(
  host: DetectorHost,
  wanted: readonly string[],
  runs: number,
): Promise<BenchReport> {
  const video = fullVideo();
  const darknet = buildDarknet();
  if (darknet.kind === "absent") say(`native darknet is left out: ${darknet.reason}`);
  const peer = darknet.kind === "built" ? darknet.program : undefined;
  const networks: NetworkReport[] = [];
  for (const name of wanted) {
    say(`measuring the ${name} network, ${runs} runs`);
    const network = name === "tiny" ? tinyNetwork() : fullNetwork();
    networks.push(await measureNetwork(host, { name, network, video, peer, runs }));
  }
  say("measuring one and two instances");
  const spread = await measureSpread(host, video, tinyNetwork());
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      processor: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      node: process.versions.node,
    },
    networks,
    spread,
  };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
