// `holdfast function publish|versions|rollback|alias`: a function changes by new versions, and never while it is used.
import type { DraftResource, VersionName } from "@holdfast/contract";
import { normalizePath } from "@holdfast/policy";
import type { Command } from "commander";
import { type AccessOptions, openCcfaas } from "../access/options.ts";
import { newCommand, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { readJsonFile } from "../files.ts";
import { type FunctionFiles, fillHashes, uploadFiles } from "../services/register-function.ts";
import { formatBytes } from "../terminal/progress.ts";
import { type FileOptions, filesOf, storedLine, withFiles } from "./function-files.ts";

/** `function publish`. */
export function publishCommand(context: Context): Command {
  return withFiles(
    newCommand("publish", {
      summary: "make a new version of a function, from its definition and files",
      description:
        "Makes a version of the function that FILE defines, with hashes from the files given here. Files that an earlier\n" +
        "version has already are not sent again. The old version serves until the last file of the new one is there.",
      examples: [
        "holdfast function publish function.json --program /program/detector.wasm=new.wasm",
        "holdfast function publish function.json --json",
      ],
    }),
  )
    .argument("<file>", "the function's definition (JSON)")
    .action(async (path: string, options: AccessOptions & FileOptions) => {
      const files = filesOf(options);
      const definition = await fillHashes(await readJsonFile(path, "function definition"), files);
      const ccfaas = await openCcfaas(context, options);
      let draft = await ccfaas.putDraft(definition.function, definition);
      await uploadFiles(context, definition, missingOf(draft, files), {
        upload: async (_kind, name, source, upload) => {
          draft = await ccfaas.uploadDraftFile(definition.function, name, source, upload);
        },
        onStored: storedLine(context),
      });
      tellDraft(context, draft);
    });
}

/** `function rollback`. */
export function rollbackCommand(context: Context): Command {
  return newCommand("rollback", {
    summary: "make an earlier version the current one again",
    examples: ["holdfast function rollback vod 3"],
  })
    .argument("<function>", "the function's name")
    .argument("<version>", "its number, digest or alias", parsed(parseVersion, VERSION))
    .action(async (name: string, version: VersionName, options: AccessOptions) => {
      const ccfaas = await openCcfaas(context, options);
      const { definition } = await ccfaas.getVersion(name, version);
      tellDraft(context, await ccfaas.putDraft(name, definition));
    });
}

/** `function versions`. */
export function versionsCommand(context: Context): Command {
  return newCommand("versions", {
    summary: "list a function's versions, or delete one that nobody needs",
    examples: ["holdfast function versions vod", "holdfast function versions vod --delete 2"],
  })
    .argument("<function>", "the function's name")
    .option("--delete <version>", "delete this version", parsed(parseVersion, VERSION))
    .action(async (name: string, options: AccessOptions & { delete?: VersionName }) => {
      const ccfaas = await openCcfaas(context, options);
      if (options.delete !== undefined) await ccfaas.deleteVersion(name, options.delete);
      const versions = await ccfaas.listVersions(name);
      for (const { version, digest, current, aliases, bytes, created_at } of versions) {
        const names = [...(current ? ["current"] : []), ...aliases].join(", ");
        context.terminal.line(
          `${version}  ${digest}  ${formatBytes(bytes)}  ${created_at}  ${names}`.trimEnd(),
        );
      }
      context.terminal.result({ ok: true, function: name, versions });
    });
}

/** `function alias`. */
export function aliasCommand(context: Context): Command {
  return newCommand("alias", {
    summary: "list names of versions; set one, or delete it",
    description:
      "An alias is a name for a version that can be moved: instances are made of FUNCTION@ALIAS\n(holdfast instance create --function-version ALIAS).",
    examples: [
      "holdfast function alias vod",
      "holdfast function alias vod stable 3",
      "holdfast function alias vod stable --delete",
    ],
  })
    .argument("<function>", "the function's name")
    .argument("[alias]", "a letter first, then small letters, digits and dashes")
    .argument("[version]", "what it means from now on", parsed(parseVersion, VERSION))
    .option("--delete", "delete the alias; the version stays")
    .action(
      async (
        name: string,
        alias: string | undefined,
        version: VersionName | undefined,
        options: AccessOptions & { delete?: boolean },
      ) => {
        const { terminal } = context;
        const isWrong = options.delete === true && (alias === undefined || version !== undefined);
        if (isWrong) {
          throw new CliError("CLI_USAGE", "--delete takes a function and an alias", {
            hint: "holdfast function alias FUNCTION ALIAS --delete",
          });
        }
        const ccfaas = await openCcfaas(context, options);
        if (alias !== undefined && options.delete === true) {
          await ccfaas.deleteAlias(name, alias);
          terminal.line(`alias ${alias} deleted`);
          terminal.result({ ok: true, function: name, deleted: alias });
          return;
        }
        const aliases =
          alias === undefined
            ? await ccfaas.listAliases(name)
            : version === undefined
              ? [await ccfaas.getAlias(name, alias)]
              : [await ccfaas.setAlias(name, alias, version)];
        for (const each of aliases) {
          terminal.line(`${each.name}  version ${each.version}  ${each.digest}`);
        }
        if (aliases.length === 0) terminal.note(`${name} has no aliases`);
        terminal.result({ ok: true, function: name, aliases });
      },
    );
}

const VERSION = "a version's number, sha256: and its digest, or an alias";

function parseVersion(text: string): VersionName | undefined {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  return /^(sha256:[0-9a-f]{64}|[a-z][-a-z0-9]{0,39})$/.test(text) ? text : undefined;
}

function missingOf({ missing }: DraftResource, files: FunctionFiles): FunctionFiles {
  const names = missing.map(normalizePath);
  const isMissing = ({ name }: { name: string }): boolean => names.includes(name);
  return { programs: files.programs.filter(isMissing), data: files.data.filter(isMissing) };
}

function tellDraft({ terminal }: Context, draft: DraftResource): void {
  const { function: name, state, version, missing } = draft;
  if (state === "published") terminal.line(`${name} is at version ${version}`);
  else terminal.line(`still to come: ${missing.join(", ")}; until then the old version serves`);
  terminal.result({ ok: true, draft });
}
