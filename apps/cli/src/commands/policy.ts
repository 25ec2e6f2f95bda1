// `holdfast policy`: read a policy before trusting it.
import { policyHash } from "@holdfast/policy";
import type { Command } from "commander";
import { newCommand, newGroup } from "../command.ts";
import type { Context } from "../context.ts";
import { readPolicyFile, readTextFile } from "../files.ts";

/** `policy …`. */
export function policyCommands(context: Context): Command {
  return newGroup("policy", "read policies: faults, hash, who may do what, differences", [
    checkCommand(context),
    hashCommand(context),
  ]);
}

function checkCommand(context: Context): Command {
  return newCommand("check", {
    summary: "read a policy and list every fault at once",
    examples: ["holdfast policy check policy.json"],
  })
    .argument("<policy>", "policy file")
    .action(async (path: string) => {
      const policy = await readPolicyFile(path);
      const hash = await policyHash(policy.text);
      const { terminal } = context;
      terminal.line(`policy ${path} is well formed: dialect ${policy.dialect}, hash ${hash}`);
      if (policy.unknownMembers.length > 0) {
        terminal.line(`members no dialect knows, ignored: ${policy.unknownMembers.join(", ")}`);
      }
      terminal.result({
        ok: true,
        dialect: policy.dialect,
        hash,
        unknown_members: policy.unknownMembers,
      });
    });
}

function hashCommand(context: Context): Command {
  return newCommand("hash", {
    summary: "print the hash that binds a keep to this very text",
    examples: ["holdfast policy hash policy.json"],
  })
    .argument("<policy>", "policy file")
    .action(async (path: string) => {
      const hash = await policyHash(await readTextFile(path, "policy"));
      context.terminal.line(hash);
      context.terminal.result({ ok: true, hash });
    });
}
