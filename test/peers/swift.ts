// OpenStack Swift with its S3 interface, from Debian's packages, on loopback ports of its own: a store that checks
// signatures, ranges and conditions strictly. One account, one disk, no replicas.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram, skipWithout } from "./peer.ts";

/** A running Swift. */
export interface Swift {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  close(): Promise<void>;
}

const RINGS = ["account", "container", "object"] as const;
/** Debian's own: Swift's modules are its. */
const PYTHON = "/usr/bin/python3";
const PROGRAMS = ["memcached", "swift-proxy-server"].concat(
  RINGS.map((ring) => `swift-${ring}-server`),
);
const START_TIMEOUT_MS = 60_000;

/** Why tests with Swift are skipped; false when they run. */
export function skipWithoutSwift(): string | false {
  return skipWithout(
    "Swift (swift-proxy, swift-account, swift-container, swift-object, memcached)",
    [...PROGRAMS.map((name) => findProgram(name))],
  );
}

/** Starts Swift in a temporary directory. */
export async function startSwift(): Promise<Swift> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-swift-"));
  const etc = join(directory, "etc");
  mkdirSync(etc);
  mkdirSync(join(directory, "srv/d1"), { recursive: true });
  const [proxy = 0, memcached = 0, ...ports] = await freePorts(2 + RINGS.length);
  writeFileSync(
    join(etc, "swift.conf"),
    "[swift-hash]\nswift_hash_path_suffix = suffix\nswift_hash_path_prefix = prefix\n" +
      "[storage-policy:0]\nname = only\ndefault = yes\n",
  );
  const common = `bind_ip = 127.0.0.1\nuser = ${userInfo().username}\nswift_dir = ${etc}\nworkers = 0\n`;
  buildRings(etc, ports);
  RINGS.forEach((ring, index) => {
    writeFileSync(
      join(etc, `${ring}.conf`),
      `[DEFAULT]\n${common}bind_port = ${ports[index]}\ndevices = ${join(directory, "srv")}\n` +
        `mount_check = false\n[pipeline:main]\npipeline = ${ring}-server\n` +
        `[app:${ring}-server]\nuse = egg:swift#${ring}\n`,
    );
  });
  writeFileSync(join(etc, "proxy.conf"), proxyConfig(common, proxy, memcached));
  const run = (name: string, args: readonly string[]): ChildProcess =>
    start(name, args, etc, join(directory, `${name}.log`));
  const children = [
    run("memcached", ["-l", "127.0.0.1", "-p", String(memcached), "-u", userInfo().username]),
    ...RINGS.map((ring) => run(`swift-${ring}-server`, [`${ring}.conf`])),
    run("swift-proxy-server", ["proxy.conf"]),
  ];
  const endpoint = `http://127.0.0.1:${proxy}`;
  // The proxy answers before those behind it do.
  for (const port of ports) await untilItAnswers(`http://127.0.0.1:${port}`, children);
  await untilItAnswers(endpoint, children);
  return {
    endpoint,
    region: "us-east-1",
    accessKeyId: "test:tester",
    secretAccessKey: "testing",
    async close() {
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(children.map((child) => child.exitCode ?? once(child, "exit")));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** All rings in one Python process: the tool for it takes a second for each step. */
function buildRings(etc: string, ports: readonly number[]): void {
  const script = `
import sys
from swift.common.ring import RingBuilder
etc, rings, ports = sys.argv[1], sys.argv[2].split(","), sys.argv[3].split(",")
for ring, port in zip(rings, ports):
    builder = RingBuilder(4, 1, 1)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "d1", "weight": 1})
    builder.rebalance()
    builder.get_ring().save(f"{etc}/{ring}.ring.gz")
`;
  const args = ["-c", script, etc, RINGS.join(","), ports.join(",")];
  const { status, stderr } = spawnSync(PYTHON, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`Swift's rings could not be built: ${stderr}`);
}

function proxyConfig(common: string, port: number, memcached: number): string {
  return `[DEFAULT]
${common}bind_port = ${port}
[pipeline:main]
pipeline = catch_errors cache s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${memcached}
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
`;
}

function start(name: string, args: readonly string[], cwd: string, log: string): ChildProcess {
  const output = openSync(log, "a");
  const env = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", SWIFT_DIR: cwd };
  return spawn(findProgram(name) ?? name, args, { cwd, env, stdio: ["ignore", output, output] });
}

async function untilItAnswers(endpoint: string, children: readonly ChildProcess[]): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const answered = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (answered) return;
    const dead = children.find((child) => child.exitCode !== null);
    if (dead !== undefined || performance.now() > deadline) {
      for (const child of children) child.kill("SIGKILL");
      throw new Error(`Swift did not start: ${dead?.spawnfile ?? "it took too long"}`);
    }
    await sleep(50);
  }
}

async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer());
  for (const probe of probes) {
    probe.listen(0, "127.0.0.1");
    await once(probe, "listening");
  }
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  return ports;
}
