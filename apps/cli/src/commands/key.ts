// `holdfast key`: keys of sealed inputs, left with an attestation service that releases each to the keeps it is for.
import { KEY_NAME } from "@holdfast/channel";
import type { KeyGrant, KeyResource } from "@holdfast/contract";
import { toBase64 } from "@holdfast/core";
import { Argument, type Command } from "commander";
import { type BrokerOptions, openKeyBroker, withBroker } from "../access/key-broker.ts";
import { newCommand, newGroup, parsed } from "../command.ts";
import type { Context } from "../context.ts";
import { GRANT_HELP, type GrantOptions, grantOf, withGrant } from "../sealing/grant-options.ts";
import { readKeyFile } from "../sealing/key-file.ts";

type PutOptions = BrokerOptions & GrantOptions & { readonly key: string };

/** `key …`. */
export function keyCommands(context: Context): Command {
  const commands = [putCommand, grantCommand, listCommand, showCommand, deleteCommand];
  return newGroup(
    "key",
    "keys of sealed inputs, and the keeps that each is released to",
    commands.map((make) => withBroker(make(context))),
  );
}

function putCommand(context: Context): Command {
  const command = newCommand("put", {
    summary: "leave a key with the attestation service, with the terms of its release",
    description: `Leaves a key with the attestation service, which releases it to keeps that
prove that they meet the terms, and to nobody else. Whoever runs the service
could read it.\n\n${GRANT_HELP}`,
    examples: [
      "holdfast key put model --key model.key --measurement HEX --program detector.wasm --reader USERcert.pem",
      "holdfast key put model --key - --measurement HEX --policy policy.json --not-after 2027-01-31T00:00:00Z",
    ],
  }).requiredOption("--key <file>", "file of the key, for its owner alone; - for standard input");
  return named(withGrant(command)).action(async (name: string, options: PutOptions) => {
    const grant = await grantOf(options);
    const key = toBase64(await readKeyFile(options.key, context));
    tell(context, await (await openKeyBroker(context, options)).putKey(name, { key, grant }));
  });
}

function grantCommand(context: Context): Command {
  const command = newCommand("grant", {
    summary: "replace the terms of a key's release",
    description: `Replaces all terms of a key. They hold from the next request on; what was
released stays released.\n\n${GRANT_HELP}`,
    examples: [
      "holdfast key grant model --measurement HEX --program detector.wasm --reader USERcert.pem",
      "holdfast key grant model --terms terms.json",
    ],
  });
  return named(withGrant(command)).action(
    async (name: string, options: BrokerOptions & GrantOptions) => {
      const grant = await grantOf(options);
      tell(context, await (await openKeyBroker(context, options)).grantKey(name, grant));
    },
  );
}

function listCommand(context: Context): Command {
  return newCommand("list", {
    summary: "list keys, and how often each was released",
    examples: ["holdfast key list"],
  }).action(async (options: BrokerOptions) => {
    const keys = await (await openKeyBroker(context, options)).keys();
    for (const each of keys) context.terminal.line(`${each.name}  ${releases(each)}`);
    if (keys.length === 0) context.terminal.note("there are no keys");
    context.terminal.result({ ok: true, keys });
  });
}

function showCommand(context: Context): Command {
  return named(
    newCommand("show", {
      summary: "show the terms of a key, never the key",
      examples: ["holdfast key show model", "holdfast key show model --json"],
    }),
  ).action(async (name: string, options: BrokerOptions) => {
    tell(context, await (await openKeyBroker(context, options)).key(name));
  });
}

function deleteCommand(context: Context): Command {
  return named(
    newCommand("delete", {
      summary: "delete a key: no keep gets it any more",
      description:
        "Deletes a key from the service. Keeps that have it keep it until they end.\n" +
        "What is sealed with it stays sealed for whoever has no other copy.",
      examples: ["holdfast key delete model"],
    }),
  ).action(async (name: string, options: BrokerOptions) => {
    await (await openKeyBroker(context, options)).deleteKey(name);
    context.terminal.line(`key ${name} deleted`);
    context.terminal.result({ ok: true, deleted: name });
  });
}

function named(command: Command): Command {
  const argument = new Argument("<name>", "the key's name, as policies have it under inputs");
  const words = "a small letter or digit, then small letters, digits, dots, underscores and dashes";
  return command.addArgument(argument.argParser(parsed(parseName, words)));
}

function parseName(text: string): string | undefined {
  return KEY_NAME.test(text) ? text : undefined;
}

function tell({ terminal }: Context, key: KeyResource): void {
  terminal.line(`key ${key.name}, ${releases(key)}`);
  for (const line of termLines(key.grant)) terminal.line(`  ${line}`);
  if (key.grant.simulated === true) {
    terminal.line(terminal.paint("warn", "  SIMULATED platforms get it: nothing but software"));
  }
  terminal.result({ ok: true, key });
}

function termLines(grant: KeyGrant): string[] {
  const { measurements, programs, policies, readers, not_after: notAfter } = grant;
  const lines = (what: string, digests: readonly string[] = []): string[] =>
    digests.map((digest) => `${what.padEnd(12)} ${digest}`);
  return [
    ...lines("measurement", measurements),
    ...(programs === undefined ? ["program      any that a listed policy pins"] : []),
    ...lines("program", programs),
    ...lines("policy", policies),
    ...lines("reader", readers),
    ...(readers === undefined ? ["reader       anybody that the policy lets"] : []),
    ...(readers?.length === 0 ? ["reader       nobody"] : []),
    ...(notAfter === undefined ? [] : [`until        ${notAfter}`]),
  ];
}

function releases({ released, last_released_at: last }: KeyResource): string {
  const often = released === 1 ? "once" : `${released} times`;
  return last === undefined ? "never released" : `released ${often}, last at ${last}`;
}
