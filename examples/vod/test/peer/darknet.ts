// Debian's darknet, built from its source package outside the project: the peer whose numbers the engine must give.
// Needs apt, dpkg-source, make and a C compiler; nothing is installed and no list of the system is touched.
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A built darknet, or why there is none. */
export type Darknet =
  | { readonly kind: "built"; readonly program: string }
  | { readonly kind: "absent"; readonly reason: string };

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const DRIVER = join(import.meta.dirname, "run-network.c");
const TOOLS = ["apt-get", "dpkg-source", "make", "gcc"];

/** Builds darknet, or finds what an earlier call built. */
export function buildDarknet(): Darknet {
  const home = join(tmpdir(), `holdfast-darknet-${process.getuid?.() ?? 0}`);
  const program = join(home, "run-network");
  if (existsSync(program)) return { kind: "built", program };
  const missing = TOOLS.filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
  if (missing.length > 0) return { kind: "absent", reason: `${missing.join(", ")} not found` };
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const work = mkdtempSync(join(home, "work-"));
  try {
    fetchSource(work);
    const source = join(work, "darknet");
    run("make", ["obj", "libdarknet.a", "OPENCV=0", "GPU=0", "CUDNN=0", "OPENMP=0"], source);
    const built = join(work, "run-network");
    run(
      "gcc",
      ["-O2", "-Iinclude", DRIVER, "libdarknet.a", "-lm", "-pthread", "-o", built],
      source,
    );
    renameSync(built, program);
    return { kind: "built", program };
  } catch (thrown) {
    return { kind: "absent", reason: thrown instanceof Error ? thrown.message : String(thrown) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Seconds of each run, and the outputs of every layer when they are asked for. */
export function runDarknet(
  program: string,
  files: { readonly configuration: string; readonly weights: string },
  input: Float32Array,
  { runs = 1, outputs = true }: { runs?: number; outputs?: boolean } = {},
): { seconds: number[]; layers: Float32Array[] } {
  const work = mkdtempSync(join(tmpdir(), "holdfast-darknet-run-"));
  try {
    const [inputFile, outputFile] = [join(work, "input"), join(work, "output")];
    writeFileSync(inputFile, new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
    const { configuration, weights } = files;
    const args = [configuration, weights, inputFile, outputs ? outputFile : "-", String(runs)];
    const text = run(program, args, work);
    const seconds = text.trim().split("\n").map(Number);
    return { seconds, layers: outputs ? readLayers(readFileSync(outputFile)) : [] };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Volumes written one after the other: a 32-bit count, then that many floats. */
export function readLayers(bytes: Uint8Array): Float32Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const layers: Float32Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const count = view.getInt32(at, true);
    const values = new Float32Array(count);
    new Uint8Array(values.buffer).set(bytes.subarray(at + 4, at + 4 + 4 * count));
    layers.push(values);
    at += 4 + 4 * count;
  }
  return layers;
}

/** The source package, through a private apt configuration made from the system's own source of packages. */
function fetchSource(work: string): void {
  const target = ["--format", "$(REPO_URI) $(CODENAME)", "Identifier: Packages", "Component: main"];
  const origin = run(
    "apt-get",
    ["indextargets", ...target, "Origin: Debian", "Label: Debian"],
    work,
  );
  const line = origin.split("\n").find((text) => /^\S+ [a-z]+$/.test(text));
  if (line === undefined) throw new Error("apt knows no Debian archive");
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : "";
  writeFileSync(join(work, "sources.list"), `deb-src ${signed}${line} main\n`);
  mkdirSync(join(work, "lists", "partial"), { recursive: true });
  mkdirSync(join(work, "cache"));
  const options = [
    `Dir::Etc::SourceList=${join(work, "sources.list")}`,
    "Dir::Etc::SourceParts=-",
    `Dir::State::Lists=${join(work, "lists")}`,
    `Dir::Cache=${join(work, "cache")}`,
    "APT::Sandbox::User=",
  ].flatMap((option) => ["-o", option]);
  run("apt-get", [...options, "-qq", "update"], work);
  run("apt-get", [...options, "-qq", "source", "--download-only", "darknet"], work);
  run("sh", ["-c", "dpkg-source -x darknet_*.dsc darknet"], work);
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`${command} failed: ${error?.message ?? stderr.trim().split("\n").at(-1)}`);
  }
  return stdout;
}
