// The yardstick: a plain TLS 1.3 server in a process of its own, with Node's own streams and nothing else. Per
// connection the client says how many bytes go which way; nothing is stored, hashed or parsed.
// Started by the bench; standard input: {keyPem, certificatePem, ciphers}.
import { createServer, type TLSSocket } from "node:tls";

const HEAD_BYTES = 16;
const part = Buffer.alloc(1 << 20, 7);

let text = "";
for await (const piece of process.stdin.setEncoding("utf8")) text += piece;
const given = JSON.parse(text) as { keyPem: string; certificatePem: string; ciphers: string };

const server = createServer(
  {
    key: given.keyPem,
    cert: given.certificatePem,
    ca: given.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
    allowPartialTrustChain: true,
    minVersion: "TLSv1.3",
    ciphers: given.ciphers,
  },
  (socket) => serve(socket),
);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`${port}\n`);
});

/** Takes as many bytes as announced, gives as many as asked for, then answers with one byte. */
function serve(socket: TLSSocket): void {
  let head = Buffer.alloc(0);
  let expected = -1;
  let received = 0;
  socket.on("error", () => socket.destroy());
  socket.on("data", (piece: Buffer) => {
    let body = piece;
    if (expected < 0) {
      head = Buffer.concat([head, piece]);
      if (head.length < HEAD_BYTES) return;
      expected = Number(head.readBigUInt64BE(0));
      body = head.subarray(HEAD_BYTES);
    }
    received += body.length;
    if (received >= expected) give(socket, Number(head.readBigUInt64BE(8)));
  });
}

function give(socket: TLSSocket, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0) {
      const size = Math.min(left, part.length);
      left -= size;
      if (!socket.write(size === part.length ? part : part.subarray(0, size))) {
        socket.once("drain", more);
        return;
      }
    }
    socket.end("x");
  };
  more();
}
