// `holdfast policy`: read a policy before trusting it.
import {
  diffPolicies,
  explainPolicy,
  explanationLines,
  lintPolicy,
  policyHash,
  type Warning,
} from "@holdfast/policy";
import type { Command } from "commander";
import { newCommand, newGroup } from "../command.ts";
import type { Context } from "../context.ts";
import { readPolicyFile, readTextFile } from "../files.ts";

/** `policy …`. */
export function policyCommands(context: Context): Command {
  return newGroup("policy", "read policies: faults, hash, who may do what, differences", [
    checkCommand(context),
    hashCommand(context),
    explainCommand(context),
    diffCommand(context),
  ]);
}

function checkCommand(context: Context): Command {
  return newCommand("check", {
    summary: "read a policy, list every fault at once, and warn of what is unwise",
    examples: ["holdfast policy check policy.json"],
  })
    .argument("<policy>", "policy file")
    .action(async (path: string) => {
      const policy = await readPolicyFile(path);
      const hash = await policyHash(policy.text);
      const warnings = lintPolicy(policy, { at: context.clock.now() });
      const { terminal } = context;
      terminal.line(`policy ${path} is well formed: dialect ${policy.dialect}, hash ${hash}`);
      tellWarnings(context, warnings);
      terminal.result({ ok: true, dialect: policy.dialect, hash, warnings });
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

function explainCommand(context: Context): Command {
  return newCommand("explain", {
    summary: "say in words who may do what, and what reaches whom",
    examples: ["holdfast policy explain policy.json"],
  })
    .argument("<policy>", "policy file")
    .action(async (path: string) => {
      const policy = await readPolicyFile(path);
      const explanation = explainPolicy(policy);
      const warnings = lintPolicy(policy, { at: context.clock.now() });
      for (const line of explanationLines(explanation)) context.terminal.line(line);
      tellWarnings(context, warnings);
      context.terminal.result({
        ok: true,
        hash: await policyHash(policy.text),
        explanation,
        warnings,
      });
    });
}

function diffCommand(context: Context): Command {
  return newCommand("diff", {
    summary: "say what a change of policy lets whom do",
    examples: ["holdfast policy diff old.json new.json"],
  })
    .argument("<before>", "policy file")
    .argument("<after>", "policy file")
    .action(async (beforePath: string, afterPath: string) => {
      const difference = diffPolicies(
        await readPolicyFile(beforePath),
        await readPolicyFile(afterPath),
      );
      const { terminal } = context;
      for (const { effect, sentence } of difference.changes) {
        terminal.line(`${MARKS[effect]} ${sentence}`);
      }
      if (difference.changes.length === 0) {
        terminal.line(
          difference.sameText
            ? "the texts are the same"
            : "nothing differs in meaning; the texts and so the hashes do",
        );
      }
      terminal.result({ ok: true, same_text: difference.sameText, changes: difference.changes });
    });
}

const MARKS = { allows: "+", forbids: "-", changes: "~" } as const;

function tellWarnings({ terminal }: Context, warnings: readonly Warning[]): void {
  for (const { code, pointer, message } of warnings) {
    terminal.line(`${terminal.paint("warn", "warning")} ${pointer}: ${message} (${code})`);
  }
}
