// `holdfast instance`: keeps that run functions, through CCFaaS.

import type { UserPolicyBody } from "@holdfast/contract";
import { parseUserPolicy, policyHash } from "@holdfast/policy";
import type { Command } from "commander";
import { type AccessOptions, openCcfaas, withCcfaas } from "../access/options.ts";
import { newCommand, newGroup } from "../command.ts";
import type { Context } from "../context.ts";
import { readJsonFile, writeWholeFile } from "../files.ts";
import { createInstance, interruptedMeanwhile } from "../services/create-instance.ts";
import { formatBytes } from "../terminal/progress.ts";

/** `instance …`. */
export function instanceCommands(context: Context): Command {
  const commands = [createCommand, listCommand, showCommand, deleteCommand];
  return newGroup(
    "instance",
    "instances of functions: keeps that run them",
    commands.map((make) => withCcfaas(make(context))),
  );
}

function createCommand(context: Context): Command {
  return newCommand("create", {
    summary: "start a keep for a function and write its policy",
    description:
      "Asks CCFaaS for an instance with the identities of FILE (a user policy) and writes the policy it answers.\n" +
      "The policy's text is what the keep is held to: keep it as it is.\n" +
      "It waits as long as the instance takes to come up. Ctrl-C ends the waiting alone.",
    examples: [
      "holdfast instance create user-policy.json --policy-out policy.json",
      "holdfast instance create user-policy.json --function-version stable",
    ],
  })
    .argument("<file>", "user policy: function, instanceid, identities (JSON)")
    .option("--policy-out <file>", "where to write the policy; policy_ID when not given")
    .option(
      "--function-version <name>",
      "number, digest or alias of the function's version; else the newest",
    )
    .action(
      async (
        path: string,
        options: AccessOptions & { policyOut?: string; functionVersion?: string },
      ) => {
        const wanted = parseUserPolicy(await readJsonFile(path, "user policy"));
        const { instance, policy } = await createInstance(
          context,
          await openCcfaas(context, options),
          wanted as unknown as UserPolicyBody,
          options.functionVersion === undefined ? {} : { version: options.functionVersion },
        ).catch((thrown: unknown) => {
          throw context.interrupted.aborted ? interruptedMeanwhile(wanted.instanceid) : thrown;
        });
        const target = options.policyOut ?? `policy_${encodeURIComponent(instance)}`;
        await writeWholeFile(target, policy);
        const hash = await policyHash(policy);
        context.terminal.line(`instance ${instance} is ready; policy ${hash} in ${target}`);
        context.terminal.result({
          ok: true,
          instance,
          policy_file: target,
          policy_hash: hash,
          policy,
        });
      },
    );
}

function listCommand(context: Context): Command {
  return newCommand("list", {
    summary: "list instances with their state",
    examples: ["holdfast instance list"],
  }).action(async (options: AccessOptions) => {
    const instances = await (await openCcfaas(context, options)).describeInstances();
    for (const each of instances) {
      const why = each.reason === undefined ? "" : `  ${each.reason}`;
      context.terminal.line(`${each.id}  ${each.function}  ${each.state}${why}`);
    }
    if (instances.length === 0) context.terminal.note("there are no instances");
    context.terminal.result({ ok: true, instances });
  });
}

function showCommand(context: Context): Command {
  return newCommand("show", {
    summary: "show one instance",
    examples: ["holdfast instance show 0"],
  })
    .argument("<instance>", "the instance's id")
    .action(async (id: string, options: AccessOptions) => {
      const ccfaas = await openCcfaas(context, options);
      const state = await ccfaas.describeInstance(id);
      const { terminal } = context;
      const version = state.version === undefined ? "" : ` at version ${state.version}`;
      terminal.line(`instance ${state.id} of function ${state.function}${version}: ${state.state}`);
      if (state.reason !== undefined) terminal.line(`  reason ${state.reason}`);
      if (state.keep !== undefined) terminal.line(`  keep ${state.keep}`);
      terminal.line(
        `  loaded ${formatBytes(state.bytes_loaded)} of ${formatBytes(state.bytes_total)}`,
      );
      terminal.line(`  since ${state.created_at}`);
      const ready = state.state === "ready" ? await ccfaas.getInstance(id) : undefined;
      const hash = ready === undefined ? undefined : await policyHash(ready.policy);
      if (hash !== undefined) terminal.line(`  policy ${hash}`);
      terminal.result({
        ok: true,
        instance: state,
        ...(ready === undefined ? {} : { policy: ready.policy, policy_hash: hash }),
      });
    });
}

function deleteCommand(context: Context): Command {
  return newCommand("delete", {
    summary: "end an instance and its keep; everything in the keep is gone",
    examples: ["holdfast instance delete 0"],
  })
    .argument("<instance>", "the instance's id")
    .action(async (id: string, options: AccessOptions) => {
      await (await openCcfaas(context, options)).deleteInstance(id);
      context.terminal.line(`instance ${id} ended`);
      context.terminal.result({ ok: true, deleted: id });
    });
}
