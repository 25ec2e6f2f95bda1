// Free loopback ports. What is free now may be taken in a moment, so whoever listens still has to cope.
import { randomInt } from "node:crypto";
import { createServer, type Server } from "node:net";
import { CliError } from "../errors.ts";

const HOST = "127.0.0.1";
const RANGE_FIRST = 21_000;
const RANGE_LAST = 31_000;
const RANGE_STEP = 16;

/**
 * The first of `count` free ports in a row, below those that systems hand out for outgoing connections.
 * Different callers look in different places first.
 * @throws CliError CLI_PROCESS when there are none
 */
export async function freePortRange(count: number): Promise<number> {
  const steps = Math.floor((RANGE_LAST - RANGE_FIRST) / RANGE_STEP);
  const start = randomInt(steps);
  for (let step = 0; step < steps; step += 1) {
    const base = RANGE_FIRST + ((start + step) % steps) * RANGE_STEP;
    const servers = await Promise.all(
      Array.from({ length: count }, (_, index) => listen(base + index)),
    );
    await Promise.all(servers.map(close));
    if (servers.every((server) => server !== undefined)) return base;
  }
  throw new CliError("CLI_PROCESS", `no ${count} free ports in a row on ${HOST}`);
}

/**
 * Refuses ports that somebody listens on: his answers would be taken for ours.
 * @throws CliError CLI_PROCESS
 */
export async function requireFree(ports: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    const server = await listen(port);
    await close(server);
    if (server !== undefined) continue;
    throw new CliError("CLI_PROCESS", `port ${port}, for ${name}, is taken`, {
      hint: `end what listens there, or choose another: --ports ${name}=PORT`,
    });
  }
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, HOST, () => resolve(server));
  });
}

function close(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (server === undefined) resolve();
    else server.close(() => resolve());
  });
}
