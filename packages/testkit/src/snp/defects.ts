// SNP evidence with exactly one thing wrong, each with the checks that must fail.
import { basicConstraints, keyUsage, type NewExtension } from "@holdfast/core";
import type { SnpRequest } from "@holdfast/evidence";
import {
  newKeys,
  newList,
  newParty,
  PARTY_FROM,
  type Party,
  reissued,
  serialOf,
} from "../pki/party.ts";
import {
  CHIP,
  LEAF_TCB,
  leafExtensions,
  newVcek,
  SNP_FIELDS,
  type SnpChanges,
  type SnpWorld,
} from "./world.ts";

/** One defect. */
export interface SnpDefect {
  readonly name: string;
  /** The checks that must fail, and no other. */
  readonly fails: readonly string[];
  readonly changes?: SnpChanges;
  readonly request?: Partial<SnpRequest>;
}

const past = new Date("2026-05-31T23:59:59Z");
const future = new Date("2026-06-01T00:00:01Z");
const flip = (at: number) => (report: Uint8Array) => {
  report[at] = (report[at] ?? 0) ^ 1;
  return report;
};
const spoil = (at: number) => (report: Uint8Array) => {
  flip(at)(report);
};
const SIGNS = keyUsage("keyCertSign", "cRLSign");
const vlek: SnpChanges["leaf"] = (world, keys) =>
  newVcek(world.asvk, keys, { name: "SEV-VLEK", cspId: "provider" });
const tcb = (bl: number, snp: number, ucode: number) =>
  Uint8Array.of(bl, 1, 0, 0, 0, 0, snp, ucode);

/** Authorities that are none, or not AMD's. */
const AUTHORITIES: readonly SnpDefect[] = (
  [
    ["a root nobody trusts", "path.anchor", async ({ ark }) => ({ anchors: [], others: [ark] })],
    [
      "intermediate that is no CA",
      "path.ca",
      async (world) => ({ ask: await otherAsk(world, basicConstraints(false), SIGNS) }),
    ],
    [
      "intermediate that may not sign",
      "path.key-usage",
      async (world) => ({
        ask: await otherAsk(world, basicConstraints(true), keyUsage("cRLSign")),
      }),
    ],
    [
      "root that allows no intermediate",
      "path.path-length",
      async ({ ark }) => ({
        anchors: [
          await reissued(ark, { change: { extensions: [basicConstraints(true, 0), SIGNS] } }),
        ],
      }),
    ],
    [
      "intermediate of another algorithm",
      "snp.algorithms",
      async ({ ark }) => ({
        ask: await newParty({
          name: { O: "Test", CN: "SEV-Milan" },
          kind: "rsa2048",
          isCa: true,
          issuer: ark,
        }),
      }),
    ],
  ] as const satisfies readonly (readonly [string, string, SnpChanges["authorities"]])[]
).map(([name, fails, authorities]) => ({ name, fails: [fails], changes: { authorities } }));

async function otherAsk({ ask, ark }: SnpWorld, ...extensions: NewExtension[]): Promise<Party> {
  return await reissued(ask, { issuer: ark, change: { extensions } });
}

/** Every defect. */
export const SNP_DEFECTS: readonly SnpDefect[] = [
  ...[
    ["a byte less", (report: Uint8Array) => report.subarray(1)],
    ["a byte more", (report: Uint8Array) => Uint8Array.of(...report, 0)],
    ["nothing at all", () => new Uint8Array()],
  ].map(([name, afterSigning]) => ({
    name: name as string,
    fails: ["snp.format"],
    changes: { afterSigning: afterSigning as (report: Uint8Array) => Uint8Array },
  })),
  ...[1, 6, 2 ** 31].map((version) => ({
    name: `version ${version}`,
    fails: ["snp.format"],
    changes: { fields: { version } },
  })),
  ...[0x4c, 0x18b, 0x19f, 0x1eb, 0x1ef, 0x1f8, 0x29f].map((at) => ({
    name: `reserved byte ${at.toString(16)}h is set`,
    fails: ["snp.format"],
    changes: { beforeSigning: spoil(at) },
  })),
  ...[0x2d0, 0x2e7, 0x318, 0x330, 0x49f].map((at) => ({
    name: `padding byte ${at.toString(16)}h after the signature is set`,
    fails: ["snp.format"],
    changes: { afterSigning: flip(at) },
  })),
  {
    name: "CPUID in a report of version 2",
    fails: ["snp.format"],
    changes: { fields: { version: 2 }, beforeSigning: spoil(0x188) },
  },
  {
    name: "leaf that another authority of the same name issued",
    fails: ["path.signatures"],
    changes: {
      leaf: async (_world, keys) => {
        const root = await newParty({
          name: { O: "Test", CN: "SEV-Milan" },
          kind: "rsa4096-pss",
          isCa: true,
        });
        return await newVcek(root, keys);
      },
    },
  },
  {
    name: "expired leaf",
    fails: ["path.validity"],
    changes: { leaf: (world, keys) => newVcek(world.ask, keys, { change: { notAfter: past } }) },
  },
  {
    name: "leaf of tomorrow",
    fails: ["path.validity"],
    changes: { leaf: (world, keys) => newVcek(world.ask, keys, { change: { notBefore: future } }) },
  },
  {
    name: "unknown critical extension in the leaf",
    fails: ["path.critical-extensions"],
    changes: {
      leaf: (world, keys) =>
        newVcek(world.ask, keys, {
          change: {
            extensions: [
              ...leafExtensions({}),
              { oid: "2.25.1", critical: true, value: Uint8Array.of(5, 0) },
            ],
          },
        }),
    },
  },
  ...AUTHORITIES,
  {
    name: "leaf that a VLEK authority issued",
    fails: ["snp.product"],
    changes: { leaf: (world, keys) => newVcek(world.asvk, keys) },
  },
  {
    name: "leaf of another product line",
    fails: ["snp.product"],
    changes: { leaf: (world, keys) => newVcek(world.ask, keys, { productName: "Genoa" }) },
  },
  {
    name: "processor of another product line",
    fails: ["snp.product"],
    changes: { fields: { cpuid: [0x19, 0x11, 0x01] } },
  },
  {
    name: "processor nobody knows",
    fails: ["snp.product"],
    changes: { fields: { cpuid: [0x17, 0x31, 0x00] } },
  },
  {
    name: "revoked intermediate",
    fails: ["snp.revocation"],
    changes: {
      list: ({ ark, ask }) =>
        newList(ark, { revoked: [{ serial: serialOf(ask), at: PARTY_FROM }] }),
    },
  },
  {
    name: "revoked leaf",
    fails: ["snp.revocation"],
    changes: {
      list: ({ ark }, leaf) =>
        newList(ark, { revoked: [{ serial: serialOf(leaf), at: PARTY_FROM }] }),
    },
  },
  {
    name: "forged revocation list",
    fails: ["snp.revocation"],
    changes: { list: ({ ark, ask }) => newList(ark, {}, ask.privateKey) },
  },
  {
    name: "VLEK while the report says VCEK",
    fails: ["snp.signing-key"],
    changes: { leaf: vlek },
  },
  {
    name: "VCEK while the report says VLEK",
    fails: ["snp.signing-key"],
    changes: { fields: { keyInfo: 1 << 2 } },
  },
  { name: "no key signed", fails: ["snp.signing-key"], changes: { fields: { keyInfo: 7 << 2 } } },
  { name: "reserved key info", fails: ["snp.signing-key"], changes: { fields: { keyInfo: 32 } } },
  {
    name: "another signature algorithm",
    fails: ["snp.signature-algorithm"],
    changes: { fields: { signatureAlgorithm: 2 } },
  },
  {
    name: "signed by another key",
    fails: ["snp.signature"],
    changes: { signer: newKeys("p384").privateKey },
  },
  {
    name: "measurement changed after signing",
    fails: ["snp.signature"],
    changes: { afterSigning: flip(0x90) },
  },
  { name: "signature changed", fails: ["snp.signature"], changes: { afterSigning: flip(0x2a0) } },
  ...(["bl", "tee", "snp", "ucode"] as const).map((part) => ({
    name: `certificate of another ${part}`,
    fails: ["snp.leaf-tcb"],
    changes: {
      leaf: ((world, keys) =>
        newVcek(world.ask, keys, {
          tcb: { ...LEAF_TCB, [part]: LEAF_TCB[part] + 1 },
        })) satisfies SnpChanges["leaf"],
    },
  })),
  {
    name: "certificate of another chip",
    fails: ["snp.chip-id"],
    changes: {
      leaf: (world, keys) => newVcek(world.ask, keys, { hardwareId: CHIP.toReversed() }),
    },
  },
  {
    name: "certificate that names only the start of the chip id",
    fails: ["snp.chip-id"],
    changes: {
      leaf: (world, keys) => newVcek(world.ask, keys, { hardwareId: CHIP.slice(0, 8) }),
    },
  },
  { name: "masked chip id", fails: ["snp.chip-id"], changes: { fields: { keyInfo: 2 } } },
  {
    name: "committed TCB below the reported one",
    fails: ["snp.tcb-order"],
    changes: { fields: { committedTcb: tcb(4, 23, 219) } },
  },
  {
    name: "current TCB below the committed one, though larger as a number",
    fails: ["snp.tcb-order"],
    changes: { fields: { currentTcb: tcb(3, 24, 255) } },
  },
  {
    name: "current firmware below the committed one",
    fails: ["snp.tcb-order"],
    changes: { fields: { current: [9, 55, 1] } },
  },
  { name: "debug", fails: ["snp.debug"], changes: { fields: { policy: 0xb0000n } } },
  { name: "policy bit 17 unset", fails: ["snp.policy"], changes: { fields: { policy: 0x10000n } } },
  { name: "migration agent", fails: ["snp.policy"], changes: { fields: { policy: 0x70000n } } },
  {
    name: "unknown policy bit",
    fails: ["snp.policy"],
    changes: { fields: { policy: 0x30000n | (1n << 26n) } },
  },
  { name: "a level that is not there", fails: ["snp.vmpl"], changes: { fields: { vmpl: 4 } } },
  { name: "a level nobody allowed", fails: ["snp.vmpl"], request: { snp: { vmpl: [1, 2] } } },
  {
    name: "other report data",
    fails: ["snp.report-data"],
    request: { reportData: new Uint8Array(64).fill(8) },
  },
  {
    name: "report data that goes on",
    fails: ["snp.report-data"],
    request: { reportData: SNP_FIELDS.reportData.subarray(0, 32) },
  },
  { name: "no report data", fails: ["snp.report-data"], request: { reportData: new Uint8Array() } },
  { name: "a nonce", fails: ["snp.nonce"], request: { nonce: new Uint8Array(32) } },
  {
    name: "minimum TCB",
    fails: ["snp.minimum-tcb"],
    request: { snp: { minimumTcb: { snp: 25 } } },
  },
  {
    name: "minimum version",
    fails: ["snp.minimum-version"],
    request: { snp: { minimumReportVersion: 5 } },
  },
  { name: "chip not listed", fails: ["snp.chip-list"], request: { snp: { chipIds: ["00"] } } },
  { name: "no provider", fails: ["snp.csp"], request: { snp: { cspIds: ["provider"] } } },
  { name: "platform bits", fails: ["snp.platform-info"], request: { snp: { platformInfo: 8n } } },
  { name: "mitigations", fails: ["snp.mitigations"], request: { snp: { mitigations: 1n } } },
  {
    name: "another measurement",
    fails: ["expect.measurement"],
    request: { expect: new Map([["measurement", ["00".repeat(48)]]]) },
  },
  {
    name: "a claim there is not",
    fails: ["expect.colour"],
    request: { expect: new Map([["colour", ["blue"]]]) },
  },
];
