// `holdfast evidence`: look into evidence of any kind, judge it, say what to expect, and audit an attestation service's decisions.
import type { Clock } from "@holdfast/core";
import { EVIDENCE_TYPES } from "@holdfast/evidence";
import { type Command, Option } from "commander";
import { collected, newCommand, newGroup, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { auditLog } from "../evidence/audit-log.ts";
import { gatherEndorsements } from "../evidence/gather-files.ts";
import { judgeFile, readRoots } from "../evidence/judge-file.ts";
import { showFile } from "../evidence/show-file.ts";
import { tellAudit } from "../evidence/tell-audit.ts";
import { tellVerdict } from "../evidence/tell-verdict.ts";
import { parseTypeName } from "../evidence/type-names.ts";
import { verdictJson } from "../evidence/verdict-json.ts";
import {
  parseExpectation,
  parseHex,
  parseTime,
  type VerifyOptions,
} from "../evidence/verify-options.ts";
import { EXIT } from "../exit-codes.ts";
import { collateralCommands } from "./evidence-collateral.ts";
import { expectCommand } from "./evidence-expect.ts";

const TIME = "a time with its zone, such as 2026-01-31T12:00:00Z,";
const TCB_STATUSES = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
];

/** `evidence …`. */
export function evidenceCommands(context: Context): Command {
  return newGroup("evidence", "look into attestation evidence and judge it", [
    showCommand(context),
    verifyCommand(context),
    expectCommand(context),
    collateralCommands(context),
    auditCommand(context),
  ]);
}

function showCommand(context: Context): Command {
  return newCommand("show", {
    summary: "show what evidence says, without judging it",
    description:
      "Shows what evidence says, of any kind, recognised by its content: raw, hexadecimal, base64, PEM or JSON. Shows " +
      "certificates, revocation lists and collateral as well. Nothing of it is judged: anybody can write such a file.",
    examples: ["holdfast evidence show quote.bin", "holdfast evidence show quote.bin --json"],
  })
    .argument("<file>", "the evidence")
    .addOption(endorsementsOption())
    .action((path: string, options: { endorsements?: readonly string[] }) =>
      showFile(context, path, options),
    );
}

function verifyCommand(context: Context): Command {
  return newCommand("verify", {
    summary: "judge evidence: every check, and the verdict",
    description:
      "Judges evidence of any kind under the vendors' pinned roots. A simulated or private root is accepted only when " +
      "it is named, and the platform then is SIMULATED. What is not asked for (nonce, report data) is listed as not " +
      "performed; every other check that can't be made leaves the verdict open.",
    examples: [
      "holdfast evidence verify quote.bin --endorsements collateral/ --at 2025-06-19T11:32:27Z",
      "holdfast evidence verify report.bin --endorsements vcek.der crl.der --report-data 00ff... --expect measurement=3f5a...",
      "holdfast evidence verify document.bin --root simulated-root.pem --nonce 00ff... --expect pcr0=3f5a...",
    ],
  })
    .argument("<file>", "the evidence")
    .addOption(
      new Option(
        "--type <kind>",
        `what it must be, else it is refused: ${EVIDENCE_TYPES.join(", ")}`,
      ).argParser(parsed(parseTypeName, EVIDENCE_TYPES.join(", "))),
    )
    .addOption(endorsementsOption())
    .option(
      "--collateral-cache <folder>",
      "vendors' documents that evidence collateral import or an attestation service keeps there",
    )
    .addOption(
      new Option("--root <file...>", "trust this root too, beside the vendors' own; PEM or DER"),
    )
    .addOption(new Option("--simulated-root <file...>", "the same as --root").hideHelp())
    .addOption(
      new Option(
        "--at <time>",
        'judge at this time (RFC 3339), or at the "document" time of a Nitro document; now when not given',
      ).argParser(parsed(parseTime, `${TIME} or document,`)),
    )
    .addOption(
      new Option("--nonce <hex>", "the nonce it must carry").argParser(
        parsed(parseHex, "hexadecimal digits"),
      ),
    )
    .addOption(
      new Option(
        "--report-data <hex>",
        "report data (user data) it must carry; what is short of its length must be zero",
      ).argParser(parsed(parseHex, "hexadecimal digits")),
    )
    .option("--csr <file>", "certificate request (DER) whose SHA-256 it must carry as report data")
    .addOption(
      new Option(
        "--expect <name=hex>",
        "a claim it must make; repeat for more, of several values for one claim each is accepted",
      ).argParser(collected(parseExpectation, "NAME=VALUE")),
    )
    .addOption(
      new Option(
        "--accept-tcb <status...>",
        "states of an Intel platform that are accepted beside UpToDate",
      ).choices(TCB_STATUSES),
    )
    .option(
      "--waive <check...>",
      "do without this check when it can't be made; a failure still refuses",
    )
    .option("--allow-debug", "accept what runs in debug mode")
    .action(
      async (path: string, options: VerifyOptions & { simulatedRoot?: readonly string[] }) => {
        const root = [...(options.root ?? []), ...(options.simulatedRoot ?? [])];
        const judged = await orNotJudged(() => judgeFile(context, path, { ...options, root }));
        tellVerdict(context, judged);
        context.terminal.result(verdictJson(judged));
        const { verdict } = judged.appraisal;
        if (verdict !== "affirmed") {
          context.setExitCode(verdict === "refused" ? EXIT.failed : EXIT.notJudged);
        }
      },
    );
}

function auditCommand(context: Context): Command {
  return newCommand("audit", {
    summary: "judge an attestation service's decisions again",
    description:
      "Checks that a log of decisions is whole, and judges each decision again from what the log and the folder beside it " +
      "hold: at its own time, to see whether it was right, and at another, to see what would differ.",
    examples: ["holdfast evidence audit data/decisions.jsonl"],
  })
    .argument("<log>", "the service's log of decisions")
    .addOption(
      new Option(
        "--root <file...>",
        "trust this root too, beside those that the log says the service accepted",
      ),
    )
    .addOption(endorsementsOption())
    .addOption(
      new Option("--at <time>", "compare with this time; now when not given").argParser(
        parsed((text) => onlyTime(parseTime(text)), TIME),
      ),
    )
    .addOption(
      new Option(
        "--head <hex>",
        "hash that the log's last line had, or must have by now",
      ).argParser(
        parsed(
          (text) => (/^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : undefined),
          "SHA-256",
        ),
      ),
    )
    .action(async (path: string, options: AuditOptions) => {
      const audit = await auditLog({
        path,
        anchors: await readRoots(options.root ?? []),
        endorsements: await gatherEndorsements(options.endorsements ?? [], path),
        at: timeOf(options.at, context.clock),
      });
      tellAudit(context, audit);
      if (!audit.holds) context.setExitCode(EXIT.failed);
      if (options.head !== undefined && options.head !== audit.chain.head) {
        throw new CliError("CLI_NOT_VERIFIED", `the log ends in ${audit.chain.head}`, {
          hint: "lines were cut off the end, or were added since",
        });
      }
    });
}

interface AuditOptions {
  readonly root?: readonly string[];
  readonly endorsements?: readonly string[];
  readonly at?: Date;
  readonly head?: string;
}

function endorsementsOption(): Option {
  return new Option(
    "--endorsements <path...>",
    "files or folders in any order: certificates and revocation lists (PEM, DER), collateral (JSON), bundles of these, enrolled keys",
  );
}

/** A file that can't be read refuses nothing: there was nothing to judge. */
async function orNotJudged<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof CliError) || thrown.code === "CLI_USAGE") throw thrown;
    throw new CliError(thrown.code, thrown.message, {
      cause: thrown.cause,
      exitCode: EXIT.notJudged,
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
    });
  }
}

function onlyTime(time: Date | "document" | undefined): Date | undefined {
  return time === "document" ? undefined : time;
}

function timeOf(at: Date | undefined, clock: Clock): Date {
  return at ?? clock.now();
}
