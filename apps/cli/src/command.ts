// One way to make a command: help that teaches, --json, errors that are values until the edge.
import { Command, type CommanderError, InvalidArgumentError } from "commander";
import { CliError } from "./errors.ts";
import { EXIT, EXIT_HELP } from "./exit-codes.ts";

/** Makes a command with `--json` and help in the house's form. */
export function newCommand(
  name: string,
  about: { summary: string; description?: string; examples?: readonly string[] },
): Command {
  const command = new Command(name)
    .summary(about.summary)
    .description(about.description ?? about.summary)
    .option("--json", "print one JSON object on stdout and nothing else")
    .helpOption("-h, --help", "show this help");
  const examples = about.examples ?? [];
  const shown =
    examples.length === 0 ? "" : `\nExamples:\n${examples.map((each) => `  $ ${each}`).join("\n")}`;
  return command.addHelpText("after", `${shown}\n\n${EXIT_HELP}`);
}

/** Makes a group of commands: `holdfast NAME VERB`. */
export function newGroup(name: string, summary: string, commands: readonly Command[]): Command {
  const group = new Command(name)
    .summary(summary)
    .description(summary)
    .helpOption("-h, --help", "show this help")
    .helpCommand(false);
  for (const command of commands) group.addCommand(command);
  return group;
}

/** Makes a whole tree behave: help through `writeHelp`, faults thrown to the edge, which prints in words or as JSON. */
export function settle(command: Command, writeHelp: (text: string) => void): Command {
  command
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: writeHelp, writeErr: () => undefined });
  for (const below of command.commands) settle(below, writeHelp);
  return command;
}

/** Whether a command line asks for JSON; known before it is parsed, so that its faults are JSON too. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? argv.length : end).includes("--json");
}

/** What commander threw, as an error of ours; undefined when help or version was shown. */
export function usageError(thrown: CommanderError): CliError | undefined {
  if (thrown.exitCode === 0) return undefined;
  const message = thrown.message.replace(/^error: /, "").replaceAll("\n", " ");
  return new CliError("CLI_USAGE", message.startsWith("(") ? "a command is missing" : message, {
    hint: "the same command line with --help shows what is expected",
    exitCode: EXIT.usage,
  });
}

/** Makes an option's parser from one that answers undefined for what it does not take. */
export function parsed<T>(parse: (text: string) => T | undefined, expected: string) {
  return (text: string): T => {
    const value = parse(text);
    if (value === undefined) throw new InvalidArgumentError(`${expected} is expected.`);
    return value;
  };
}

/** As `parsed`, for an option that may be repeated. */
export function collected<T>(parse: (text: string) => T | undefined, expected: string) {
  const one = parsed(parse, expected);
  return (text: string, earlier: readonly T[] | undefined): readonly T[] => [
    ...(earlier ?? []),
    one(text),
  ];
}
