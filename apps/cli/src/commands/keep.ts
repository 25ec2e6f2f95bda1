// `holdfast keep`: build the bundle that runs inside, and say what it measures to.
import type { Command } from "commander";
import { newCommand, newGroup } from "../command.ts";
import type { Context } from "../context.ts";
import { buildKeep, type KeepBundle, measureBundle } from "../processes/build.ts";
import { BUILT } from "../processes/checkout.ts";

/** `keep …`. */
export function keepCommands(context: Context): Command {
  return newGroup("keep", "the bundle that runs inside: build it, measure it", [
    newCommand("build", {
      summary: "build the keep's bundle when it is missing or older than its sources",
      description:
        "Builds the keep's one bundle. The same sources give the same bytes, so anyone can build it and compare.",
      examples: ["holdfast keep build"],
    }).action(async () => {
      const { built, ...bundle } = await buildKeep(context);
      context.terminal.line(built ? "built" : "up to date");
      tellBundle(context, bundle);
    }),
    newCommand("measure", {
      summary: "say what a bundle measures to",
      description:
        "Prints PCR0 (SHA-384 of the bundle) and the measurement that policies name (its first 32 bytes).",
      examples: ["holdfast keep measure", "holdfast keep measure other/keep.mjs"],
    })
      .argument("[bundle]", "bundle file; the one built here when not given")
      .action(async (path: string | undefined) => {
        tellBundle(context, await measureBundle(path ?? BUILT.keepBundle));
      }),
  ]);
}

function tellBundle({ terminal }: Context, { path, sha384, measurement }: KeepBundle): void {
  terminal.line(`bundle       ${path}`);
  terminal.line(`PCR0         ${sha384}`);
  terminal.line(`measurement  ${measurement}`);
  terminal.result({ ok: true, bundle: path, sha384, measurement });
}
