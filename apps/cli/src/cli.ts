// The command tree, and how one command line is run: parsed, done, and its failure told in words or as JSON.
import { Command, CommanderError } from "commander";
import { settle, usageError } from "./command.ts";
import { clientCommand, withoutAliases } from "./commands/client.ts";
import { demoCommand } from "./commands/demo.ts";
import { evidenceCommands } from "./commands/evidence.ts";
import { functionCommands } from "./commands/function.ts";
import { identityCommands } from "./commands/identity.ts";
import { instanceCommands } from "./commands/instance.ts";
import { keepCommands } from "./commands/keep.ts";
import { keyCommands } from "./commands/key.ts";
import { namespaceCommands } from "./commands/namespace.ts";
import { policyCommands } from "./commands/policy.ts";
import { receiptCommands } from "./commands/receipt.ts";
import { sealCommand } from "./commands/seal.ts";
import { serveCommands } from "./commands/serve.ts";
import { tokenCommands } from "./commands/token.ts";
import { upCommand } from "./commands/up.ts";
import { userAppCommand } from "./commands/user-app.ts";
import { wasmCommands } from "./commands/wasm.ts";
import type { Context } from "./context.ts";
import { CliError, exitCodeOf, explain } from "./errors.ts";
import { EXIT, EXIT_HELP } from "./exit-codes.ts";

const VERSION = "0.1.0";

/** Every command. */
export function buildCli(context: Context): Command {
  const cli = new Command("holdfast")
    .description(
      "Run code on machines you do not trust: a keep proves what it is before it is given a secret.",
    )
    .version(VERSION, "--version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText(
      "after",
      `
Start here:
  $ holdfast demo                          an encrypted video goes through an attested keep, end to end
  $ holdfast up                            the whole platform on this machine
  $ holdfast policy explain policy.json    who may do what, in words

Without TEE hardware the platform is SIMULATED: real formats and checks, but nothing but software behind them.

${EXIT_HELP}`,
    );
  for (const command of [
    demoCommand(context),
    upCommand(context),
    serveCommands(context),
    functionCommands(context),
    instanceCommands(context),
    namespaceCommands(context),
    keyCommands(context),
    sealCommand(context),
    tokenCommands(context),
    clientCommand(context),
    userAppCommand(context),
    policyCommands(context),
    receiptCommands(context),
    evidenceCommands(context),
    wasmCommands(context),
    identityCommands(context),
    keepCommands(context),
  ])
    cli.addCommand(command);
  return settle(cli, (text) => context.terminal.help(text));
}

/**
 * Runs one command line.
 * @returns the exit code
 */
export async function runCli(
  argv: readonly string[],
  surroundings: Omit<Context, "setExitCode">,
): Promise<number> {
  let exitCode: number = EXIT.ok;
  const context: Context = {
    ...surroundings,
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  try {
    const cli = buildCli(context);
    if (argv.length === 0) {
      cli.outputHelp();
      return EXIT.usage;
    }
    const words = argv[0] === "client" ? withoutAliases(argv) : [...argv];
    await cli.parseAsync(words, { from: "user" });
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? usageError(thrown) : thrown;
    if (error === undefined) return EXIT.ok;
    const told =
      context.interrupted.aborted && !(error instanceof CliError) ? interrupted() : error;
    context.terminal.failure(explain(told));
    exitCode = exitCodeOf(told);
  } finally {
    context.terminal.endProgress();
  }
  return context.interrupted.aborted ? EXIT.interrupted : exitCode;
}

function interrupted(): CliError {
  return new CliError("CLI_INTERRUPTED", "interrupted", { exitCode: EXIT.interrupted });
}
