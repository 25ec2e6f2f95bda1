// `holdfast receipt verify`: what a keep signed after a run, checked without the keep.
import { type SkippableCheck, verifyReceipt } from "@holdfast/channel";
import { type Check, check } from "@holdfast/core";
import { type Command, Option } from "commander";
import { newCommand, newGroup } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { hashFile, readPolicyFile, readTextFile } from "../files.ts";
import { type Assignment, collectAssignments } from "../keep/assignment.ts";
import { collectSkips, platformWord, SKIPPABLE } from "../keep/session.ts";

interface VerifyOptions {
  readonly policy: string;
  readonly file?: readonly Assignment[];
  readonly skipCheck?: readonly SkippableCheck[];
}

/** `receipt …`. */
export function receiptCommands(context: Context): Command {
  return newGroup("receipt", "signed receipts of runs", [
    newCommand("verify", {
      summary: "check a receipt offline, and files against it",
      description:
        "Checks the signature of a receipt, the keep that signed it against the policy, and any files you name against\n" +
        "the digests in it.",
      examples: [
        "holdfast receipt verify run.receipt --policy policy.json",
        "holdfast receipt verify run.receipt --policy policy.json --file /output/prediction.0.jpg=0.jpg",
      ],
    })
      .argument("<file>", "the receipt, as the keep wrote it")
      .requiredOption("--policy <file>", "the policy that the run went under")
      .addOption(
        new Option(
          "--file <name=path>",
          "a file that must be one of the receipt's; repeat for more",
        ).argParser(collectAssignments),
      )
      .addOption(
        new Option(
          "--skip-check <names>",
          `do not make a check: ${SKIPPABLE.join(", ")}`,
        ).argParser(collectSkips),
      )
      .action((path: string, options: VerifyOptions) => verify(context, path, options)),
  ]);
}

async function verify(context: Context, path: string, options: VerifyOptions): Promise<void> {
  const { terminal } = context;
  const verdict = await verifyReceipt({
    receipt: await readTextFile(path, "receipt"),
    policy: await readPolicyFile(options.policy),
    skip: new Set(options.skipCheck ?? []),
  });
  const { claims } = verdict;
  const known = [claims.inputs, claims.outputs].flat();
  const fileChecks: Check[] = [];
  for (const file of options.file ?? []) fileChecks.push(await fileCheck(file, known));
  const checks = [...verdict.checks, ...fileChecks];
  const ok = verdict.affirmed && fileChecks.every(({ outcome }) => outcome === "passed");
  for (const { name, outcome, detail } of checks) {
    const tone = outcome === "passed" ? "good" : outcome === "failed" ? "bad" : "dim";
    terminal.line(`${terminal.paint(tone, outcome.padEnd(13))} ${name}: ${detail}`);
  }
  terminal.line(`program ${claims.program.path} ${claims.program.sha256}`);
  terminal.line(`run ${claims.run}: ${claims.state}, exit code ${claims.exit_code ?? "none"}`);
  for (const output of claims.outputs) terminal.line(`output ${output.path} ${output.sha256}`);
  terminal.line(
    `${ok ? "the receipt holds" : "the receipt does NOT hold"}, ${platformWord(claims)}`,
  );
  terminal.result({ ok, simulated: claims.simulated, checks, claims });
  if (!ok) {
    const failed = checks.find(({ outcome }) => outcome === "failed");
    throw new CliError(
      "CLI_NOT_VERIFIED",
      `the receipt does not hold: ${failed?.name}: ${failed?.detail}`,
    );
  }
}

async function fileCheck(
  { name, path }: Assignment,
  known: readonly { path: string; sha256: string }[],
): Promise<Check> {
  const found = await hashFile(path, "file");
  const said = known.find((each) => each.path === name)?.sha256;
  if (said === undefined) return check(`file ${name}`, false, "the receipt does not name it");
  return check(
    `file ${name}`,
    said === found,
    said === found ? found : `the receipt says ${said}, here it is ${found}`,
  );
}
