// `holdfast demo`: the whole story on one machine.
import type { Command } from "commander";
import { newCommand } from "../command.ts";
import type { Context } from "../context.ts";
import type { DemoOptions } from "../demo/run-demo.ts";
import { CliError } from "../errors.ts";

/** `demo`. */
export function demoCommand(context: Context): Command {
  return newCommand("demo", {
    summary: "an encrypted video goes through an attested keep, end to end",
    description:
      "Starts everything on free loopback ports in a temporary directory: a function is registered, a keep started and\n" +
      "judged, a key put in, an encrypted video streamed from S3, objects found, pictures and a signed receipt fetched.\n" +
      "Then it shows what an attacker saw, tries to cheat, and ends everything it started. Without TEE hardware the\n" +
      "platform is SIMULATED.",
    examples: [
      "holdfast demo",
      "holdfast demo --out results --keep-running",
      "holdfast demo --model ~/yolov3-tiny --video in_enc.h264 --key key --iv iv",
    ],
  })
    .option(
      "--out <dir>",
      "where pictures, detections, policy and receipt go; a temporary folder when not given",
    )
    .option("--model <dir>", "your own darknet model: .names, .cfg and .weights")
    .option(
      "--model-name <name>",
      "which of several models in the folder: NAME.cfg and NAME.weights",
    )
    .option("--video <file>", "your own H.264 video (baseline profile), encrypted with AES-128-CTR")
    .option("--key <file>", "its key, 16 bytes")
    .option("--iv <file>", "its initialisation vector, 16 bytes")
    .option("--keep-running", "leave everything running until Ctrl-C")
    .action(async (options: DemoOptions) => {
      requireTogether(options);
      // Loaded when it is wanted: it brings an S3 client along.
      const { runDemo } = await import("../demo/run-demo.ts");
      await runDemo(context, options);
    });
}

function requireTogether({ video, key, iv, model, modelName }: DemoOptions): void {
  const given = [video, key, iv].filter((each) => each !== undefined).length;
  if (given !== 0 && given !== 3) {
    throw new CliError("CLI_USAGE", "--video, --key and --iv are given together or not at all", {
      hint: "the video must be encrypted already: openssl enc -aes-128-ctr -K HEX -iv HEX",
    });
  }
  if (modelName !== undefined && model === undefined) {
    throw new CliError("CLI_USAGE", "--model-name needs --model", {
      hint: "give the folder with --model DIR",
    });
  }
}
