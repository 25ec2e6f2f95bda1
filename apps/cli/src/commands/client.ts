// `holdfast client`: veracruz-client's options, order, stderr lines and exit codes; and it checks the keep first.
import type { SkippableCheck } from "@holdfast/channel";
import type { Run } from "@holdfast/contract";
import type { Check } from "@holdfast/core";
import { policyHash } from "@holdfast/policy";
import { type Command, Option } from "commander";
import { newCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { readIdentity, readPolicyFile, writeWholeFile } from "../files.ts";
import { type Assignment, collectAssignments, collectKeepPaths } from "../keep/assignment.ts";
import { judgeFreshEvidence, readSimulatedRoot, requireFresh } from "../keep/fresh-evidence.ts";
import { describeRun, requireSuccess, runProgram } from "../keep/run-program.ts";
import {
  collectSkips,
  type KeepSession,
  openKeep,
  platformWord,
  SKIPPABLE,
  verdictLine,
} from "../keep/session.ts";
import { fetchFile, type Moved, sendFile } from "../keep/transfer.ts";

interface ClientOptions {
  readonly identity: string;
  readonly key: string;
  readonly program?: readonly Assignment[];
  readonly data?: readonly Assignment[];
  readonly compute?: readonly string[];
  readonly output?: readonly Assignment[];
  readonly shutdown?: boolean;
  readonly quiet?: boolean;
  readonly follow?: boolean;
  readonly skipCheck?: readonly SkippableCheck[];
  readonly receipt?: string;
  readonly freshEvidence?: boolean;
  readonly simulatedRoot?: string;
}

interface Plan {
  readonly uploads: readonly Assignment[];
  readonly computes: readonly string[];
  readonly outputs: readonly Assignment[];
  readonly shutdown: boolean;
}

/** `client POLICY`. */
export function clientCommand(context: Context): Command {
  const command = newCommand("client", {
    summary: "send files to a keep, run its program, fetch results",
    description:
      "Speaks with the keep that POLICY names, in this order: programs, data, computes, outputs, shutdown.\n" +
      "Before anything goes in, the keep must prove itself: certificate chain, measurement, policy hash, dates.\n" +
      "As in veracruz-client, fetching an output ends the keep unless --no-shutdown is given.",
    examples: [
      "holdfast client policy.json -i me.pem -k me.key --data /user_input/key=key --data /user_input/iv=iv",
      "holdfast client policy.json -i me.pem -k me.key --compute /program/detector.wasm --follow --no-shutdown",
      "holdfast client policy.json -i me.pem -k me.key --result stdout=- --result /output/prediction.0.jpg=0.jpg",
    ],
  })
    .argument("<policy>", "policy file, exactly as CCFaaS or VaaS gave it")
    .requiredOption("-i, --identity <cert>", "your certificate, one of the policy's (PEM)")
    .requiredOption("-k, --key <key>", "its private key (PEM)");
  const repeated = (flags: string, about: string): Option => new Option(flags, about);
  command
    .addOption(
      repeated(
        "-p, --program <[name=]path>",
        'upload; "-" is stdin; repeat or separate by commas',
      ).argParser(collectAssignments),
    )
    .addOption(
      repeated("-d, --data <[name=]path>", "the same, for data").argParser(collectAssignments),
    )
    .addOption(repeated("-c, --compute <name>", "run a program").argParser(collectKeepPaths))
    .addOption(
      repeated("-o, --output <[name=]path>", 'fetch; "-" is stdout').argParser(collectAssignments),
    )
    .option("-s, --shutdown", "end the keep, also when nothing is fetched")
    .option("-n, --no-shutdown", "leave the keep running after fetching")
    .option("-q, --quiet", "no lines about what is done")
    .option("--follow", "show the program's output while it runs")
    .option("--fresh-evidence", "have the keep attest anew over our own nonce, and judge that too")
    .option("--simulated-root <pem>", "accept fresh evidence under this simulated root")
    .option("--receipt <file>", "write the signed receipt of the last compute")
    .addOption(
      repeated("--skip-check <names>", `do not make a check: ${SKIPPABLE.join(", ")}`).argParser(
        collectSkips,
      ),
    );
  return command.action((policyPath: string, options: ClientOptions) =>
    runClient(context, policyPath, options),
  );
}

/** Other names of options, as veracruz-client has them. */
const ALIASES: Readonly<Record<string, string>> = {
  "--programs": "--program",
  "--datas": "--data",
  "--computes": "--compute",
  "--outputs": "--output",
  "--result": "--output",
  "--results": "--output",
};

/** A command line of `client` with every alias replaced by the option it stands for. */
export function withoutAliases(argv: readonly string[]): string[] {
  return argv.map((word) => {
    const [name = "", ...value] = word.split("=");
    const option = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
    return option === undefined ? word : [option, ...value].join("=");
  });
}

async function runClient(
  context: Context,
  policyPath: string,
  options: ClientOptions,
): Promise<void> {
  const plan = planOf(options);
  const tell = (text: string): void => {
    if (!options.quiet) context.terminal.note(text);
  };
  const policy = await readPolicyFile(policyPath);
  const identity = await readIdentity(options.identity, options.key);
  const hash = await policyHash(policy.text);
  tell(`Loaded policy ${policyPath} ${hash}`);
  if (nothingToDo(plan)) {
    throw new CliError("CLI_NOTHING_TO_DO", "Nothing to do", {
      hint: "name what to do: --program, --data, --compute, --output or --shutdown",
      exitCode: EXIT.usage,
    });
  }
  tell(`Connecting to ${policy.serverUrl.host}:${policy.serverUrl.port}`);
  using session = await openKeep(context, { policy, identity, skip: options.skipCheck ?? [] });
  tell(verdictLine(session.verdict));
  const { verdict } = session;
  const fresh = options.freshEvidence ? await judgeFresh(context, session, options) : undefined;
  if (fresh !== undefined) tell(fresh.line);
  const done = await carryOut(context, session, plan, options, tell);
  context.terminal.result({
    ok: true,
    policy_hash: hash,
    platform: verdict.platform,
    simulated: verdict.simulated,
    measurement: verdict.measurement ?? null,
    checks: [...verdict.checks, ...(fresh?.checks ?? [])],
    ...done,
    shutdown: plan.shutdown,
  });
}

async function judgeFresh(
  { clock }: Context,
  { keep, verdict }: KeepSession,
  { simulatedRoot }: ClientOptions,
): Promise<{ line: string; checks: readonly Check[] }> {
  const fresh = await judgeFreshEvidence(keep, verdict, {
    clock,
    ...(simulatedRoot === undefined
      ? {}
      : { simulatedRoot: await readSimulatedRoot(simulatedRoot) }),
  });
  requireFresh(fresh.checks);
  const line = `fresh evidence holds: ${fresh.checks.length} checks passed, ${platformWord(fresh)}`;
  return { line, checks: fresh.checks };
}

async function carryOut(
  context: Context,
  { keep }: KeepSession,
  plan: Plan,
  options: ClientOptions,
  tell: (text: string) => void,
): Promise<{ uploads: Moved[]; runs: Run[]; outputs: (Moved & { content?: string })[] }> {
  const { terminal } = context;
  const uploads: Moved[] = [];
  for (const upload of plan.uploads) {
    tell(`Submitting <enclave>/${upload.name} from ${shownPath(upload.path, "<stdin>")}`);
    uploads.push(await sendFile(context, keep, upload));
  }
  const runs: Run[] = [];
  for (const program of plan.computes) {
    tell(`Requesting compute of <enclave>/${program}`);
    const live = options.follow === true && !terminal.json;
    const run = await runProgram(
      context,
      keep,
      program,
      live ? (stream, part) => terminal.bytes(stream, part) : undefined,
    );
    runs.push(run);
    tell(`Program ended: ${describeRun(run)}`);
    if (options.receipt !== undefined) {
      await writeWholeFile(options.receipt, await keep.receipt(run.id));
      tell(`Receipt in ${options.receipt}`);
    }
    requireSuccess(program, run);
  }
  const outputs: (Moved & { content?: string })[] = [];
  for (const output of plan.outputs) {
    tell(`Reading <enclave>/${output.name} into ${shownPath(output.path, "<stdout>")}`);
    const held: Uint8Array[] = [];
    const moved = await fetchFile(context, keep, output, async (part) => {
      if (terminal.json) held.push(part);
      else await terminal.bytes("stdout", part);
    });
    outputs.push(
      terminal.json && output.path === "-"
        ? { ...moved, content: Buffer.concat(held).toString("utf8") }
        : moved,
    );
  }
  if (plan.shutdown) {
    tell("Shutting down enclave");
    await keep.shutdown();
  }
  return { uploads, runs, outputs };
}

function planOf(options: ClientOptions): Plan {
  const outputs = options.output ?? [];
  return {
    uploads: [...(options.program ?? []), ...(options.data ?? [])],
    computes: options.compute ?? [],
    outputs,
    // Asked for, or implied by fetching unless told otherwise.
    shutdown: options.shutdown ?? outputs.length > 0,
  };
}

function nothingToDo({ uploads, computes, outputs, shutdown }: Plan): boolean {
  return uploads.length + computes.length + outputs.length === 0 && !shutdown;
}

function shownPath(path: string, stream: string): string {
  return path === "-" ? stream : path;
}
