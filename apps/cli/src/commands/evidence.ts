// `holdfast evidence`: look into attestation documents, and judge them. AWS Nitro's format; the pinned AWS root, and
// simulated roots only when they are named.
import { createHash } from "node:crypto";
import { fromHex, toHex, webCrypto } from "@holdfast/core";
import {
  type Appraisal,
  awsNitroRoot,
  type NitroClaims,
  nitroClaims,
  parseNitroDocument,
  verifyNitro,
} from "@holdfast/evidence";
import { type Command, Option } from "commander";
import { collected, newCommand, newGroup, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { readSmallFile } from "../files.ts";
import { readSimulatedRoot } from "../keep/fresh-evidence.ts";

interface VerifyOptions {
  readonly simulatedRoot?: string;
  readonly nonce?: Uint8Array;
  readonly csr?: string;
  readonly pcr?: readonly (readonly [number, Uint8Array])[];
  readonly at: Date | "document" | undefined;
  readonly allowDebug?: boolean;
}

const MAXIMUM_EVIDENCE = 64 * 1024;

/** `evidence …`. */
export function evidenceCommands(context: Context): Command {
  return newGroup("evidence", "look into attestation evidence and judge it", [
    showCommand(context),
    verifyCommand(context),
  ]);
}

function showCommand(context: Context): Command {
  return newCommand("show", {
    summary: "show what a document says, without judging it",
    examples: ["holdfast evidence show document.bin"],
  })
    .argument("<file>", "a Nitro attestation document (COSE_Sign1), raw or base64")
    .action(async (path: string) => {
      const document = parseNitroDocument(await readEvidence(path));
      const claims = shownClaims(nitroClaims(document));
      const { terminal } = context;
      terminal.line(
        terminal.paint(
          "warn",
          "not judged: anybody can write such a document; holdfast evidence verify judges it",
        ),
      );
      for (const [name, value] of Object.entries(claims))
        terminal.line(`${name}: ${inWords(value)}`);
      const chain = [document.leaf, ...document.bundle.toReversed()].map(
        ({ subject }) => subject.text,
      );
      for (const subject of chain) terminal.line(`certificate: ${subject}`);
      terminal.result({ ok: true, judged: false, claims, chain });
    });
}

function verifyCommand(context: Context): Command {
  return newCommand("verify", {
    summary: "judge a document: every check, and the verdict",
    description:
      "Judges a Nitro attestation document under the pinned AWS root. A simulated root is accepted only when it is\n" +
      "named, and the platform then is SIMULATED. What is not asked for (nonce, request, PCRs) is listed as not performed.",
    examples: [
      "holdfast evidence verify document.bin --nonce 00ff... --pcr 0=3f5a...",
      "holdfast evidence verify document.bin --simulated-root root.pem --at document",
    ],
  })
    .argument("<file>", "a Nitro attestation document, raw or base64")
    .option("--simulated-root <pem>", "accept evidence under this simulated root")
    .addOption(
      new Option("--nonce <hex>", "the nonce it must carry").argParser(
        parsed(parseHex, "hexadecimal digits"),
      ),
    )
    .option("--csr <file>", "certificate request (DER) whose SHA-256 it must carry as user data")
    .addOption(
      new Option("--pcr <index=hex>", "a PCR it must have; repeat for more").argParser(
        collected(parsePcr, "INDEX=96 hexadecimal digits"),
      ),
    )
    .addOption(
      new Option(
        "--at <time>",
        'judge at this time (RFC 3339), or at the "document" time; now when not given',
      ).argParser(parsed(parseTime, "a time such as 2026-01-31T12:00:00Z, or document,")),
    )
    .option("--allow-debug", "accept an enclave in debug mode")
    .action((path: string, options: VerifyOptions) => verifyEvidence(context, path, options));
}

async function verifyEvidence(
  context: Context,
  path: string,
  options: VerifyOptions,
): Promise<void> {
  const bytes = await readEvidence(path);
  const simulated =
    options.simulatedRoot === undefined ? [] : [await readSimulatedRoot(options.simulatedRoot)];
  const csr =
    options.csr === undefined ? undefined : await readSmallFile(options.csr, "certificate request");
  const appraisal = await verifyNitro(bytes, {
    anchors: [awsNitroRoot(), ...simulated],
    at: options.at ?? context.clock.now(),
    crypto: webCrypto,
    nonce: options.nonce ?? "waived",
    userData: csr === undefined ? "waived" : createHash("sha256").update(csr).digest(),
    pcrs: options.pcr === undefined ? "waived" : new Map(options.pcr),
    allowDebug: options.allowDebug ?? false,
  });
  tellAppraisal(context, appraisal);
  if (appraisal.verdict !== "affirmed") {
    const failed = appraisal.checks.find(({ outcome }) => outcome === "failed");
    throw new CliError(
      "CLI_NOT_VERIFIED",
      `evidence is ${appraisal.verdict}${failed === undefined ? "" : `: ${failed.name}: ${failed.detail}`}`,
      {
        hint: "a simulated root must be named with --simulated-root; old documents are judged with --at",
      },
    );
  }
}

function tellAppraisal({ terminal }: Context, appraisal: Appraisal<NitroClaims>): void {
  for (const { name, outcome, detail } of appraisal.checks) {
    const tone = outcome === "passed" ? "good" : outcome === "failed" ? "bad" : "dim";
    terminal.line(`${terminal.paint(tone, outcome.padEnd(13))} ${name}: ${detail}`);
  }
  const platform = appraisal.simulated ? `${appraisal.platform}, SIMULATED` : appraisal.platform;
  terminal.line(`verdict: ${appraisal.verdict}, platform ${platform}`);
  terminal.result({
    ok: appraisal.verdict === "affirmed",
    verdict: appraisal.verdict,
    platform: appraisal.platform,
    simulated: appraisal.simulated,
    debug: appraisal.debug ?? null,
    checks: appraisal.checks,
    waived: appraisal.waived,
    trust_vector: appraisal.trustVector,
    claims: appraisal.claims === undefined ? null : shownClaims(appraisal.claims),
    valid_from: appraisal.validFrom ?? null,
    valid_until: appraisal.validUntil ?? null,
  });
}

/** Bytes of a document; base64 text is taken as well. */
async function readEvidence(path: string): Promise<Uint8Array> {
  const bytes = await readSmallFile(path, "evidence", MAXIMUM_EVIDENCE);
  const text = Buffer.from(bytes).toString("latin1");
  return /^[A-Za-z0-9+/=\s]+$/.test(text) ? Buffer.from(text, "base64") : bytes;
}

function shownClaims(claims: NitroClaims): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(claims, (_key, value: unknown) => {
      if (value instanceof Map) {
        return Object.fromEntries([...value].map(([key, each]) => [key, each]));
      }
      return value instanceof Uint8Array ? toHex(value) : value;
    }),
  ) as Record<string, unknown>;
}

function inWords(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function parseHex(text: string): Uint8Array | undefined {
  return /^(?:[0-9a-fA-F]{2}){1,1024}$/.test(text) ? fromHex(text) : undefined;
}

function parsePcr(text: string): readonly [number, Uint8Array] | undefined {
  const [, index, hex] = /^(\d{1,2})=([0-9a-fA-F]{96})$/.exec(text) ?? [];
  return index === undefined || hex === undefined || Number(index) > 31
    ? undefined
    : [Number(index), fromHex(hex)];
}

function parseTime(text: string): Date | "document" | undefined {
  if (text === "document") return text;
  const time = new Date(text);
  return /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(time.getTime()) ? time : undefined;
}
