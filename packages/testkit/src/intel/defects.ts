// Quotes with exactly one thing wrong, each with the checks that must fail.
import { concat } from "@holdfast/core";
import { newKeys, newList, newParty, PARTY_FROM, serialOf } from "../pki/party.ts";
import { INTEL_PATH_DEFECTS, INTEL_SIGNER_DEFECTS, type IntelDefect } from "./path-defects.ts";
import { INTEL_PLATFORM_DEFECTS } from "./platform-defects.ts";
import { COMPONENTS, type IntelChanges, newPck, pckExtension, REPORT_DATA } from "./world.ts";

const past = new Date("2026-05-31T23:59:59Z");
const stranger = newKeys("p256").privateKey;
const flipped = (at: number) => (quote: Uint8Array) => {
  const changed = quote.slice();
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};
const put = (at: number, value: number) => (bytes: Uint8Array) => {
  bytes[at] = value;
};
const dates = { issueDate: "2026-06-01T00:00:01Z", nextUpdate: "2026-05-31T23:59:59Z" };

/** Quotes that can't be read. */
const FORMAT: readonly IntelDefect[] = (
  [
    ["version 2", { beforeSigning: put(0, 2) }],
    ["version 6", { beforeSigning: put(0, 6) }],
    ["another kind of attestation key", { fields: { keyType: 3 } }],
    ["an unknown TEE", { beforeSigning: put(4, 0x82) }],
    ["a TD in version 3", { beforeSigning: put(0, 3) }],
    ["an unknown body", { kind: "tdx5", beforeSigning: put(48, 4) }],
    ["a body of another TEE", { kind: "tdx5", beforeSigning: put(48, 1) }],
    ["a body of another size", { kind: "tdx5", beforeSigning: put(50, 0x87) }],
    ["cut short", { afterSigning: (quote: Uint8Array) => quote.subarray(0, -1) }],
    ["cut in the body", { afterSigning: (quote: Uint8Array) => quote.subarray(0, 600) }],
    ["a header alone", { afterSigning: (quote: Uint8Array) => quote.subarray(0, 48) }],
    ["signature data that is longer than said", { afterSigning: flipped(632) }],
    ["certification data of another type", { certificationType: 7 }],
    ["too large", { afterSigning: (quote: Uint8Array) => concat(quote, new Uint8Array(65_536)) }],
  ] as const
).map(([name, changes]) => ({ name, fails: ["quote.format"], changes: changes as IntelChanges }));

/** Defects of collateral. */
const COLLATERAL: readonly IntelDefect[] = [
  {
    name: "TCB information of another platform",
    fails: ["tcb-info.supplied"],
    changes: { tcbInfo: (info) => void Object.assign(info, { fmspc: "00606A000000" }) },
  },
  {
    name: "TCB information of another PCE",
    fails: ["tcb-info.supplied"],
    changes: { tcbInfo: (info) => void Object.assign(info, { pceId: "0001" }) },
  },
  {
    name: "TCB information of SGX for a TD",
    fails: ["tcb-info.supplied"],
    changes: { kind: "tdx4", tcbInfo: (info) => void Object.assign(info, { id: "SGX" }) },
  },
  {
    name: "identity of the SGX quoting enclave for a TD",
    fails: ["qe-identity.supplied"],
    changes: { identity: (identity) => void Object.assign(identity, { id: "QE" }) },
  },
  {
    name: "forged TCB information",
    fails: ["tcb-info.signature"],
    changes: { tcbKey: stranger },
  },
  {
    name: "forged QE identity",
    fails: ["qe-identity.signature"],
    changes: { identityKey: stranger },
  },
  {
    name: "expired TCB information",
    fails: ["tcb-info.dates"],
    changes: { tcbInfo: (info) => void Object.assign(info, { nextUpdate: dates.nextUpdate }) },
  },
  {
    name: "TCB information of tomorrow",
    fails: ["tcb-info.dates"],
    changes: { tcbInfo: (info) => void Object.assign(info, { issueDate: dates.issueDate }) },
  },
  {
    name: "expired QE identity",
    fails: ["qe-identity.dates"],
    changes: {
      identity: (identity) => void Object.assign(identity, { nextUpdate: dates.nextUpdate }),
    },
  },
  {
    name: "QE identity of tomorrow",
    fails: ["qe-identity.dates"],
    changes: {
      identity: (identity) => void Object.assign(identity, { issueDate: dates.issueDate }),
    },
  },
  {
    name: "expired signer of collateral",
    fails: ["tcb-info.signer", "qe-identity.signer"],
    changes: {
      tcbSigner: ({ root }) =>
        newParty({
          name: { CN: "Intel SGX TCB Signing", O: "Test" },
          kind: "p256",
          issuer: root,
          change: { notAfter: past },
        }),
    },
  },
  {
    name: "signer of collateral under another root",
    fails: ["tcb-info.signer", "qe-identity.signer"],
    changes: {
      tcbSigner: async () =>
        await newParty({ name: { CN: "Intel SGX TCB Signing", O: "Test" }, kind: "p256" }),
    },
  },
  {
    name: "signer of collateral that a PCK authority issued",
    fails: ["tcb-info.signer", "qe-identity.signer"],
    changes: {
      tcbSigner: async ({ root }) =>
        await newParty({
          name: { CN: "Intel SGX TCB Signing", O: "Test" },
          kind: "p256",
          issuer: await newParty({
            name: { CN: "somebody", O: "Test" },
            kind: "p256",
            issuer: root,
          }),
        }),
    },
  },
  {
    name: "revoked signer of collateral",
    fails: ["tcb-info.revocation", "qe-identity.revocation"],
    changes: {
      lists: async ({ root, pckList, tcbSigner }) => [
        pckList,
        await newList(root, { revoked: [{ serial: serialOf(tcbSigner), at: PARTY_FROM }] }),
      ],
    },
  },
];

/** Defects of the quoting enclave and of signatures. */
const SIGNATURES: readonly IntelDefect[] = [
  {
    name: "another vendor",
    fails: ["quote.vendor"],
    changes: { fields: { vendorId: new Uint8Array(16) } },
  },
  {
    name: "QE report of another platform",
    fails: ["qe.signature"],
    changes: { qeSigner: stranger },
  },
  {
    name: "attestation key that the QE report does not name",
    fails: ["qe.binding"],
    changes: { fields: { qeReportData: new Uint8Array(64) } },
  },
  { name: "quote of another key", fails: ["quote.signature"], changes: { quoteSigner: stranger } },
  {
    name: "MRTD changed after signing",
    fails: ["quote.signature"],
    changes: { afterSigning: flipped(184) },
  },
  {
    name: "QE of another signer",
    fails: ["qe.identity"],
    changes: { fields: { qeMrSigner: new Uint8Array(32) } },
  },
  {
    name: "another enclave of Intel's",
    fails: ["qe.identity"],
    changes: { fields: { qeIsvProdId: 1 } },
  },
  {
    name: "QE in debug mode",
    fails: ["qe.identity"],
    changes: {
      fields: { qeAttributes: Uint8Array.of(0x13, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0, 0, 0, 0, 0, 0, 0) },
    },
  },
  {
    name: "QE with other MISCSELECT",
    fails: ["qe.identity"],
    changes: { fields: { qeMiscSelect: Uint8Array.of(1, 0, 0, 0) } },
  },
  {
    name: "something after the quote",
    fails: ["quote.trailing"],
    changes: { afterSigning: (quote) => concat(quote, Uint8Array.of(0, 0, 1)) },
  },
];

/** Defects of enclaves, TDs and their platform's version. */
const CONTENT: readonly IntelDefect[] = [
  {
    name: "TD in debug mode",
    fails: ["quote.debug"],
    changes: { fields: { attributes: Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0) } },
  },
  {
    name: "enclave in debug mode",
    fails: ["quote.debug"],
    changes: { kind: "sgx3", fields: { attributes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) } },
  },
  {
    name: "enclave with the provisioning key",
    fails: ["sgx.attributes"],
    changes: { kind: "sgx3", fields: { attributes: Uint8Array.of(0x15, 0, 0, 0, 0, 0, 0, 0) } },
  },
  {
    name: "reserved attributes of a TD",
    fails: ["tdx.attributes"],
    changes: { fields: { attributes: Uint8Array.of(0x80, 0, 0, 0x10, 0, 0, 0, 0) } },
  },
  {
    name: "TD that may be migrated",
    fails: ["tdx.attributes"],
    changes: { fields: { attributes: Uint8Array.of(0, 0, 0, 0x30, 0, 0, 0, 0) } },
  },
  {
    name: "TDX module that Intel did not sign",
    fails: ["tdx.module"],
    changes: { fields: { mrSignerSeam: new Uint8Array(48).fill(1) } },
  },
  {
    name: "TDX module with attributes",
    fails: ["tdx.module"],
    changes: { fields: { seamAttributes: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) } },
  },
  {
    name: "TDX module of a version that Intel does not name",
    fails: ["tdx.module", "tcb.level"],
    changes: {
      fields: { teeTcbSvn: Uint8Array.of(6, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) },
    },
  },
  {
    name: "service TD that nobody named",
    fails: ["tdx.service-td"],
    changes: { kind: "tdx5", fields: { mrServiceTd: new Uint8Array(48).fill(1) } },
  },
  {
    name: "platform below every level",
    fails: ["tcb.level"],
    changes: {
      pck: ({ platformCa }) =>
        newPck(platformCa, { extension: pckExtension({ components: COMPONENTS.map(() => 0) }) }),
    },
  },
  {
    name: "PCE below every level",
    fails: ["tcb.level"],
    changes: {
      pck: ({ platformCa }) => newPck(platformCa, { extension: pckExtension({ pceSvn: 12 }) }),
    },
  },
  {
    name: "TDX below every level",
    fails: ["tcb.level"],
    changes: {
      fields: { teeTcbSvn: Uint8Array.of(6, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) },
    },
  },
  {
    name: "module below every level",
    fails: ["tcb.level"],
    changes: {
      fields: { teeTcbSvn: Uint8Array.of(0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) },
    },
  },
  { name: "QE below every level", fails: ["tcb.level"], changes: { fields: { qeIsvSvn: 1 } } },
  { name: "QE out of date", fails: ["tcb.status"], changes: { fields: { qeIsvSvn: 7 } } },
  {
    name: "revoked QE, though the caller accepts that",
    fails: ["tcb.status"],
    changes: { fields: { qeIsvSvn: 2 } },
    request: { intel: { tcbStatuses: ["Revoked"], graceDays: 10_000 } },
  },
  {
    name: "revoked level",
    fails: ["tcb.status"],
    changes: {
      tcbInfo: ({ tcbLevels: [level] }) =>
        void Object.assign(level ?? {}, { tcbStatus: "Revoked" }),
    },
  },
  {
    name: "configuration needed",
    fails: ["tcb.status"],
    changes: {
      tcbInfo: ({ tcbLevels: [level] }) =>
        void Object.assign(level ?? {}, { tcbStatus: "ConfigurationNeeded" }),
    },
  },
  {
    name: "out of date beyond the days of grace",
    fails: ["tcb.status"],
    changes: { fields: { qeIsvSvn: 7 } },
    request: { intel: { graceDays: 200 } },
  },
  {
    name: "other report data",
    fails: ["quote.report-data"],
    request: { reportData: REPORT_DATA.map((b) => b ^ 1) },
  },
  { name: "a nonce", fails: ["quote.nonce"], request: { nonce: new Uint8Array(32) } },
  {
    name: "level too old",
    fails: ["tcb.minimum-date"],
    request: { intel: { minimumTcbDate: new Date("2026-01-01T00:00:00Z") } },
  },
  {
    name: "collateral too old",
    fails: ["tcb.minimum-evaluation"],
    request: { intel: { minimumEvaluationDataNumber: 19 } },
  },
  {
    name: "platform not listed",
    fails: ["pck.platform-list"],
    request: { intel: { platformIds: ["00".repeat(16)] } },
  },
  {
    name: "another measurement",
    fails: ["expect.mrTd"],
    request: { expect: new Map([["mrTd", ["00".repeat(48)]]]) },
  },
  {
    name: "an advisory that is denied",
    fails: ["tcb.denied-advisories"],
    changes: { fields: { qeIsvSvn: 7 } },
    request: { intel: { tcbStatuses: ["OutOfDate"], deniedAdvisories: ["INTEL-SA-00003"] } },
  },
  {
    name: "an advisory beyond those allowed",
    fails: ["tcb.allowed-advisories"],
    changes: { fields: { qeIsvSvn: 7 } },
    request: { intel: { tcbStatuses: ["OutOfDate"], allowedAdvisories: ["INTEL-SA-00001"] } },
  },
];

/** Every defect. */
export const INTEL_DEFECTS: readonly IntelDefect[] = [
  ...FORMAT,
  ...INTEL_PLATFORM_DEFECTS,
  ...INTEL_PATH_DEFECTS,
  ...INTEL_SIGNER_DEFECTS,
  ...COLLATERAL,
  ...SIGNATURES,
  ...CONTENT,
];
