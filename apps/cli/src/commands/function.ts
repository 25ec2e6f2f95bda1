// `holdfast function`: what an administrator does at CCFaaS.
import type { FunctionResource } from "@holdfast/contract";
import type { Command } from "commander";
import { type AccessOptions, openCcfaas, withCcfaas } from "../access/options.ts";
import { newCommand, newGroup } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { readJsonFile } from "../files.ts";
import { fillHashes, uploaderOf, uploadFiles } from "../services/register-function.ts";
import { formatBytes } from "../terminal/progress.ts";
import { type FileOptions, filesOf, storedLine, withFiles } from "./function-files.ts";
import {
  aliasCommand,
  publishCommand,
  rollbackCommand,
  versionsCommand,
} from "./function-versions.ts";

/** `function …`. */
export function functionCommands(context: Context): Command {
  const commands = [
    registerCommand,
    uploadCommand,
    listCommand,
    showCommand,
    deleteCommand,
    publishCommand,
    versionsCommand,
    rollbackCommand,
    aliasCommand,
  ];
  return newGroup(
    "function",
    "register functions at CCFaaS and see to them",
    commands.map((make) => withCcfaas(make(context))),
  );
}

function registerCommand(context: Context): Command {
  return withFiles(
    newCommand("register", {
      summary: "register a function, with its program and data files",
      description:
        "Registers the function that FILE defines. Hashes (pi_hash) are computed from the files given here;\n" +
        "CCFaaS and the keep then refuse every other byte.",
      examples: [
        "holdfast function register function.json --program /program/detector.wasm=detector.wasm --data /program_data/coco.names=coco.names",
        "holdfast function register function.json --replace",
      ],
    }),
  )
    .argument("<file>", "the function's definition (JSON)")
    .option("--replace", "delete a function of the same name first")
    .action(async (path: string, options: AccessOptions & FileOptions & { replace?: boolean }) => {
      const files = filesOf(options);
      const definition = await fillHashes(await readJsonFile(path, "function definition"), files);
      const ccfaas = await openCcfaas(context, options);
      if (options.replace && (await ccfaas.listFunctions()).includes(definition.function)) {
        await ccfaas.deleteFunction(definition.function);
      }
      const registered = await ccfaas.registerFunction(definition);
      context.terminal.line(`function ${definition.function} registered`);
      await uploadFiles(context, registered, files, {
        upload: uploaderOf(ccfaas, registered.function),
        onStored: storedLine(context),
      });
      const state = await ccfaas.describeFunction(definition.function);
      if (state.missing.length > 0)
        context.terminal.line(`still to upload: ${state.missing.join(", ")}`);
      context.terminal.result({ ok: true, definition: registered, function: state });
    });
}

function uploadCommand(context: Context): Command {
  return withFiles(
    newCommand("upload", {
      summary: "upload files that a registered function still misses",
      examples: ["holdfast function upload vod --data /program_data/yolov3.weights=yolov3.weights"],
    }),
  )
    .argument("<function>", "the function's name")
    .action(async (name: string, options: AccessOptions & FileOptions) => {
      const files = filesOf(options);
      if (files.programs.length + files.data.length === 0) {
        throw new CliError("CLI_NOTHING_TO_DO", "Nothing to do", {
          hint: "name files with --program and --data",
          exitCode: EXIT.usage,
        });
      }
      const ccfaas = await openCcfaas(context, options);
      await uploadFiles(context, await ccfaas.getFunction(name), files, {
        upload: uploaderOf(ccfaas, name),
        onStored: storedLine(context),
      });
      context.terminal.result({ ok: true, function: await ccfaas.describeFunction(name) });
    });
}

function listCommand(context: Context): Command {
  return newCommand("list", {
    summary: "list functions",
    examples: ["holdfast function list"],
  }).action(async (options: AccessOptions) => {
    const functions = await (await openCcfaas(context, options)).listFunctions();
    for (const name of functions) context.terminal.line(name);
    if (functions.length === 0) context.terminal.note("no functions are registered");
    context.terminal.result({ ok: true, functions });
  });
}

function showCommand(context: Context): Command {
  return newCommand("show", {
    summary: "show a function: its files, which are stored, its definition",
    examples: ["holdfast function show vod", "holdfast function show vod --json"],
  })
    .argument("<function>", "the function's name")
    .action(async (name: string, options: AccessOptions) => {
      const ccfaas = await openCcfaas(context, options);
      const definition = await ccfaas.getFunction(name);
      const state = await ccfaas.describeFunction(name);
      const version = state.version === undefined ? "" : `, version ${state.version}`;
      context.terminal.line(`function ${state.name}: ${state.state}${version}`);
      for (const file of state.files) {
        const { path, kind, sha256 } = file;
        context.terminal.line(`  ${kind.padEnd(9)} ${path}  ${whereIs(file)}  sha256 ${sha256}`);
      }
      context.terminal.line(
        `  memory ${definition.max_memory_mib} MiB, clock ${definition.enable_clock ? "on" : "off"}, ${definition.execution_strategy}`,
      );
      context.terminal.result({ ok: true, function: state, definition });
    });
}

function whereIs({ stored, size, source }: FunctionResource["files"][number]): string {
  if (source !== undefined) return `fetched by keeps from ${source}`;
  return stored ? `stored, ${formatBytes(size ?? 0)}` : "MISSING";
}

function deleteCommand(context: Context): Command {
  return newCommand("delete", {
    summary: "delete a function and its stored files; running instances keep theirs",
    examples: ["holdfast function delete vod"],
  })
    .argument("<function>", "the function's name")
    .action(async (name: string, options: AccessOptions) => {
      await (await openCcfaas(context, options)).deleteFunction(name);
      context.terminal.line(`function ${name} deleted`);
      context.terminal.result({ ok: true, deleted: name });
    });
}
