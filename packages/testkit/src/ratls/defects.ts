// Certificates and requests that carry a quote, with exactly one thing wrong, each with the checks that must fail.
import { ENARX_SGX, ENARX_SNP, type IntelRequest, type SnpRequest } from "@holdfast/evidence";
import { type Defect, defectsOf } from "../defect.ts";
import type { EnarxChanges, EnarxSnpChanges, RaTlsChanges } from "./world.ts";

const past = new Date("2026-05-31T00:00:00Z");
const debug = { fields: { attributes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) } };

/** Every defect of a certificate; those of the quote inside have a table of their own. */
export const RA_TLS_DEFECTS: readonly Defect<RaTlsChanges, IntelRequest>[] = defectsOf<
  RaTlsChanges,
  IntelRequest
>([
  ["no evidence", ["ra-tls.format"], { extension: "2.25.1" }],
  ["another kind of evidence", ["ra-tls.format"], { tag: 60_001 }],
  ["a hash nobody should use", ["ra-tls.format"], { hash: [3, "sha1"] }],
  ["another key", ["ra-tls.key"], { hashed: new Uint8Array(91) }],
  ["evidence over something else", ["ra-tls.evidence"], { reportData: new Uint8Array(64) }],
  ["expired", ["ra-tls.validity"], { notAfter: past }],
  ["issued by somebody", ["ra-tls.signature"], { issuer: ({ root }) => root }],
  ["another nonce", ["ra-tls.nonce"], {}, { nonce: new Uint8Array(32) }],
  ["debug enclave", ["quote.debug"], { quote: debug }],
  ["another enclave", ["expect.mrEnclave"], {}, { expect: new Map([["mrEnclave", ["00"]]]) }],
]);

/** Every defect of a request. */
export const ENARX_DEFECTS: readonly Defect<EnarxChanges, IntelRequest>[] = defectsOf<
  EnarxChanges,
  IntelRequest
>([
  ["no evidence", ["enarx-csr.format"], { extension: "2.25.1" }],
  ["evidence over something else", ["enarx-csr.key"], { reportData: new Uint8Array(64) }],
  ["signed by another key", ["enarx-csr.signature"], { stranger: true }],
  ["a nonce", ["enarx-csr.nonce"], {}, { nonce: new Uint8Array(32) }],
]);

/** Every defect of a request with a report; those of the report inside have a table of their own. */
export const ENARX_SNP_DEFECTS: readonly Defect<EnarxSnpChanges, SnpRequest>[] = defectsOf<
  EnarxSnpChanges,
  SnpRequest
>([
  ["no evidence", ["enarx-csr.format"], { extensions: () => [] }],
  [
    "a report in a quote's place",
    ["enarx-csr.format"],
    { extensions: (value) => [{ oid: ENARX_SGX, value }] },
  ],
  [
    "evidence of both kinds",
    ["enarx-csr.format"],
    { extensions: (value) => [ENARX_SGX, ENARX_SNP].map((oid) => ({ oid, value })) },
  ],
  ["no certificate of the key", ["enarx-csr.format"], { withoutLeaf: true }],
  ["evidence over something else", ["enarx-csr.key"], { reportData: new Uint8Array(64) }],
  ["signed by another key", ["enarx-csr.signature"], { stranger: true }],
  ["a nonce", ["enarx-csr.nonce"], {}, { nonce: new Uint8Array(32) }],
  ["debug guest", ["snp.debug"], { report: { fields: { policy: 0xb0000n } } }],
  ["another guest", ["expect.measurement"], {}, { expect: new Map([["measurement", ["00"]]]) }],
]);
