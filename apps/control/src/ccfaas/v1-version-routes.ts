// Versions of functions and names for them.
import {
  AliasBody,
  AliasResource,
  AliasResources,
  PageQuery,
  VersionDetail,
  type VersionResource,
  VersionResources,
} from "@holdfast/contract";
import type { StoredAlias, StoredFunction, VersionEntry } from "@holdfast/store";
import { Type } from "typebox";
import { ControlError } from "../errors.ts";
import { pageOf } from "../http/pages.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { findVersion } from "./choose-revision.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { type CcfaasParts, contextOf, timestamp } from "./context.ts";
import { findFunction } from "./register-function.ts";
import { filesOf } from "./v1-function-routes.ts";

const Name = Type.Object({ name: Type.String() });
const NameAndVersion = Type.Object({ name: Type.String(), version: Type.String() });
const NameAndAlias = Type.Object({ name: Type.String(), alias: Type.String() });
/** A letter first: no alias looks like a number or a digest. */
const ALIAS = /^[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?$/;

/** Adds the routes. */
export function v1VersionRoutes(app: ServiceApp, parts: CcfaasParts): void {
  versionRoutes(app, parts);
  aliasRoutes(app, parts);
}

function versionRoutes(app: ServiceApp, parts: CcfaasParts): void {
  app.get(
    "/v1/functions/:name/versions",
    {
      schema: {
        summary: "Versions of a function, oldest first",
        params: Name,
        querystring: PageQuery,
        response: { 200: VersionResources },
      },
    },
    async (request) => {
      const context = contextOf(parts, request);
      const found = await findFunction(context, request.params.name);
      const all = await context.store.functions.versions(found.id);
      const { items, next } = pageOf(all, placeOf, request.query);
      const aliases = await context.store.functions.aliases(found.id);
      const versions = items.map((each) => versionOf(found, each, aliases));
      return { versions, ...(next === undefined ? {} : { next }) };
    },
  );

  app.get(
    "/v1/functions/:name/versions/:version",
    {
      schema: {
        summary: "One version with its definition, by number or digest",
        params: NameAndVersion,
        response: { 200: VersionDetail },
      },
    },
    async (request) => {
      const context = contextOf(parts, request);
      const found = await findFunction(context, request.params.name);
      const revision = await findVersion(context, found, request.params.version);
      const { functions } = context.store;
      const entry = (await functions.versions(found.id)).find(
        ({ revisionId }) => revisionId === revision.id,
      );
      if (entry === undefined) throw notFound(found.name, request.params.version);
      const { files } = await filesOf(context, revision);
      return {
        ...versionOf(found, entry, await functions.aliases(found.id)),
        definition: JSON.parse(revision.definition),
        files,
      };
    },
  );

  app.delete(
    "/v1/functions/:name/versions/:version",
    {
      schema: {
        summary:
          "Remove a version that neither the name alone, nor an alias, nor an instance needs",
        params: NameAndVersion,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const context = contextOf(parts, request);
      const { name, version } = request.params;
      const found = await findFunction(context, name);
      const { id } = await findVersion(context, found, version);
      const { functions } = context.store;
      const { isFound, neededBy } = await functions.removeVersion(found.id, id, timestamp(context));
      if (!isFound) throw notFound(name, version);
      if (neededBy.length > 0) {
        const text = `version ${version} of function ${name} is needed by ${neededBy.join(", ")}`;
        throw new ControlError(409, "VERSION_IN_USE", text);
      }
      await collectBlobs(context);
      return reply.code(204).send(null);
    },
  );
}

function aliasRoutes(app: ServiceApp, parts: CcfaasParts): void {
  app.get(
    "/v1/functions/:name/aliases",
    {
      schema: {
        summary: "Aliases of a function in order of names",
        params: Name,
        response: { 200: AliasResources },
      },
    },
    async (request) => {
      const context = contextOf(parts, request);
      const { id } = await findFunction(context, request.params.name);
      return { aliases: (await context.store.functions.aliases(id)).map(aliasOf) };
    },
  );

  app.get(
    "/v1/functions/:name/aliases/:alias",
    {
      schema: {
        summary: "What an alias means",
        params: NameAndAlias,
        response: { 200: AliasResource },
      },
    },
    async (request) => {
      const context = contextOf(parts, request);
      const { name, alias } = request.params;
      const { id } = await findFunction(context, name);
      const found = (await context.store.functions.aliases(id)).find((each) => each.name === alias);
      if (found === undefined) throw noAlias(name, alias);
      return aliasOf(found);
    },
  );

  app.put(
    "/v1/functions/:name/aliases/:alias",
    {
      schema: {
        summary: "Make an alias mean a version from now on, whatever it meant before",
        params: NameAndAlias,
        body: AliasBody,
        response: { 200: AliasResource },
      },
    },
    async (request) => {
      const context = contextOf(parts, request);
      const { name, alias } = request.params;
      refuseOddName(alias);
      const found = await findFunction(context, name);
      const version = String(request.body.version);
      const { id } = await findVersion(context, found, version);
      const { functions } = context.store;
      const set = await functions.setAlias(found.id, alias, id, timestamp(context));
      if (set === undefined) throw notFound(name, version);
      return aliasOf(set);
    },
  );

  app.delete(
    "/v1/functions/:name/aliases/:alias",
    {
      schema: {
        summary: "Remove an alias; the version stays",
        params: NameAndAlias,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const context = contextOf(parts, request);
      const { name, alias } = request.params;
      const { id } = await findFunction(context, name);
      const { functions } = context.store;
      if (!(await functions.removeAlias(id, alias, timestamp(context)))) throw noAlias(name, alias);
      return reply.code(204).send(null);
    },
  );
}

/** Numbers as text in the order of numbers, for pages. */
function placeOf({ version }: VersionEntry): string {
  return String(version).padStart(9, "0");
}

function versionOf(
  { head }: StoredFunction,
  { revisionId, version, digest, bytes, createdAt }: VersionEntry,
  aliases: readonly StoredAlias[],
): VersionResource {
  const own = aliases.filter((alias) => alias.revisionId === revisionId);
  return {
    version,
    digest: `sha256:${digest}`,
    current: head.id === revisionId,
    aliases: own.map(({ name }) => name),
    bytes,
    created_at: createdAt,
  };
}

function aliasOf({ name, version, digest, updatedAt }: StoredAlias): AliasResource {
  return { name, version, digest: `sha256:${digest}`, updated_at: updatedAt };
}

function refuseOddName(alias: string): void {
  if (ALIAS.test(alias)) return;
  const text =
    "an alias has 1 to 40 small letters, digits and dashes: a letter first, no dash last";
  throw new ControlError(400, "NAME_INVALID", text);
}

function notFound(name: string, version: string): ControlError {
  return new ControlError(404, "VERSION_NOT_FOUND", `function ${name} has no version ${version}`);
}

function noAlias(name: string, alias: string): ControlError {
  return new ControlError(404, "ALIAS_NOT_FOUND", `function ${name} has no alias ${alias}`);
}
