// Vendors' documents on the move: gathered from files, folders and caches into one file, and from there into a cache, where
// each is a file named by its digest. What is written is whole or not there, whenever the process ends.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { HoldfastError, messageOf, webCrypto } from "@holdfast/core";
import {
  type BundleItem,
  bundleItems,
  type CollateralBundle,
  encodeCollateralBundle,
  MAXIMUM_ENDORSEMENT,
  parseCollateralBundle,
} from "@holdfast/evidence";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { readSmallFile, writeWholeFile } from "../files.ts";
import { gatherEndorsements } from "./gather-files.ts";

/** What was exported or imported. */
export interface MovedCollateral extends CollateralBundle {
  readonly path: string;
  /** Files that held nothing for a bundle, with the reason. */
  readonly ignored: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Gathers documents into a bundle.
 * @throws CliError CLI_INPUT when there are none
 */
export async function exportCollateral(
  { clock }: Context,
  paths: readonly string[],
  out: string,
): Promise<MovedCollateral> {
  const endorsements = await gatherEndorsements(paths, out);
  const items = await bundleItems(endorsements, webCrypto);
  if (items.length === 0) {
    throw new CliError("CLI_INPUT", `${paths.join(", ")}: no vendor's documents there`, {
      hint: "name files, folders or a cache with certificates, revocation lists or collateral",
    });
  }
  const bundle = { made: clock.now(), items };
  await writeWholeFile(out, await encodeCollateralBundle(bundle, webCrypto));
  return { ...bundle, path: out, ignored: endorsements.ignored };
}

/** Puts a bundle's documents into a cache; those that are there stay. */
export async function importCollateral(path: string, cache: string): Promise<MovedCollateral> {
  const bundle = await readBundle(path);
  await mkdir(cache, { recursive: true, mode: 0o700 });
  for (const item of bundle.items) await writeWholeFile(join(cache, fileOf(item)), item.bytes);
  return { ...bundle, path: cache, ignored: [] };
}

/**
 * Reads a bundle.
 * @throws CliError CLI_INPUT when it is damaged, or none
 */
export async function readBundle(path: string): Promise<CollateralBundle> {
  const bytes = await readSmallFile(path, "bundle", MAXIMUM_ENDORSEMENT);
  try {
    return await parseCollateralBundle(bytes, webCrypto);
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw new CliError("CLI_INPUT", `bundle ${path}: ${messageOf(cause)}`, {
      cause,
      hint: "make it again with: holdfast evidence collateral export",
    });
  }
}

function fileOf({ kind, sha256 }: BundleItem): string {
  return `${sha256}.${kind === "intel-document" ? "json" : "der"}`;
}
