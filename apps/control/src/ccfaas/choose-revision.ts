// Which revision of which function a request means: a name alone is its newest; under /v1, `NAME@VERSION` is one version,
// by number, digest (`sha256:...`) or alias. A function that is really called so comes first.
import type { StoredRevision } from "@holdfast/store";
import { ControlError } from "../errors.ts";
import type { CcfaasContext } from "./context.ts";
import { findFunction } from "./register-function.ts";

/** A revision and its function's name. */
export interface ChosenRevision {
  readonly name: string;
  readonly revision: StoredRevision;
}

const NUMBER = /^[1-9][0-9]{0,8}$/;
const DIGEST = /^sha256:([0-9a-f]{64})$/;

/**
 * The newest revision of a function.
 * @throws ControlError FUNCTION_NOT_FOUND
 */
export async function chooseHead(context: CcfaasContext, name: string): Promise<ChosenRevision> {
  const found = await findFunction(context, name);
  return { name, revision: found.head };
}

/**
 * The revision that `NAME` or `NAME@VERSION` means.
 * @throws ControlError FUNCTION_NOT_FOUND, VERSION_NOT_FOUND
 */
export async function chooseRevision(
  context: CcfaasContext,
  text: string,
): Promise<ChosenRevision> {
  const at = text.lastIndexOf("@");
  const { store, namespace } = context;
  if (at < 0 || (await store.functions.find(namespace, text)) !== undefined) {
    return await chooseHead(context, text);
  }
  const name = text.slice(0, at);
  const { id } = await findFunction(context, name);
  return { name, revision: await findVersion(context, { id, name }, text.slice(at + 1)) };
}

/**
 * A version of a function by number, digest or alias.
 * @throws ControlError VERSION_NOT_FOUND
 */
export async function findVersion(
  { store: { functions } }: CcfaasContext,
  { id, name }: { readonly id: string; readonly name: string },
  text: string,
): Promise<StoredRevision> {
  const digest = DIGEST.exec(text)?.[1];
  const exact = NUMBER.test(text) ? Number(text) : digest;
  const found =
    exact === undefined
      ? await revisionOfAlias(functions, id, text)
      : await functions.findVersion(id, exact);
  if (found !== undefined) return found;
  throw new ControlError(404, "VERSION_NOT_FOUND", `function ${name} has no version ${text}`);
}

async function revisionOfAlias(
  functions: CcfaasContext["store"]["functions"],
  functionId: string,
  name: string,
): Promise<StoredRevision | undefined> {
  const alias = (await functions.aliases(functionId)).find((each) => each.name === name);
  return alias === undefined ? undefined : await functions.revision(alias.revisionId);
}
