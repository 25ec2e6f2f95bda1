// Reports of AMD SEV-SNP and Intel TDX guests through Linux' configfs-tsm (Documentation/ABI/testing/configfs-tsm-report):
// a directory for each request, report data written, report read, and the generation counter to see that nobody else
// wrote between the two.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { messageOf, toText } from "@holdfast/core";
import { AttesterError } from "../errors.ts";
import { machineFiles, type TsmFiles } from "./files.ts";

/** A report of the platform. */
export interface PlatformReport {
  /** Kind of evidence: `snp`, `tdx`. */
  readonly type: string;
  readonly report: Uint8Array;
  /** What the platform adds; for SNP the table of certificates. */
  readonly auxiliary: Uint8Array | undefined;
}

/** Obtains reports about the place it runs in, over data of at most 64 bytes. */
export interface ReportAttester {
  /** @throws AttesterError */
  report(reportData: Uint8Array): Promise<PlatformReport>;
}

/** Where the reports come from. */
export interface TsmOptions {
  readonly files?: TsmFiles;
  /** The report directory of the mounted configfs. */
  readonly root?: string;
  /** Privilege level to ask for (SNP's VMPL); the kernel's own choice when left out. */
  readonly privilegeLevel?: number;
}

const ROOT = "/sys/kernel/config/tsm/report";
const REPORT_DATA = 64;
const MOST = { generation: 32, provider: 64, outblob: 32 * 1024, auxblob: 64 * 1024 };
const ATTEMPTS = 3;
const TYPES: Readonly<Record<string, string>> = { sev_guest: "snp", tdx_guest: "tdx" };

/** An attester over configfs-tsm. */
export function createTsmAttester(options: TsmOptions = {}): ReportAttester {
  const files = options.files ?? machineFiles;
  const root = options.root ?? ROOT;
  return {
    async report(reportData) {
      checkReportData(reportData);
      const directory = join(root, `holdfast-${randomBytes(8).toString("hex")}`);
      await guarded(files.makeDirectory(directory), "ATTESTER_UNREACHABLE", root);
      try {
        return await readWhole(new Entry(files, directory), reportData, options.privilegeLevel);
      } finally {
        // A directory left behind holds no secret; failing for it would lose a good report.
        await files.removeDirectory(directory).catch(() => undefined);
      }
    },
  };
}

class Entry {
  readonly #files: TsmFiles;
  readonly #directory: string;

  constructor(files: TsmFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#directory, name);
    await guarded(this.#files.write(path, bytes), "ATTESTER_REFUSED", name);
  }

  async read(name: keyof typeof MOST): Promise<Uint8Array> {
    const path = join(this.#directory, name);
    return await guarded(this.#files.read(path, MOST[name]), "ATTESTER_REFUSED", name);
  }

  async readOptional(name: keyof typeof MOST): Promise<Uint8Array | undefined> {
    try {
      return await this.#files.read(join(this.#directory, name), MOST[name]);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw failure("ATTESTER_REFUSED", name, thrown);
    }
  }

  async generation(): Promise<number> {
    const text = toText(await this.read("generation")).trim();
    if (!/^\d{1,15}$/.test(text)) throw protocol(`generation is ${JSON.stringify(text)}`);
    return Number(text);
  }
}

async function readWhole(
  entry: Entry,
  reportData: Uint8Array,
  privilegeLevel: number | undefined,
): Promise<PlatformReport> {
  const provider = toText(await entry.read("provider")).trim();
  const type = TYPES[provider];
  if (type === undefined) throw protocol(`provider ${JSON.stringify(provider)} is not known`);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await entry.generation();
    const level = privilegeLevel === undefined ? [] : [String(privilegeLevel)];
    for (const text of level) await entry.write("privlevel", new TextEncoder().encode(text));
    await entry.write("inblob", reportData);
    const report = await entry.read("outblob");
    const auxiliary = await entry.readOptional("auxblob");
    // Each of our writes counts one. Any other count: somebody else's data may be in the report.
    if ((await entry.generation()) !== before + level.length + 1) continue;
    if (report.length === 0) throw protocol("the report is empty");
    return { type, report, auxiliary: auxiliary?.length === 0 ? undefined : auxiliary };
  }
  throw protocol(`another writer interfered ${ATTEMPTS} times`);
}

/** Refuses report data that no platform takes. */
export function checkReportData(reportData: Uint8Array): void {
  if (reportData.length === REPORT_DATA) return;
  throw new AttesterError(
    "ATTESTER_INPUT",
    `report data of ${reportData.length} bytes, ${REPORT_DATA} expected`,
  );
}

async function guarded<T>(
  action: Promise<T>,
  code: "ATTESTER_UNREACHABLE" | "ATTESTER_REFUSED",
  what: string,
): Promise<T> {
  try {
    return await action;
  } catch (thrown) {
    throw failure(code, what, thrown);
  }
}

function failure(
  code: "ATTESTER_UNREACHABLE" | "ATTESTER_REFUSED",
  what: string,
  cause: unknown,
): AttesterError {
  return new AttesterError(code, `configfs-tsm: ${what}: ${messageOf(cause)}`, { cause });
}

function protocol(message: string): AttesterError {
  return new AttesterError("ATTESTER_PROTOCOL", `configfs-tsm: ${message}`);
}
