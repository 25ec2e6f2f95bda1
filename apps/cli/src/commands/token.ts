// `holdfast token`: who is let in at the control plane, and with which roles. A token is shown once; the file of
// principals holds its digest alone.
import { createHash, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { NAMESPACE_NAME } from "@holdfast/contract";
import { messageOf } from "@holdfast/core";
import { type Command, Option } from "commander";
import {
  changePrincipals,
  newToken,
  type Principal,
  ROLES,
  readPrincipals,
  tokenDigest,
} from "../access/principals.ts";
import { readProfile, writeProfile } from "../access/profile.ts";
import { collected, newCommand, newGroup } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { readTextFile, writeWholeFile } from "../files.ts";
import { accessFiles } from "../processes/platform-access.ts";

interface FileOptions {
  readonly dataDir: string;
  readonly principals?: string;
}

interface NewOptions extends FileOptions {
  readonly role?: readonly (readonly string[])[];
  readonly namespace?: readonly (readonly [string, readonly string[]])[];
  readonly certificate?: string;
  readonly out?: string;
  readonly profileOut?: string;
  readonly replace?: boolean;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/;
const ROLE_HELP = `Roles:
  reader    look at everything
  user      make and end instances, copy into keeps
  admin     register, fill and remove functions
  operator  make and end keeps at VaaS, which CCFaaS does for everybody else`;

/** `token …`. */
export function tokenCommands(context: Context): Command {
  const commands = [newTokenCommand, listCommand, revokeCommand];
  return newGroup(
    "token",
    "tokens of people and services, and what they may do",
    commands.map((make) => withFile(make(context))),
  );
}

function newTokenCommand(context: Context): Command {
  return newCommand("new", {
    summary: "make a token for somebody, with roles",
    description: `Makes a token and adds its digest to the file of principals. The token is shown now and never again.\nA running control plane learns of it within seconds.\n\n${ROLE_HELP}`,
    examples: [
      "holdfast token new alice --role user,reader --profile-out alice.json",
      "holdfast token new team-a-admin --namespace team-a=admin,user,reader --out team-a.token",
      "holdfast token new alice --role reader --replace",
      "holdfast token new camera --namespace team-a=user --certificate camera.pem",
    ],
  })
    .argument("<name>", "who it is for, as the audit log will name him")
    .addOption(
      new Option("--role <roles>", "roles in every namespace, separated by commas").argParser(
        collected(parseRoles, ROLES.join(", ")),
      ),
    )
    .addOption(
      new Option(
        "--namespace <name=roles>",
        "roles in one namespace; repeat for more namespaces",
      ).argParser(collected(parseNamespaceRoles, `NAME=ROLES of ${ROLES.join(", ")}`)),
    )
    .option("--certificate <pem>", "know him by this client certificate; no token is made")
    .option("--out <file>", "write the token there, for its owner alone, instead of showing it")
    .option("--profile-out <file>", "write a whole profile with the token, to be handed over")
    .option("--replace", "take the place of who has this name; the old token is no longer known")
    .action((name: string, options: NewOptions) => makeToken(context, name, options));
}

async function makeToken(context: Context, name: string, options: NewOptions): Promise<void> {
  if (!NAME.test(name)) {
    throw new CliError("CLI_USAGE", "a name of letters, digits and . _ @ - is expected", {
      hint: "the name stands in the audit log: choose one that people know",
    });
  }
  const roles = [...new Set((options.role ?? []).flat())];
  const namespaces = Object.fromEntries(options.namespace ?? []);
  if (roles.length + Object.keys(namespaces).length === 0) {
    throw new CliError("CLI_USAGE", "a token without a role opens nothing", {
      hint: `--role ROLES for every namespace, or --namespace NAME=ROLES; roles are ${ROLES.join(", ")}`,
    });
  }
  if (options.certificate !== undefined && (options.out ?? options.profileOut) !== undefined) {
    throw new CliError("CLI_USAGE", "with --certificate no token is made that could be written", {
      hint: "leave out --out and --profile-out",
    });
  }
  const token = options.certificate === undefined ? newToken() : undefined;
  const principal: Principal = {
    name,
    ...(roles.length === 0 ? {} : { roles }),
    ...(options.namespace === undefined ? {} : { namespaces }),
    ...(token === undefined ? {} : { token_sha256: tokenDigest(token) }),
    ...(options.certificate === undefined
      ? {}
      : { certificate_sha256: await certificateDigest(options.certificate) }),
  };
  const file = fileOf(options);
  await changePrincipals(file, async (principals) => {
    const others = principals.filter((each) => each.name !== name);
    if (others.length < principals.length && options.replace !== true) {
      throw new CliError("CLI_INPUT", `${name} is there already`, {
        hint: "give him a new token and these roles with --replace, or choose another name",
      });
    }
    // Written before it is known: a token that nobody knows opens nothing.
    if (token !== undefined) await writeToken(token, principal, options);
    return [...others, principal];
  });
  const { terminal } = context;
  const written = [options.out, options.profileOut].filter((each) => each !== undefined);
  terminal.note(`${name}: ${describeRoles(principal)}`);
  if (written.length > 0) terminal.line(`the token is in ${written.join(" and ")}`);
  else terminal.line(token ?? `${name} is known by the certificate in ${options.certificate}`);
  terminal.result({
    ok: true,
    name,
    roles,
    namespaces,
    principals: file,
    ...(written.length > 0 || token === undefined ? { written } : { token }),
  });
}

async function certificateDigest(file: string): Promise<string> {
  const pem = await readTextFile(file, "certificate");
  try {
    return createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");
  } catch (cause) {
    throw new CliError("CLI_INPUT", `${file} holds no certificate: ${messageOf(cause)}`);
  }
}

async function writeToken(
  token: string,
  { roles = [], namespaces = {} }: Principal,
  { out, profileOut, dataDir }: NewOptions,
): Promise<void> {
  if (out !== undefined) await writeWholeFile(out, `${token}\n`, { secret: true });
  if (profileOut === undefined) return;
  const { urls, caFile } = await readProfile(join(dataDir, "profile.json"));
  const ca =
    caFile === undefined ? {} : { ca_pem: await readTextFile(caFile, "authority's certificate") };
  // Who has roles in one namespace alone works there.
  const [namespace, ...more] = roles.length === 0 ? Object.keys(namespaces) : [];
  const where = namespace === undefined || more.length > 0 ? {} : { namespace };
  await writeProfile(profileOut, { ...urls, ...ca, token, ...where });
}

function listCommand(context: Context): Command {
  return newCommand("list", {
    summary: "list who is known, with roles",
    examples: ["holdfast token list", "holdfast token list --json"],
  }).action(async (options: FileOptions) => {
    const principals = await readPrincipals(fileOf(options));
    const { terminal } = context;
    for (const each of principals) {
      const by = each.certificate_sha256 === undefined ? "token" : "certificate";
      const digest = (each.token_sha256 ?? each.certificate_sha256 ?? "none").slice(0, 12);
      terminal.line(`${each.name}  ${describeRoles(each)}  ${by} ${digest}…`);
    }
    if (principals.length === 0) terminal.note("nobody is known");
    terminal.result({ ok: true, principals });
  });
}

function revokeCommand(context: Context): Command {
  return newCommand("revoke", {
    summary: "no longer know somebody, and so his token",
    examples: ["holdfast token revoke alice"],
  })
    .argument("<name>", "who is no longer let in")
    .action(async (name: string, options: FileOptions) => {
      await changePrincipals(fileOf(options), (principals) => {
        const others = principals.filter((each) => each.name !== name);
        if (others.length < principals.length) return others;
        throw new CliError("CLI_INPUT", `nobody is called ${name}`, {
          hint: "see who is known: holdfast token list",
        });
      });
      context.terminal.line(`${name} is no longer known`);
      context.terminal.result({ ok: true, revoked: name });
    });
}

function withFile(command: Command): Command {
  return command
    .option("--data-dir <dir>", "data directory of `holdfast up`", "holdfast-data")
    .option("--principals <file>", "another file of principals than that of the data directory");
}

function fileOf({ dataDir, principals }: FileOptions): string {
  return principals ?? accessFiles(dataDir).principalsFile;
}

function describeRoles({ roles = [], namespaces = {} }: Principal): string {
  const everywhere = roles.length === 0 ? [] : [roles.join(", ")];
  const within = Object.entries(namespaces).map(([name, own]) => `${own.join(", ")} in ${name}`);
  return [...everywhere, ...within].join("; ");
}

function parseRoles(text: string): readonly string[] | undefined {
  const names: readonly string[] = ROLES;
  const roles = text.split(",");
  return roles.every((role) => names.includes(role)) ? roles : undefined;
}

function parseNamespaceRoles(text: string): readonly [string, readonly string[]] | undefined {
  const [name = "", list = "", ...rest] = text.split("=");
  const roles = parseRoles(list);
  if (!NAMESPACE_NAME.test(name) || roles === undefined || rest.length > 0) return undefined;
  return [name, roles];
}
