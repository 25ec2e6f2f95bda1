// `evidence verify`: evidence of one file judged by the one verifier, with what the command line gave beside it.
import { createHash } from "node:crypto";
import { type Certificate, HoldfastError, messageOf, webCrypto } from "@holdfast/core";
import {
  type Appraisal,
  type Description,
  describeEvidence,
  type Endorsements,
  MAXIMUM_EVIDENCE,
  readEndorsements,
  type TcbStatus,
  verifyEvidence,
} from "@holdfast/evidence";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { readSmallFile } from "../files.ts";
import { gatherEndorsements } from "./gather-files.ts";
import { expectationsFor, type VerifyOptions } from "./verify-options.ts";

/** Evidence, judged. */
export interface JudgedFile {
  readonly path: string;
  readonly appraisal: Appraisal;
  /** What the evidence says, proven or not; undefined when it can't be read. */
  readonly description: Description | undefined;
  readonly endorsements: Endorsements;
}

/** Judges a file. */
export async function judgeFile(
  { clock }: Context,
  path: string,
  options: VerifyOptions,
): Promise<JudgedFile> {
  const bytes = await readSmallFile(path, "evidence", MAXIMUM_EVIDENCE);
  const endorsements = await gatherEndorsements(
    options.endorsements ?? [],
    path,
    options.collateralCache,
  );
  const anchors = await readRoots(options.root ?? []);
  const description = await describeIfReadable(bytes, endorsements);
  const expect = expectationsFor(options.expect ?? [], description?.claims ?? {});
  const reportData = await reportDataOf(options);
  const levels = (expect.get("vmpl") ?? []).map(Number);
  const appraisal = await verifyEvidence(bytes, {
    at: options.at instanceof Date ? options.at : clock.now(),
    atOwnTime: options.at === "document",
    crypto: webCrypto,
    endorsements,
    anchors,
    expect,
    allowDebug: options.allowDebug ?? false,
    waive: options.waive ?? [],
    ...(options.type === undefined ? {} : { type: options.type }),
    ...(options.nonce === undefined ? {} : { nonce: options.nonce }),
    ...(reportData === undefined ? {} : { reportData }),
    // Who expects a privilege level has judged whether it may ask for reports.
    ...(levels.length === 0 ? {} : { snp: { vmpl: levels } }),
    ...(options.acceptTcb === undefined
      ? {}
      : { intel: { tcbStatuses: ["UpToDate", ...(options.acceptTcb as TcbStatus[])] } }),
  });
  return { path, appraisal, description, endorsements };
}

/** What evidence says; undefined when it can't be read, which the verdict then says. */
async function describeIfReadable(
  bytes: Uint8Array,
  endorsements: Endorsements,
): Promise<Description | undefined> {
  try {
    return await describeEvidence(bytes, { crypto: webCrypto, endorsements });
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown;
    return undefined;
  }
}

/** Roots to trust beside the vendors' own, PEM or DER. */
export async function readRoots(paths: readonly string[]): Promise<Certificate[]> {
  const roots = paths.map(async (path) => {
    const bytes = await readSmallFile(path, "root");
    const { certificates, ignored } = readEndorsements([{ name: path, bytes }]);
    if (certificates.length === 0) {
      throw new CliError("CLI_INPUT", `${path} holds no certificate`, {
        cause: ignored[0]?.reason,
      });
    }
    return certificates;
  });
  return (await Promise.all(roots)).flat();
}

async function reportDataOf({ reportData, csr }: VerifyOptions): Promise<Uint8Array | undefined> {
  if (csr === undefined) return reportData;
  if (reportData !== undefined) {
    throw new CliError("CLI_USAGE", "--csr and --report-data both name what must be carried");
  }
  try {
    const bytes = await readSmallFile(csr, "certificate request");
    return createHash("sha256").update(bytes).digest();
  } catch (thrown) {
    throw thrown instanceof CliError
      ? thrown
      : new CliError("CLI_INPUT", messageOf(thrown), { cause: thrown });
  }
}
