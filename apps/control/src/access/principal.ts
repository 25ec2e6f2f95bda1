// Who a caller is, and what that lets it do: roles in every namespace, and roles in some.
import { type Static, Type } from "typebox";

/** What a principal may do: look, make instances and copy into them, register functions, make keeps. */
export const Role = Type.Union([
  Type.Literal("reader"),
  Type.Literal("user"),
  Type.Literal("admin"),
  Type.Literal("operator"),
]);
export type Role = Static<typeof Role>;

/** All roles. */
export const ROLES: readonly Role[] = Role.anyOf.map((each) => each.const);

/** A caller who is known. */
export interface Principal {
  readonly name: string;
  /** How it proved itself: names of one way are no names of another. */
  readonly by: "token" | "certificate" | "jwt";
  /** Roles in every namespace. */
  readonly roles: ReadonlySet<Role>;
  /** Roles in some namespaces, by the namespace's name. */
  readonly namespaces: ReadonlyMap<string, ReadonlySet<Role>>;
}

/** Whether a principal has a role in a namespace; in every one when none is named. */
export function hasRole({ roles, namespaces }: Principal, role: Role, namespace?: string): boolean {
  if (roles.has(role)) return true;
  return namespace !== undefined && namespaces.get(namespace)?.has(role) === true;
}

/** Who it is, for logs and for counting what it does. */
export function nameOf({ by, name }: Principal): string {
  return `${by}:${name}`;
}
