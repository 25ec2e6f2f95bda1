// A real Chromium from Debian's packages without a window, spoken to over its DevTools protocol: a page is opened, an
// expression evaluated in it, its value handed back.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findProgram, skipWithout } from "../peers/peer.ts";

/** Why tests in a browser are skipped; false when they run. */
export function skipWithoutChromium(): string | false {
  return skipWithout("Chromium", [program()]);
}

/** A page. */
export interface Page {
  /** Evaluates an expression, a promise awaited; its value must be JSON. */
  evaluate(expression: string): Promise<unknown>;
}

/** A running browser. */
export interface Browser {
  /** Opens an address and waits until it is loaded. */
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-port=0",
];
const LISTENING = /^DevTools listening on (ws:\S+)$/;

/** Starts a browser with a profile of its own. */
export async function startChromium(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), "holdfast-chromium-"));
  const child = spawn(program() ?? "", [...FLAGS, `--user-data-dir=${profile}`, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const devTools = await connect(await addressOf(child));
  return {
    async open(url) {
      const { targetId } = await devTools.call("Target.createTarget", { url: "about:blank" });
      const attached = await devTools.call("Target.attachToTarget", { targetId, flatten: true });
      const session = String(attached["sessionId"]);
      await devTools.call("Page.enable", {}, session);
      const loaded = devTools.event("Page.loadEventFired", session);
      await devTools.call("Page.navigate", { url }, session);
      await loaded;
      return { evaluate: (expression) => evaluate(devTools, session, expression) };
    },
    async close() {
      devTools.close();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill();
        await once(child, "exit");
      }
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function program(): string | undefined {
  return findProgram("chromium");
}

async function addressOf(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error("Chromium has no standard error");
  for await (const line of createInterface({ input: child.stderr })) {
    const [, address] = LISTENING.exec(line) ?? [];
    if (address !== undefined) {
      // What it says further on is nobody's concern, but must be taken.
      child.stderr.resume();
      return address;
    }
  }
  throw new Error("Chromium ended before it listened");
}

type Members = Readonly<Record<string, unknown>>;

interface DevTools {
  call(method: string, params: Members, session?: string): Promise<Members>;
  event(method: string, session: string): Promise<void>;
  close(): void;
}

async function connect(address: string): Promise<DevTools> {
  const socket = new WebSocket(address);
  const answers = new Map<number, PromiseWithResolvers<Members>>();
  const events = new Map<string, () => void>();
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Members;
    const waiting = answers.get(Number(message["id"]));
    if (waiting === undefined) events.get(`${message["sessionId"]} ${message["method"]}`)?.();
    else if (message["error"] === undefined) waiting.resolve(message["result"] as Members);
    else waiting.reject(new Error(JSON.stringify(message["error"])));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("DevTools can't be reached")));
  });
  socket.addEventListener("close", () => {
    for (const { reject } of answers.values()) reject(new Error("Chromium went away"));
  });
  let last = 0;
  return {
    call(method, params, sessionId) {
      last += 1;
      const answer = Promise.withResolvers<Members>();
      answers.set(last, answer);
      socket.send(JSON.stringify({ id: last, method, params, sessionId }));
      return answer.promise;
    },
    event: (method, session) =>
      new Promise((resolve) => events.set(`${session} ${method}`, resolve)),
    close: () => socket.close(),
  };
}

async function evaluate(devTools: DevTools, session: string, expression: string): Promise<unknown> {
  const params = { expression, awaitPromise: true, returnByValue: true };
  const answer = await devTools.call("Runtime.evaluate", params, session);
  const { result, exceptionDetails } = answer as {
    result?: { value?: unknown };
    exceptionDetails?: { text: string; exception?: { description?: string } };
  };
  if (exceptionDetails !== undefined) {
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }
  return result?.value;
}
