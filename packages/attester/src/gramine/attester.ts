// SGX quotes inside Gramine and Occlum: pseudo-files that take report data and give a quote made over it. The two writes
// and reads of one request must not mix with those of another, so requests go one at a time.
import { messageOf, toText } from "@holdfast/core";
import { AttesterError } from "../errors.ts";
import { checkReportData, type PlatformReport, type ReportAttester } from "../tsm/attester.ts";
import { machineFiles, type TsmFiles } from "../tsm/files.ts";

/** Where the library operating system shows its pseudo-files. */
export interface QuoteFiles {
  readonly reportData: string;
  readonly quote: string;
  /** File that says which attestation there is; Occlum has none. */
  readonly type?: string;
}

/** Gramine's files (its manifest must say `sgx.remote_attestation = "dcap"`). */
export const GRAMINE: QuoteFiles = {
  reportData: "/dev/attestation/user_report_data",
  quote: "/dev/attestation/quote",
  type: "/dev/attestation/attestation_type",
};

/** Occlum's files. */
export const OCCLUM: QuoteFiles = {
  reportData: "/dev/attestation_report_data",
  quote: "/dev/attestation_quote",
};

const MAXIMUM_QUOTE = 64 * 1024;
const HEADER = 48;

/** An attester over the pseudo-files of a library operating system. */
export function createSgxAttester(
  paths: QuoteFiles,
  files: Pick<TsmFiles, "read" | "write"> = machineFiles,
): ReportAttester {
  let last: Promise<unknown> = Promise.resolve();
  return {
    report(reportData) {
      const turn = last.then(() => quoteOver(reportData, paths, files));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

async function quoteOver(
  reportData: Uint8Array,
  paths: QuoteFiles,
  files: Pick<TsmFiles, "read" | "write">,
): Promise<PlatformReport> {
  checkReportData(reportData);
  const type = paths.type === undefined ? "dcap" : await typeAt(paths.type, files);
  if (type !== "dcap") {
    throw new AttesterError("ATTESTER_REFUSED", `attestation of type ${type}, dcap expected`);
  }
  try {
    await files.write(paths.reportData, reportData);
    const quote = await files.read(paths.quote, MAXIMUM_QUOTE);
    if (quote.length <= HEADER) throw new Error(`quote of ${quote.length} bytes`);
    return { type: "sgx", report: quote, auxiliary: undefined };
  } catch (cause) {
    throw new AttesterError("ATTESTER_REFUSED", `no quote: ${messageOf(cause)}`, { cause });
  }
}

async function typeAt(path: string, files: Pick<TsmFiles, "read">): Promise<string> {
  try {
    return toText(await files.read(path, 64)).trim();
  } catch (cause) {
    throw new AttesterError("ATTESTER_UNREACHABLE", `${path}: ${messageOf(cause)}`, { cause });
  }
}
