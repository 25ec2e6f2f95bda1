// TLS connections that our own client would not make.
import { once } from "node:events";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";

/** Connects without judging anybody; rejects when the handshake fails. */
export async function rawTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return socket;
}

/** Sends text and gives all that comes back until the other side closes; a reset is an end too. */
export async function conversation(socket: TLSSocket, text: string | Uint8Array): Promise<string> {
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  const over = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
    socket.on("error", () => resolve());
  });
  socket.write(text);
  await over;
  return Buffer.concat(parts).toString("latin1");
}
