// Launch digests: what SEV, SEV-ES and SEV-SNP measure when a guest with this firmware, kernel and so many processors is
// started. The results are reference values for `measurement` claims.
import { type CryptoPort, concat } from "@holdfast/core";
import { malformed } from "../errors.ts";
import { type MetadataSection, parseSevFirmware, type SevFirmware } from "./firmware.ts";
import { kernelHashPage, kernelHashTable, type StartedKernel } from "./kernel-hashes.ts";
import { type ProcessorStart, saveAreas } from "./save-area.ts";

/** A guest as it is started. */
export interface LaunchedGuest {
  /** OVMF, whole. */
  readonly firmware: Uint8Array;
  /** When kernel, initial RAM disk and command line are given from outside. */
  readonly started?: StartedKernel;
}

/** A guest of SEV-ES or SNP, whose processors are measured too. */
export interface LaunchedGuestWithProcessors extends LaunchedGuest {
  readonly processors: number;
  readonly start: ProcessorStart;
}

/** Types of pages, as SNP measures them. */
const PAGE = { normal: 1, vmsa: 2, zero: 3, secrets: 5, cpuid: 6 } as const;
const PAGE_SIZE = 4096;
const VMSA_GPA = 0xfffffffff000n;
const NOTHING = new Uint8Array(48);
const MAXIMUM_PROCESSORS = 512;

/** The launch digest of SEV: SHA-256. */
export async function sevLaunchDigest(
  guest: LaunchedGuest,
  crypto: CryptoPort,
): Promise<Uint8Array> {
  return await crypto.digest("SHA-256", await sevContents(guest, crypto));
}

/** The launch digest of SEV-ES: SHA-256. */
export async function sevEsLaunchDigest(
  guest: LaunchedGuestWithProcessors,
  crypto: CryptoPort,
): Promise<Uint8Array> {
  const { resetEip } = parseSevFirmware(guest.firmware);
  const areas = saveAreas(processorsOf(guest), resetEip, { ...guest.start, features: 0n });
  return await crypto.digest("SHA-256", concat(await sevContents(guest, crypto), ...areas));
}

/**
 * The launch digest of SEV-SNP: SHA-384, page by page.
 * @param firmwareDigest the digest after the firmware alone, when its bytes are not at hand in full
 */
export async function snpLaunchDigest(
  guest: LaunchedGuestWithProcessors,
  crypto: CryptoPort,
  firmwareDigest?: Uint8Array,
): Promise<Uint8Array> {
  const firmware = parseSevFirmware(guest.firmware);
  const context = new SnpContext(crypto, firmwareDigest);
  if (firmwareDigest === undefined) await context.pages(firmware.gpa, firmware.data);
  await measureSections(context, firmware, guest, crypto);
  for (const area of saveAreas(processorsOf(guest), firmware.resetEip, guest.start)) {
    await context.page(PAGE.vmsa, VMSA_GPA, await crypto.digest("SHA-384", area));
  }
  return context.digest;
}

/** The digest so far, extended by one page after the other (SEV-SNP firmware ABI, SNP_LAUNCH_UPDATE). */
class SnpContext {
  digest: Uint8Array;
  readonly #crypto: CryptoPort;

  constructor(crypto: CryptoPort, start: Uint8Array = NOTHING) {
    this.#crypto = crypto;
    this.digest = start;
  }

  async page(type: number, gpa: bigint, contents: Uint8Array): Promise<void> {
    const info = new Uint8Array(0x70);
    info.set(this.digest);
    info.set(contents, 48);
    info[96] = info.length;
    info[98] = type;
    new DataView(info.buffer).setBigUint64(104, gpa, true);
    this.digest = await this.#crypto.digest("SHA-384", info);
  }

  async pages(gpa: number, data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += PAGE_SIZE) {
      const contents = await this.#crypto.digest("SHA-384", data.subarray(at, at + PAGE_SIZE));
      await this.page(PAGE.normal, BigInt(gpa + at), contents);
    }
  }

  async empty(type: number, { gpa, size }: Pick<MetadataSection, "gpa" | "size">): Promise<void> {
    for (let at = 0; at < size; at += PAGE_SIZE) await this.page(type, BigInt(gpa + at), NOTHING);
  }
}

async function measureSections(
  context: SnpContext,
  { sections, hashTableGpa }: SevFirmware,
  { started, start }: LaunchedGuestWithProcessors,
  crypto: CryptoPort,
): Promise<void> {
  const late = start.hypervisor === "ec2";
  if (started !== undefined && !sections.some(({ kind }) => kind === "kernel-hashes")) {
    throw malformed("firmware: it does not check the hashes of a kernel");
  }
  for (const section of sections) {
    if (section.kind === "kernel-hashes" && started !== undefined) {
      const table = await kernelHashTable(started, crypto);
      await context.pages(section.gpa, kernelHashPage(table, (hashTableGpa ?? 0) % PAGE_SIZE));
    } else if (section.kind === "secrets") {
      await context.page(PAGE.secrets, BigInt(section.gpa), NOTHING);
    } else if (section.kind === "cpuid") {
      if (!late) await context.page(PAGE.cpuid, BigInt(section.gpa), NOTHING);
    } else {
      await context.empty(PAGE.zero, section);
    }
  }
  // EC2 adds the CPUID page last.
  for (const { gpa } of sections.filter(({ kind }) => late && kind === "cpuid")) {
    await context.page(PAGE.cpuid, BigInt(gpa), NOTHING);
  }
}

async function sevContents(
  { firmware, started }: LaunchedGuest,
  crypto: CryptoPort,
): Promise<Uint8Array> {
  if (started === undefined) return firmware;
  if (parseSevFirmware(firmware).hashTableGpa === undefined) {
    throw malformed("firmware: it does not check the hashes of a kernel");
  }
  return concat(firmware, await kernelHashTable(started, crypto));
}

function processorsOf({ processors }: LaunchedGuestWithProcessors): number {
  if (Number.isInteger(processors) && processors >= 1 && processors <= MAXIMUM_PROCESSORS) {
    return processors;
  }
  throw malformed(`${processors} processors, 1 to ${MAXIMUM_PROCESSORS} expected`);
}
