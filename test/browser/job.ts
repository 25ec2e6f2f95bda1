// One judgement as JSON, so that the very same can be made in a page and here.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  type Certificate,
  fromBase64,
  fromHex,
  fromPem,
  toBase64,
  toHex,
  toText,
} from "@holdfast/core";
import { type Appraisal, type EvidenceRequest, judge, type TcbStatus } from "@holdfast/evidence";
import type { EvidenceCase } from "../../apps/cli/src/testing/evidence-cases.ts";

/** A judgement; bytes are base64. */
export interface Job {
  readonly evidence: string;
  readonly at: string;
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly roots: readonly string[];
  readonly nonce?: string;
  readonly reportData?: string;
  readonly expect?: readonly (readonly [string, readonly string[]])[];
  readonly waive?: readonly string[];
  readonly snp?: { readonly vmpl: readonly number[] };
  readonly intel?: { readonly tcbStatuses: readonly TcbStatus[] };
}

/** Makes a judgement here. */
export async function judgeHere(job: Job): Promise<Appraisal> {
  const { at, evidence, files, roots, nonce, reportData, expect, ...rest } = job;
  return await judge(fromBase64(evidence), {
    ...rest,
    at: new Date(at),
    endorsements: files.map(({ name, content }) => ({ name, bytes: fromBase64(content) })),
    roots: roots.map(fromBase64),
    ...(nonce === undefined ? {} : { nonce: fromBase64(nonce) }),
    ...(reportData === undefined ? {} : { reportData: fromBase64(reportData) }),
    ...(expect === undefined ? {} : { expect: new Map(expect) }),
  });
}

/** The judgement that a request asks for, its endorsements as files. */
export function jobOfRequest(
  evidence: Uint8Array,
  request: Pick<
    EvidenceRequest,
    "at" | "anchors" | "endorsements" | "nonce" | "reportData" | "expect"
  >,
): Job {
  const { certificates, revocationLists, intel } = request.endorsements;
  const { nonce, reportData, expect } = request;
  const der = [...certificates, ...revocationLists].map((each) => each.der);
  const collateral = intel.map(({ text, signature }) =>
    new TextEncoder().encode(
      JSON.stringify({ tcb_info: text, tcb_info_signature: toHex(signature) }),
    ),
  );
  return {
    evidence: toBase64(evidence),
    at: request.at.toISOString(),
    files: [...der, ...collateral].map((bytes, index) => ({
      name: String(index),
      content: toBase64(bytes),
    })),
    roots: (request.anchors ?? []).map(({ der: root }: Certificate) => toBase64(root)),
    ...(nonce === undefined ? {} : { nonce: toBase64(nonce) }),
    ...(reportData === undefined ? {} : { reportData: toBase64(reportData) }),
    ...(expect === undefined ? {} : { expect: [...expect] }),
  };
}

/** The judgement that a sample's command line asks for. */
export function jobOfSample(each: EvidenceCase): { job: Job; each: EvidenceCase } {
  const [path = "", ...options] = each.argv;
  const given = optionsOf(options);
  const [first] = given.get("--at") ?? [];
  const hex = (name: string): string | undefined => {
    const [value] = given.get(name) ?? [];
    return value === undefined ? undefined : toBase64(fromHex(value));
  };
  const [nonce, reportData] = [hex("--nonce"), hex("--report-data")];
  const expect = (given.get("--expect") ?? []).map((text): [string, string[]] => {
    const [name = "", value = ""] = text.split("=");
    return [name === "pcr0" ? "nonZeroPcrs.0" : name, [value]];
  });
  const vmpl = expect.filter(([name]) => name === "vmpl").map(([, [value]]) => Number(value));
  const statuses = given.get("--accept-tcb") as TcbStatus[] | undefined;
  const waive = given.get("--waive");
  const job: Job = {
    evidence: toBase64(readFileSync(path)),
    at: first ?? "2026-11-24T00:00:00Z",
    files: (given.get("--endorsements") ?? []).flatMap((from) => filesOf(from, path)),
    roots: (given.get("--root") ?? []).map(rootOf),
    expect,
    ...(nonce === undefined ? {} : { nonce }),
    ...(reportData === undefined ? {} : { reportData }),
    ...(waive === undefined ? {} : { waive }),
    ...(vmpl.length === 0 ? {} : { snp: { vmpl } }),
    ...(statuses === undefined ? {} : { intel: { tcbStatuses: ["UpToDate", ...statuses] } }),
  };
  return { job, each };
}

function optionsOf(words: readonly string[]): Map<string, string[]> {
  const options = new Map<string, string[]>();
  let name = "";
  for (const word of words) {
    if (word.startsWith("--")) name = word;
    else options.set(name, [...(options.get(name) ?? []), word]);
  }
  return options;
}

function filesOf(from: string, evidence: string): { name: string; content: string }[] {
  const paths = statSync(from).isDirectory()
    ? readdirSync(from)
        .toSorted()
        .map((name) => join(from, name))
    : [from];
  return paths
    .filter((path) => path !== evidence)
    .map((path) => ({
      name: join(basename(dirname(path)), basename(path)),
      content: toBase64(readFileSync(path)),
    }));
}

function rootOf(path: string): string {
  const bytes = readFileSync(path);
  if (bytes[0] === 0x30) return toBase64(bytes);
  const [der] = fromPem("CERTIFICATE", toText(bytes));
  return toBase64(der ?? new Uint8Array());
}
