// Whoever speaks plain HTTP to a TLS port is told so in plain HTTP, once, instead of being cut off without a word.
import type { Socket } from "node:net";
import type { Server } from "node:tls";
import { isLoopback } from "./names.ts";
import { rawAnswer } from "./raw-answer.ts";

type Peer = Pick<Socket, "remoteAddress" | "remotePort">;

/** How long whoever was answered may leave the connection open. */
const LEAVE_MS = 2000;

/**
 * Answers plain HTTP with a 400 that says what the port speaks.
 * @param authorityFile what clients are to trust, when that is known; told to this machine alone
 */
export function answerPlainHttp(server: Server, authorityFile?: string): void {
  // Node hands over the broken TLS end of a connection only; the words must go out beneath it.
  const beneath = new Map<string, Socket>();
  server.on("connection", (socket: Socket) => {
    const name = nameOf(socket);
    beneath.set(name, socket);
    socket.once("close", () => beneath.delete(name));
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, broken) => {
    const socket = beneath.get(nameOf(broken));
    if (error.code !== "ERR_SSL_HTTP_REQUEST" || socket === undefined) return;
    const isHere = isLoopback(socket.remoteAddress ?? "");
    socket.on("error", () => undefined);
    socket.end(answer(isHere ? authorityFile : undefined));
    setTimeout(() => socket.destroy(), LEAVE_MS).unref();
  });
}

function answer(authorityFile: string | undefined): string {
  const trust = authorityFile === undefined ? "" : `, and trust the authority in ${authorityFile}`;
  return rawAnswer({
    status: 400,
    title: "Bad Request",
    type: "text/plain; charset=utf-8",
    body: `This port speaks TLS: use https${trust}. Plain HTTP is for services started with --local-development.\n`,
  });
}

function nameOf({ remoteAddress, remotePort }: Peer): string {
  return `${remoteAddress} ${remotePort}`;
}
