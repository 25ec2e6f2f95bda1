// `holdfast serve object-store`: the demo's S3 endpoint, for trying things out without AWS.
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { newCommand, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { readTextFile } from "../files.ts";
import { untilInterrupted } from "../processes/until-interrupted.ts";

interface StoreOptions {
  readonly directory: string;
  readonly bucket: string;
  readonly port: number;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretFile?: string;
}

/** `serve object-store`. */
export function objectStoreCommand(context: Context): Command {
  return newCommand("object-store", {
    summary: "a small S3 endpoint on loopback that checks signatures",
    description:
      "Keeps objects in a folder and answers S3 requests on 127.0.0.1; every request must be signed (version 4).\n" +
      "For trials: it is not an archive.",
    examples: [
      "holdfast serve object-store --secret-file secret.txt",
      "holdfast serve object-store --bucket videos --port 9000 --secret-file secret.txt",
    ],
  })
    .option("--directory <dir>", "where objects are kept", "holdfast-objects")
    .addOption(
      new Option("--bucket <name>", "the one bucket")
        .default("videos")
        .argParser(parsed(parseBucket, "a bucket name of 3 to 63 lower-case characters")),
    )
    .addOption(
      new Option("--port <number>", "port; 0 takes a free one")
        .default(9000)
        .argParser(parsed(parsePort, "a port number")),
    )
    .option("--region <name>", "region of signatures", "us-east-1")
    .option("--access-key-id <id>", "key id of signatures", "holdfast")
    .option("--secret-file <file>", "file with the secret key; standard input when not given")
    .action((options: StoreOptions) => serveObjects(context, options));
}

async function serveObjects(context: Context, options: StoreOptions): Promise<void> {
  const secretAccessKey = (
    options.secretFile === undefined
      ? await readAll(context.stdin)
      : await readTextFile(options.secretFile, "secret")
  ).trim();
  if (secretAccessKey.length < 8) {
    throw new CliError("CLI_INPUT", "the secret key is shorter than 8 characters");
  }
  const { startObjectStore } = await import("../object-store/object-store.ts");
  const store = await startObjectStore({
    directory: resolve(options.directory),
    bucket: options.bucket,
    credentials: {
      accessKeyId: options.accessKeyId,
      secretAccessKey,
      region: options.region,
    },
    listen: { host: "127.0.0.1", port: options.port },
    clock: context.clock,
    onRequest: (line) => context.terminal.note(line),
  });
  try {
    context.terminal.line(`object store at ${store.url}, bucket ${options.bucket}; Ctrl-C ends it`);
    context.terminal.result({ ok: true, url: store.url, bucket: options.bucket });
    await untilInterrupted(context, []);
  } finally {
    await store.close();
  }
}

async function readAll(stream: AsyncIterable<unknown>): Promise<string> {
  let text = "";
  for await (const part of stream) {
    text += String(part);
    if (text.length > 4096) throw new CliError("CLI_INPUT", "the secret key is too long");
  }
  return text;
}

function parseBucket(text: string): string | undefined {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text) ? text : undefined;
}

function parsePort(text: string): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port <= 65_535 ? port : undefined;
}
