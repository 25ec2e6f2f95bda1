// Finds the route of a request.
import { KeepError } from "../errors.ts";
import type { Route } from "./exchange.ts";

/** A route with the open parts of its path filled in. */
export interface Found {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

const MAXIMUM_PARTS = 8;

/**
 * The route for a method and a path.
 * @throws KeepError ROUTE_UNKNOWN, METHOD_UNKNOWN, REQUEST_INVALID when a part of the path can't be decoded
 */
export function findRoute(routes: readonly Route[], method: string, path: string): Found {
  const parts = path.split("/", MAXIMUM_PARTS + 1);
  const matching = routes.flatMap((route): Found[] => {
    const parameters = match(route.path.split("/"), parts);
    return parameters === undefined ? [] : [{ route, parameters }];
  });
  const found = matching.find(({ route }) => route.method === method);
  if (found !== undefined) return found;
  if (matching.length === 0) throw new KeepError("ROUTE_UNKNOWN", "there is no such resource");
  const allow = matching.map(({ route }) => route.method).join(", ");
  throw new KeepError("METHOD_UNKNOWN", `this resource answers to ${allow}`, {
    details: { allow },
  });
}

function match(
  pattern: readonly string[],
  parts: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const part = parts[index] ?? "";
    if (wanted.startsWith(":")) parameters[wanted.slice(1)] = decode(part);
    else if (wanted !== part) return undefined;
  }
  return parameters;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new KeepError("REQUEST_INVALID", "the path is not properly encoded", { cause });
  }
}
