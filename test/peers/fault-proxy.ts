// Stands between two that speak over TCP, and cuts, stalls or corrupts what passes when told to.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What goes wrong, and where. */
export interface Fault {
  readonly kind: "cut" | "stall" | "corrupt";
  /** Toward the target, or back from it. */
  readonly direction: "up" | "down";
  /** Bytes of a connection, in that direction, that pass unharmed. */
  readonly after: number;
  /** Connections that pass unharmed first; none by default. */
  readonly skip?: number;
  /** How many connections it strikes after them; 1 by default. */
  readonly times?: number;
  /** Connections that still get through after it struck first; any number by default. */
  readonly connectionsAfter?: number;
  /** Awaited when it strikes first. */
  readonly onStrike?: () => Promise<unknown>;
}

/** A proxy that listens. */
export interface FaultProxy {
  readonly url: string;
  /** How often the present fault struck. */
  readonly struck: number;
  /** Makes things go wrong, from the next byte on; nothing when absent. */
  set(fault?: Fault): void;
  close(): Promise<void>;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Starts a proxy in front of a target. */
export async function startFaultProxy(
  target: Place,
  listen: Place = { host: "127.0.0.1", port: 0 },
): Promise<FaultProxy> {
  const path = new SpoiledPath(target);
  const server = createServer({ pauseOnConnect: true }, (client) => path.serve(client));
  server.listen(listen.port, listen.host);
  await once(server, "listening");
  return {
    url: `http://${listen.host}:${(server.address() as AddressInfo).port}`,
    get struck() {
      return path.struck;
    },
    set: (fault) => path.set(fault),
    close: async () => {
      path.end();
      server.close();
      await once(server, "close");
    },
  };
}

class SpoiledPath {
  struck = 0;
  readonly #target: Place;
  readonly #sockets = new Set<Socket>();
  #fault: Fault | undefined;
  #connections = 0;
  #connectionsLeft = Number.POSITIVE_INFINITY;

  constructor(target: Place) {
    this.#target = target;
  }

  set(fault?: Fault): void {
    this.#fault = fault;
    this.struck = 0;
    this.#connections = 0;
    this.#connectionsLeft = Number.POSITIVE_INFINITY;
    // What stands still would stand for ever.
    if (fault === undefined) this.end();
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  serve(client: Socket): void {
    this.#connectionsLeft -= 1;
    if (this.#connectionsLeft < 0) {
      client.destroy();
      return;
    }
    this.#connections += 1;
    const isSpared = this.#connections <= (this.#fault?.skip ?? 0);
    const server = connect(this.#target.port, this.#target.host);
    const both = [client, server];
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        for (const each of both) each.destroy();
      });
    }
    this.#pass(client, server, isSpared ? undefined : "up", both);
    this.#pass(server, client, isSpared ? undefined : "down", both);
    client.resume();
  }

  #pass(
    from: Socket,
    to: Socket,
    direction: Fault["direction"] | undefined,
    both: readonly Socket[],
  ): void {
    let passed = 0;
    from.on("data", (part: Buffer) => {
      const begin = passed;
      passed += part.length;
      const fault = this.#fault;
      if (
        fault === undefined ||
        fault.direction !== direction ||
        begin > fault.after ||
        passed <= fault.after
      ) {
        this.#write(part, from, to);
        return;
      }
      if (this.struck >= (fault.times ?? 1)) {
        this.#write(part, from, to);
        return;
      }
      this.#strike(fault, part, fault.after - begin, from, to, both);
    });
    from.once("end", () => to.end());
  }

  #strike(
    fault: Fault,
    part: Buffer,
    at: number,
    from: Socket,
    to: Socket,
    both: readonly Socket[],
  ): void {
    this.struck += 1;
    if (this.struck === 1)
      this.#connectionsLeft = fault.connectionsAfter ?? Number.POSITIVE_INFINITY;
    if (fault.kind === "corrupt") {
      part[at] = (part[at] ?? 0) ^ 1;
      this.#write(part, from, to);
      return;
    }
    if (at > 0) to.write(part.subarray(0, at));
    for (const each of both) each.pause();
    if (fault.kind === "stall") return;
    const cut = (): void => {
      for (const each of both) each.destroy();
    };
    const before = this.struck === 1 ? fault.onStrike?.() : undefined;
    Promise.resolve(before).then(cut, cut);
  }

  #write(part: Buffer, from: Socket, to: Socket): void {
    if (to.write(part)) return;
    from.pause();
    to.once("drain", () => from.resume());
  }
}
