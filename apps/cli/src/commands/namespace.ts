// `holdfast namespace`: rooms of one platform that know nothing of each other, and what each may have.
import type { NamespaceQuotaChange, NamespaceResource } from "@holdfast/contract";
import { type Command, Option } from "commander";
import {
  type AccessOptions,
  NAMESPACE_WORDS,
  openAccess,
  parseNamespace,
  withCcfaas,
} from "../access/options.ts";
import { newCommand, newGroup, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { formatBytes } from "../terminal/progress.ts";

type Bound = number | "none";

interface QuotaOptions {
  readonly functions?: Bound;
  readonly instances?: Bound;
  readonly bytes?: Bound;
  readonly memoryMib?: Bound;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** `namespace …`. */
export function namespaceCommands(context: Context): Command {
  const commands = [listCommand, showCommand, createCommand, quotaCommand, deleteCommand];
  return newGroup(
    "namespace",
    "rooms of one platform, with what each may have",
    commands.map((make) => withCcfaas(make(context))),
  );
}

function listCommand(context: Context): Command {
  return newCommand("list", {
    summary: "list namespaces with what they have and may have",
    examples: ["holdfast namespace list"],
  }).action(async (options: AccessOptions) => {
    const namespaces = await (await openAccess(context, options)).namespaces(options.url).list();
    for (const each of namespaces) {
      context.terminal.line(`${each.name}  ${describe(each).join(", ")}`);
    }
    context.terminal.result({ ok: true, namespaces });
  });
}

function showCommand(context: Context): Command {
  return newCommand("show", {
    summary: "show one namespace; without a name the one that is worked in",
    examples: ["holdfast namespace show team-a", "holdfast namespace show --namespace team-a"],
  })
    .argument("[name]", "the namespace's name")
    .action(async (name: string | undefined, options: AccessOptions) => {
      const access = await openAccess(context, options);
      tell(
        context,
        name === undefined
          ? await access.ownNamespace(options.url).own()
          : await access.namespaces(options.url).get(name),
      );
    });
}

function createCommand(context: Context): Command {
  return withQuotas(
    newCommand("create", {
      summary: "make a namespace",
      description:
        "Makes a namespace. Its functions, instances and copies are seen by nobody in another one, and their names are its\n" +
        "own. Work in it with --namespace NAME, or with `namespace` in a profile.",
      examples: [
        "holdfast namespace create team-a",
        "holdfast namespace create team-a --functions 20 --instances 5 --bytes 10G --memory-mib 8192",
      ],
    }),
  )
    .argument("<name>", NAMESPACE_WORDS, parsed(parseNamespace, NAMESPACE_WORDS))
    .action(async (name: string, options: AccessOptions & QuotaOptions) => {
      const bounded = Object.entries(changeOf(options)).filter(([, bound]) => bound !== null);
      const quotas = Object.fromEntries(bounded) as Record<string, number>;
      const namespaces = (await openAccess(context, options)).namespaces(options.url);
      tell(context, await namespaces.create({ name, quotas }));
    });
}

function quotaCommand(context: Context): Command {
  return withQuotas(
    newCommand("quota", {
      summary: "change what a namespace may have",
      description:
        "Changes the quotas that are given; the others stay. What is there already stays too: a quota below it only means\n" +
        "that nothing is added.",
      examples: ["holdfast namespace quota team-a --instances 10 --bytes none"],
    }),
  )
    .argument("<name>", "the namespace's name")
    .action(async (name: string, options: AccessOptions & QuotaOptions) => {
      const change = changeOf(options);
      if (Object.keys(change).length === 0) {
        throw new CliError("CLI_NOTHING_TO_DO", "Nothing to do", {
          hint: "name a quota: --functions, --instances, --bytes or --memory-mib",
          exitCode: EXIT.usage,
        });
      }
      const namespaces = (await openAccess(context, options)).namespaces(options.url);
      tell(context, await namespaces.change(name, change));
    });
}

function deleteCommand(context: Context): Command {
  return newCommand("delete", {
    summary: "remove an empty namespace",
    examples: ["holdfast namespace delete team-a"],
  })
    .argument("<name>", "the namespace's name")
    .action(async (name: string, options: AccessOptions) => {
      await (await openAccess(context, options)).namespaces(options.url).delete(name);
      context.terminal.line(`namespace ${name} deleted`);
      context.terminal.result({ ok: true, deleted: name });
    });
}

function withQuotas(command: Command): Command {
  const quota = (flag: string, about: string): Option =>
    new Option(`${flag} <bound>`, `${about}; none for no bound`).argParser(
      parsed(parseBound, "a whole number, perhaps with k, M, G or T, or none"),
    );
  return command
    .addOption(quota("--functions", "functions"))
    .addOption(quota("--instances", "living instances"))
    .addOption(quota("--bytes", "bytes of stored files"))
    .addOption(quota("--memory-mib", "memory of living keeps, in MiB"));
}

function changeOf({ functions, instances, bytes, memoryMib }: QuotaOptions): NamespaceQuotaChange {
  return {
    ...(functions === undefined ? {} : { functions: lifted(functions) }),
    ...(instances === undefined ? {} : { instances: lifted(instances) }),
    ...(bytes === undefined ? {} : { bytes: lifted(bytes) }),
    ...(memoryMib === undefined ? {} : { memory_mib: lifted(memoryMib) }),
  };
}

/** Null lifts a quota. */
function lifted(bound: Bound): number | null {
  return bound === "none" ? null : bound;
}

function tell({ terminal }: Context, namespace: NamespaceResource): void {
  terminal.line(`namespace ${namespace.name}`);
  for (const line of describe(namespace)) terminal.line(`  ${line}`);
  terminal.result({ ok: true, namespace });
}

function describe({ used, quotas }: NamespaceResource): string[] {
  const line = (what: string, have: string, bound: string | undefined): string =>
    `${have}${bound === undefined ? "" : ` of ${bound}`} ${what}`;
  const { functions, instances, bytes, memory_mib: memory } = quotas;
  return [
    line("functions", String(used.functions), functions?.toString()),
    line("instances", String(used.instances), instances?.toString()),
    line("stored", formatBytes(used.bytes), bytes === undefined ? undefined : formatBytes(bytes)),
    line("MiB of keeps", String(used.memory_mib), memory?.toString()),
  ];
}

function parseBound(text: string): Bound | undefined {
  if (text === "none") return text;
  const [, digits = "", unit = ""] = /^(\d{1,15})([kMGT]?)$/.exec(text) ?? [];
  const bound = Number(digits) * (UNITS[unit] ?? Number.NaN);
  return digits !== "" && Number.isSafeInteger(bound) ? bound : undefined;
}
