// A second opinion on quotes: @phala/dcap-qvl beside ours, over real quotes with their collateral and over the quotes of
// testkit with one defect each. Prints every disagreement: node bench/evidence/second-opinion.ts [--json]
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { QuoteVerifier } from "@phala/dcap-qvl";
import { type Certificate, toPem, webCrypto } from "../../packages/core/src/index.ts";
import {
  type IntelRequest,
  intelRoot,
  readEndorsements,
  verifyQuote,
} from "../../packages/evidence/src/index.ts";
import {
  INTEL_DEFECTS,
  type IntelDefect,
  newIntelEvidence,
  newIntelWorld,
} from "../../packages/testkit/src/index.ts";

/** What both say of one quote: a TCB status, or `refused` with why. */
export interface Opinion {
  readonly sample: string;
  readonly ours: string;
  readonly theirs: string;
  readonly agree: boolean;
  /** Checks of ours that refuse. */
  readonly failed: readonly string[];
}

const FOLDER = resolve(import.meta.dirname, "../../../shared/vectors/evidence");
/** Any status but a withdrawn one: whether it is good enough is for a policy to say, and theirs has none. */
const STATUSES = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
] as const;

/** Opinions on quotes of real platforms, with every set of collateral there is; none where the samples are absent. */
export async function realOpinions(): Promise<Opinion[]> {
  if (!existsSync(FOLDER)) return [];
  const { entries } = JSON.parse(file("index.json").toString("utf8")) as { entries: Entry[] };
  const opinions: Opinion[] = [];
  for (const { id, files, evaluations } of entries) {
    if (!/^(sgx|tdx)-v/.test(id)) continue;
    for (const { collateral, checkTime } of evaluations ?? []) {
      const bytes = new Uint8Array(file(collateral));
      const request = {
        at: new Date(checkTime),
        crypto: webCrypto,
        endorsements: readEndorsements([{ name: collateral, bytes }]),
      };
      const quote = new Uint8Array(file(files[0] ?? ""));
      const theirs = asCollateral(JSON.parse(file(collateral).toString("utf8")));
      const name = `${id}, ${collateral.replace(/^.*\//, "").replace(/\.json$/, "")}`;
      opinions.push(await ask(name, quote, request, theirs, intelRoot()));
    }
  }
  return opinions;
}

/** Opinions on quotes with one defect each, under a root of our own. What a caller asks for is left out: theirs asks nothing. */
export async function defectOpinions(): Promise<Opinion[]> {
  const world = await newIntelWorld();
  const opinions: Opinion[] = [];
  for (const { name, changes } of [...INTEL_DEFECTS.filter(isPlain), ...STATUS_CASES]) {
    const { evidence, request } = await newIntelEvidence(world, changes);
    const root = request.anchors?.[0] ?? world.root.certificate;
    opinions.push(await ask(name, evidence, request, madeCollateral(request, root, world), root));
  }
  return opinions;
}

/** Platforms that are in order but not quite up to date, where the procedure is easily got wrong. */
const STATUS_CASES: readonly Pick<IntelDefect, "name" | "changes">[] = [
  { name: "module out of date", changes: { fields: { teeTcbSvn: svn(3, 1, 3) } } },
  {
    name: "module out of date, configuration needed",
    changes: {
      fields: { teeTcbSvn: svn(3, 1, 3) },
      tcbInfo: ({ tcbLevels: [level] }) =>
        void Object.assign(level ?? {}, { tcbStatus: "ConfigurationNeeded" }),
    },
  },
  {
    name: "module's own component behind the level",
    changes: {
      fields: { teeTcbSvn: svn(6, 1, 3) },
      tcbInfo: ({ tcbLevels: [level] }) => {
        const components = level?.tcb["tdxtcbcomponents"] as { svn: number }[] | undefined;
        Object.assign(components?.[0] ?? {}, { svn: 7 });
      },
    },
  },
  {
    name: "module updated since the TD started",
    changes: { kind: "tdx5", fields: { teeTcbSvn: svn(3, 1, 3) } },
  },
  { name: "quoting enclave out of date", changes: { fields: { qeIsvSvn: 5 } } },
];

/** Why we differ, by our check or by the quote; the first that fits. */
const REASONS: readonly (readonly [fits: RegExp, why: string])[] = [
  [
    /^tdx-v4-azure/,
    "Intel skips components 0 and 1 when the module has a version (they are its own)",
  ],
  [/^module/, "status of the TDX module by its own identity, converged as Intel does"],
  [
    /^(pck|tcb-info|qe-identity)\.revocation$/,
    "theirs reads lists without their signature, issuer and dates",
  ],
  [
    /^pck\.path\.(ca|key-usage|path-length)$/,
    "theirs lets anything with a signature issue certificates",
  ],
  [
    /^pck\.path\.critical-extensions$/,
    "an unknown critical extension must be refused (RFC 5280 4.2)",
  ],
  [/^pck\.names$/, "theirs takes any certificate under the root for a platform's"],
  [/^tcb-info\.supplied$/, "theirs compares FMSPC, not PCEID"],
  [/^quote\.vendor$/, "theirs does not ask whose quoting enclave it is"],
  [
    /^quote\.(trailing|format)$/,
    "theirs does not hold lengths against each other, nor what follows the quote",
  ],
  [/^tdx\.module$/, "theirs does not judge the TDX module: signer, attributes, version"],
  [/^sgx\.attributes$/, "policy of ours: only known enclaves may have the provisioning key"],
];

/** Why two opinions differ; undefined when nobody has explained it. */
export function explain({ sample, failed }: Opinion): string | undefined {
  const [, why] =
    REASONS.find(([fits]) => fits.test(sample) || failed.some((each) => fits.test(each))) ?? [];
  return why;
}

function isPlain({ request }: IntelDefect): boolean {
  return request === undefined;
}

function svn(...first: number[]): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, index) => first[index] ?? 0);
}

type Collateral = Parameters<QuoteVerifier["verify"]>[1];

interface Entry {
  readonly id: string;
  readonly files: readonly string[];
  readonly evaluations?: readonly { readonly collateral: string; readonly checkTime: string }[];
}

async function ask(
  sample: string,
  quote: Uint8Array,
  request: IntelRequest,
  collateral: Collateral,
  root: Certificate,
): Promise<Opinion> {
  const intel = { tcbStatuses: STATUSES, allowSeptVe: true };
  const { checks, tcbStatus } = await verifyQuote(quote, { ...request, intel });
  const failed = checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name);
  const ours = failed.length > 0 ? "refused" : (tcbStatus ?? "not judged");
  const theirs = theirOpinion(quote, request, collateral, root);
  const agree = ours === theirs.replace(/: .*$/, "");
  return { sample, ours, theirs, agree, failed };
}

function theirOpinion(
  quote: Uint8Array,
  { at }: IntelRequest,
  collateral: Collateral,
  root: Certificate,
): string {
  try {
    const verifier = QuoteVerifier.newWithRootCa(Buffer.from(root.der));
    return verifier.verify(Buffer.from(quote), collateral, at.getTime() / 1000).status;
  } catch (thrown) {
    return `refused: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

/** Their collateral out of the document that provisioning services answer with. */
function asCollateral(document: Record<string, string>): Collateral {
  const binary = /_(crl|signature)$/;
  return Object.fromEntries(
    Object.entries(document).map(([name, value]) => [
      name,
      binary.test(name) ? Buffer.from(value, "hex") : value,
    ]),
  ) as unknown as Collateral;
}

/** Their collateral out of what testkit made. */
function madeCollateral(
  { endorsements }: IntelRequest,
  root: Certificate,
  world: Awaited<ReturnType<typeof newIntelWorld>>,
): Collateral {
  const [info, identity] = endorsements.intel;
  const [first, second = first] = endorsements.certificates;
  const lists = endorsements.revocationLists;
  const listOf = (issuer: Certificate) =>
    Buffer.from(lists.find(({ issuer: name }) => name.text === issuer.subject.text)?.der ?? []);
  const chain = (signer: Certificate | undefined) =>
    [signer, root].map((each) => toPem("CERTIFICATE", each?.der ?? new Uint8Array())).join("");
  return {
    tcb_info_issuer_chain: chain(first),
    tcb_info: info?.text ?? "",
    tcb_info_signature: Buffer.from(info?.signature ?? []),
    qe_identity_issuer_chain: chain(second),
    qe_identity: identity?.text ?? "",
    qe_identity_signature: Buffer.from(identity?.signature ?? []),
    root_ca_crl: listOf(root),
    pck_crl: listOf(world.platformCa.certificate),
    pck_crl_issuer_chain: chain(world.platformCa.certificate),
  } as unknown as Collateral;
}

function file(path: string): Buffer {
  return readFileSync(resolve(FOLDER, path));
}

if (import.meta.main) {
  const opinions = [...(await realOpinions()), ...(await defectOpinions())];
  const different = opinions.filter(({ agree }) => !agree);
  if (process.argv.includes("--json")) console.log(JSON.stringify(opinions, null, 2));
  else {
    console.log(`${opinions.length} quotes, ${different.length} disagreements\n`);
    console.log("| quote | holdfast | @phala/dcap-qvl | why |\n| --- | --- | --- | --- |");
    for (const each of different) {
      const ours = [each.ours, ...each.failed].join(" ");
      console.log(`| ${each.sample} | ${ours} | ${each.theirs} | ${explain(each) ?? "?"} |`);
    }
  }
}
