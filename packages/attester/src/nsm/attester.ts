// Evidence of the real Nitro Security Module. Its device is held by a relay, a process of its own with no environment and
// no right but the device and native calls: whoever asks needs neither. A relay that ended is started again when next
// it is needed.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { Duplex, type Readable, type Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Attester, EvidenceInput } from "../attester.ts";
import { AttesterError } from "../errors.ts";
import { nsmOverStream } from "./client.ts";

/** How to reach the module. */
export interface NsmAccess {
  /** `/dev/nsm` unless told otherwise. */
  readonly device?: string;
  readonly timeoutMs?: number;
  /** The relay's environment; empty unless told otherwise. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** An attester with a process behind it. */
export interface NsmAttester extends Attester {
  /** Ends the relay. */
  close(): void;
}

const IS_SOURCE = import.meta.url.endsWith(".ts");
/** The relay's code: beside this file, as one file (`nsm-relay.mjs`) where this one is bundled. */
const RELAY = fileURLToPath(
  new URL(IS_SOURCE ? "relay-main.ts" : "nsm-relay.mjs", import.meta.url),
);
/** What the relay's code is read from. */
const READ = IS_SOURCE ? fileURLToPath(new URL("../../../../", import.meta.url)) : RELAY;
const LONGEST_WORDS = 1000;
/** How long to wait for the last words of a relay that is gone. */
const PATIENCE_MS = 2000;

/** An attester over `/dev/nsm`; nothing is started before it is asked. */
export function createNsmAttester(access: NsmAccess = {}): NsmAttester {
  let relay: Relay | undefined;
  return {
    async attest(input) {
      if (relay === undefined || relay.isGone) relay = new Relay(access);
      return await relay.attest(input);
    },
    close() {
      relay?.end();
    },
  };
}

/** One process that holds the device. */
class Relay {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #stream: Duplex;
  readonly #attester: Attester;
  readonly #closed: Promise<void>;
  readonly #device: string;
  #words = "";

  constructor({ device = "/dev/nsm", timeoutMs, environment = {} }: NsmAccess) {
    this.#device = device;
    this.#child = spawn(process.execPath, [...flagsFor(device), RELAY, device], {
      env: { ...environment },
      cwd: "/",
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#closed = new Promise((done) => {
      this.#child.once("close", done);
      this.#child.once("error", ({ message }) => {
        this.#words = message;
        done();
      });
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#words = (this.#words + text).slice(-LONGEST_WORDS);
    });
    const { stdout: readable, stdin: writable } = this.#child;
    // Its types know this pair of web streams only.
    this.#stream = Duplex.from({ readable, writable } as never);
    // The driver may hold the process for as long as it likes; nobody waits for it.
    this.#stream.once("close", () => this.end());
    this.#attester = nsmOverStream(this.#stream, timeoutMs === undefined ? {} : { timeoutMs });
  }

  /** Whether it can't be asked any more. */
  get isGone(): boolean {
    return this.#stream.destroyed || this.#child.exitCode !== null || this.#child.killed;
  }

  async attest(input: EvidenceInput): Promise<Uint8Array> {
    try {
      return await this.#attester.attest(input);
    } catch (thrown) {
      if (!(thrown instanceof AttesterError)) throw thrown;
      if (thrown.code === "ATTESTER_UNREACHABLE") {
        this.end();
        await Promise.race([this.#closed, after(PATIENCE_MS)]);
      }
      const words = this.#words.trim().split("\n").at(-1);
      const why = words ? `${thrown.message}; its relay: ${words}` : thrown.message;
      throw new AttesterError(thrown.code, `${this.#device}: ${why}`, { cause: thrown });
    }
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

function flagsFor(device: string): string[] {
  return [
    "--permission",
    "--allow-ffi",
    `--allow-fs-read=${READ}`,
    `--allow-fs-read=${device}`,
    `--allow-fs-write=${device}`,
    "--no-addons",
    "--no-warnings",
    "--disable-sigusr1",
    "--disable-proto=delete",
    "--disallow-code-generation-from-strings",
    "--unhandled-rejections=strict",
  ];
}

async function after(milliseconds: number): Promise<void> {
  await new Promise<void>((done) => setTimeout(done, milliseconds).unref());
}
