// `holdfast seal`: makes of a file what may lie anywhere, for a keep to fetch and open with a key that is released to it.
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { sealFile } from "@holdfast/channel";
import type { Command } from "commander";
import { newCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { isSameFile, sizeOfFile, writeWholeFile } from "../files.ts";
import { readKeyFile, writeNewKeyFile } from "../sealing/key-file.ts";

interface SealOptions {
  readonly key: string;
  readonly newKey?: boolean;
}

/** A file as policies speak of it. */
interface Described {
  readonly sha256: string;
  readonly size: number;
}

const PART_BYTES = 1 << 20;
/** What AES-GCM seals under one nonce at most (NIST SP 800-38D). */
const MOST_BYTES = 2 ** 36 - 32;

/** `seal`. */
export function sealCommand(context: Context): Command {
  return newCommand("seal", {
    summary: "encrypt a file for keeps to fetch by themselves",
    description: `Encrypts a file with AES-256-GCM, so that it may lie in a place that nobody has
to trust. A policy names place, digest, size and key under inputs; holdfast key
put leaves the key with the attestation service, which releases it to the keeps
that it is for.`,
    examples: [
      "holdfast seal model.weights model.sealed --key model.key --new-key",
      "holdfast seal names.txt names.sealed --key model.key --json",
    ],
  })
    .argument("<in>", "the file")
    .argument("<out>", "the sealed file, written whole or not at all")
    .requiredOption("--key <file>", "file of the key, for its owner alone; - for standard input")
    .option("--new-key", "make the key first, and write it to that file")
    .action((from: string, to: string, options: SealOptions) => seal(context, from, to, options));
}

async function seal(
  context: Context,
  from: string,
  to: string,
  options: SealOptions,
): Promise<void> {
  for (const [path, what] of [
    [from, "the file itself"],
    [options.key, "its key"],
  ] as const) {
    if (!(await isSameFile(path, to))) continue;
    throw new CliError("CLI_USAGE", `a sealed file does not take the place of ${what}`, {
      hint: "give another path for the sealed file",
    });
  }
  if (options.newKey === true && options.key === "-") {
    throw new CliError("CLI_USAGE", "--new-key makes a file, and --key - names none", {
      hint: "--key FILE --new-key",
    });
  }
  // Before a key is made that nothing would be sealed with.
  const size = await sizeOfFile(from, "file");
  if (size > MOST_BYTES) {
    throw new CliError("CLI_INPUT", `${from} is over ${MOST_BYTES} bytes, too long to be sealed`, {
      hint: "split it, and give each part a path of its own in the policy",
    });
  }
  const key =
    options.newKey === true
      ? await writeNewKeyFile(options.key)
      : await readKeyFile(options.key, context);
  const progress = context.terminal.progress(`sealing ${from}`, size);
  const plain = counting((bytes) => {
    context.interrupted.throwIfAborted();
    progress.update(bytes);
  });
  const sealed = counting();
  const source = createReadStream(from, { highWaterMark: PART_BYTES });
  try {
    await writeWholeFile(to, sealed.through(sealFile(key, plain.through(source))));
  } catch (thrown) {
    // Nothing is sealed with it.
    if (options.newKey === true) await rm(options.key, { force: true });
    throw thrown;
  } finally {
    progress.end();
  }
  tell(context, to, { plain: plain.described(), sealed: sealed.described() });
}

function tell(
  { terminal }: Context,
  to: string,
  { plain, sealed }: { readonly plain: Described; readonly sealed: Described },
): void {
  terminal.line(`plain   ${plain.sha256}  ${plain.size} bytes`);
  terminal.line(`sealed  ${sealed.sha256}  ${sealed.size} bytes  ${to}`);
  terminal.result({ ok: true, file: to, plain, sealed });
}

interface Counting {
  through(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
  described(): Described;
}

/** Digest and length of what goes through. */
function counting(onBytes?: (bytes: number) => void): Counting {
  const hash: Hash = createHash("sha256");
  let size = 0;
  return {
    async *through(parts) {
      for await (const part of parts) {
        hash.update(part);
        size += part.length;
        onBytes?.(size);
        yield part;
      }
    },
    described: () => ({ sha256: hash.digest("hex"), size }),
  };
}
