// A way to a port of this machine that can be shut, as a service that is away, and opened again.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A gate. */
export interface Gate {
  readonly url: string;
  /** Where it leads; it may be said once that is known. */
  leadTo(port: number): void;
  open(): void;
  /** Breaks what goes through, and lets nobody in any more. */
  shut(): void;
  close(): void;
}

/** Makes a gate that is open, and leads nowhere yet. */
export async function newGate(): Promise<Gate> {
  const through = new Set<Socket>();
  let target = 0;
  let isOpen = true;
  const server = createServer((near) => {
    near.on("error", () => undefined);
    if (!isOpen) {
      near.destroy();
      return;
    }
    const far = connect(target, "127.0.0.1");
    far.on("error", () => undefined);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      through.add(one);
      one.pipe(other);
      one.once("close", () => {
        through.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const shut = (): void => {
    isOpen = false;
    for (const socket of through) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo(port) {
      target = port;
    },
    open() {
      isOpen = true;
    },
    shut,
    close() {
      shut();
      server.close();
    },
  };
}
