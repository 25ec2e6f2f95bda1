// `holdfast evidence collateral`: vendors' documents into one file, out of it, and what it holds.
import type { Command } from "commander";
import { newCommand, newGroup } from "../command.ts";
import type { Context } from "../context.ts";
import { exportCollateral, importCollateral, readBundle } from "../evidence/collateral-bundle.ts";
import { tellCollateral } from "../evidence/tell-collateral.ts";

/** `evidence collateral …`. */
export function collateralCommands(context: Context): Command {
  return newGroup("collateral", "carry vendors' documents to where no vendor can be asked", [
    exportCommand(context),
    importCommand(context),
    showCommand(context),
  ]);
}

function exportCommand(context: Context): Command {
  return newCommand("export", {
    summary: "put vendors' documents into one file",
    description:
      "Gathers certificates, revocation lists and Intel's documents of files and folders, an attestation service's cache " +
      "among them, into one file with the digest of each. Give it to evidence verify as --endorsements, or to an " +
      "attestation service in its collateral_dir. Enrolled keys are left out: they are yours to enroll.",
    examples: [
      "holdfast evidence collateral export collateral/ --out bundle.json",
      "holdfast evidence collateral export trust-data/collateral vcek.der --out bundle.json",
    ],
  })
    .argument("<path...>", "files and folders")
    .requiredOption("--out <file>", "the bundle")
    .action(async (paths: readonly string[], { out }: { out: string }) => {
      tellCollateral(context, "written", await exportCollateral(context, paths, out));
    });
}

function importCommand(context: Context): Command {
  return newCommand("import", {
    summary: "put a bundle's documents into a cache",
    description:
      "Checks a bundle's digests and writes each document into a folder, named by its digest; evidence verify uses it as " +
      "--collateral-cache. Documents that are there already stay.",
    examples: ["holdfast evidence collateral import bundle.json --cache ~/.cache/holdfast"],
  })
    .argument("<bundle>", "the bundle")
    .requiredOption("--cache <folder>", "where documents are kept")
    .action(async (path: string, { cache }: { cache: string }) => {
      tellCollateral(context, "imported into", await importCollateral(path, cache));
    });
}

function showCommand(context: Context): Command {
  return newCommand("show", {
    summary: "show what a bundle holds",
    description: "Checks a bundle's digests and shows its documents with their dates.",
    examples: ["holdfast evidence collateral show bundle.json"],
  })
    .argument("<bundle>", "the bundle")
    .action(async (path: string) => {
      tellCollateral(context, "bundle", { ...(await readBundle(path)), path, ignored: [] });
    });
}
