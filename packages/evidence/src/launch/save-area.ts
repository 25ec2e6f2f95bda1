// The state that processors start in (VMSA; AMD APM volume 2, appendix B): a page for each, measured at launch. Hypervisors
// differ in a few registers.

/** Whose start values are measured. */
export type Hypervisor = "qemu" | "ec2";

/** How a guest's processors start. */
export interface ProcessorStart {
  readonly hypervisor: Hypervisor;
  /** CPUID signature that QEMU leaves in RDX: `processorSignature`. */
  readonly signature: number;
  /** SEV_FEATURES; 0 for SEV-ES. */
  readonly features: bigint;
}

const FIRST_EIP = 0xfffffff0;
const SEGMENTS = { es: 0x00, cs: 0x10, ss: 0x20, ds: 0x30, fs: 0x40, gs: 0x50 } as const;
const TABLES = { gdtr: 0x60, ldtr: 0x70, idtr: 0x80, tr: 0x90 } as const;
const DATA_SEGMENT = 0x93;

/** Signatures of processors by family, model and stepping (CPUID function 1, EAX). */
export function processorSignature(family: number, model: number, stepping: number): number {
  const [low, high] = family > 15 ? [15, family - 15] : [family, 0];
  return (high << 20) | ((model >> 4) << 16) | (low << 8) | ((model & 15) << 4) | stepping;
}

/** Processor types of QEMU by name. */
export const QEMU_PROCESSORS: Readonly<Record<string, number>> = {
  EPYC: processorSignature(23, 1, 2),
  "EPYC-v4": processorSignature(23, 1, 2),
  "EPYC-Rome": processorSignature(23, 49, 0),
  "EPYC-Milan": processorSignature(25, 1, 1),
  "EPYC-Genoa": processorSignature(25, 17, 0),
};

/** Pages of all processors: the first starts at the reset vector, the others where the firmware says. */
export function saveAreas(count: number, resetEip: number, start: ProcessorStart): Uint8Array[] {
  const first = saveArea(FIRST_EIP, start);
  const other = saveArea(resetEip, start);
  return Array.from({ length: count }, (_, index) => (index === 0 ? first : other));
}

function saveArea(eip: number, { hypervisor, signature, features }: ProcessorStart): Uint8Array {
  const qemu = hypervisor === "qemu";
  const page = new Uint8Array(4096);
  const view = new DataView(page.buffer);
  const segment = (at: number, selector: number, attributes: number, base = 0): void => {
    view.setUint16(at, selector, true);
    view.setUint16(at + 2, attributes, true);
    view.setUint32(at + 4, 0xffff, true);
    view.setBigUint64(at + 8, BigInt(base), true);
  };
  const code = qemu || eip !== FIRST_EIP ? 0x9b : 0x9a;
  segment(SEGMENTS.cs, 0xf000, code, (eip & 0xffff0000) >>> 0);
  segment(SEGMENTS.ss, 0, qemu ? DATA_SEGMENT : 0x92);
  for (const at of [SEGMENTS.es, SEGMENTS.ds, SEGMENTS.fs, SEGMENTS.gs]) {
    segment(at, 0, DATA_SEGMENT);
  }
  segment(TABLES.gdtr, 0, 0);
  segment(TABLES.idtr, 0, 0);
  segment(TABLES.ldtr, 0, 0x82);
  segment(TABLES.tr, 0, qemu ? 0x8b : 0x83);
  const quad = (at: number, value: bigint): void => view.setBigUint64(at, value, true);
  quad(0xd0, 0x1000n); // EFER: SVME
  quad(0x148, 0x40n); // CR4: MCE
  quad(0x158, 0x10n); // CR0: ET
  quad(0x160, 0x400n); // DR7
  quad(0x168, 0xffff0ff0n); // DR6
  quad(0x170, 2n); // RFLAGS
  quad(0x178, BigInt(eip & 0xffff)); // RIP
  quad(0x268, 0x0007040600070406n); // PAT
  quad(0x310, BigInt(qemu ? signature : 0)); // RDX
  quad(0x3b0, features); // SEV_FEATURES
  quad(0x3e8, 1n); // XCR0
  view.setUint32(0x408, qemu ? 0x1f80 : 0, true); // MXCSR
  view.setUint16(0x410, qemu ? 0x37f : 0, true); // x87 control word
  return page;
}
