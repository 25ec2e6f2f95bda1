// The logger of the control plane: JSON lines on standard output, with everything that could be a secret blotted out.
import pino, { type Logger } from "pino";

/** Members that must never be seen, at the depths where they could come up. */
const SECRET = [
  "key",
  "keyPem",
  "aws_secret_access_key",
  "aws_session_token",
  "secretAccessKey",
  "sessionToken",
  "authorization",
];

/** What is blotted out. */
export const redaction = {
  paths: SECRET.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]),
  censor: "[secret]",
};

/** Makes the logger. */
export function createLogger(level: string): Logger {
  return pino({ level, base: { app: "control" }, redact: redaction });
}
