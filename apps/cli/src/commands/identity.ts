// `holdfast identity new`: a key pair and self-signed certificate, as policies name people by.

import { existsSync } from "node:fs";
import { newIdentity } from "@holdfast/channel";
import { type Command, Option } from "commander";
import { newCommand, newGroup, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { writeWholeFile } from "../files.ts";

interface NewOptions {
  readonly name: string;
  readonly days: number;
  readonly force?: boolean;
}

/** `identity …`. */
export function identityCommands(context: Context): Command {
  return newGroup("identity", "keys and certificates that policies name people by", [
    newCommand("new", {
      summary: "make a private key and its certificate",
      description:
        "Makes a P-256 key and a self-signed certificate: PREFIXcert.pem and PREFIXkey.pem, the key for its owner alone.",
      examples: [
        "holdfast identity new USER",
        "holdfast identity new camera --name 'front door' --days 30",
      ],
    })
      .argument("<prefix>", "how the two file names begin")
      .addOption(
        new Option("--name <text>", "common name in the certificate")
          .default("holdfast user")
          .argParser(parsed(parseName, "1 to 64 printable characters")),
      )
      .addOption(
        new Option("--days <number>", "how long the certificate is valid")
          .default(365)
          .argParser(parsed(parseDays, "a whole number from 1 to 3650")),
      )
      .option("--force", "write over files that are there")
      .action((prefix: string, options: NewOptions) => makeIdentity(context, prefix, options)),
  ]);
}

async function makeIdentity(
  context: Context,
  prefix: string,
  { name, days, force }: NewOptions,
): Promise<void> {
  const files = { certificate: `${prefix}cert.pem`, key: `${prefix}key.pem` };
  const present = Object.values(files).find((path) => existsSync(path));
  if (present !== undefined && !force) {
    throw new CliError("CLI_FILE", `${present} is there already`, {
      hint: "choose another prefix, or write over it with --force",
    });
  }
  const identity = await newIdentity({ commonName: name, clock: context.clock, days });
  await writeWholeFile(files.key, identity.keyPem, { secret: true });
  await writeWholeFile(files.certificate, `${identity.certificatePem}\n`);
  context.terminal.line(`certificate in ${files.certificate}, private key in ${files.key}`);
  context.terminal.result({ ok: true, ...files });
}

function parseName(text: string): string | undefined {
  return /^[\x20-\x7e]{1,64}$/.test(text) ? text : undefined;
}

function parseDays(text: string): number | undefined {
  const days = Number(text);
  return /^\d{1,4}$/.test(text) && days >= 1 && days <= 3650 ? days : undefined;
}
