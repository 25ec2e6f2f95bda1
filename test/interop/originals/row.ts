// One row of the comparison with the original services: what is asked, and what they and ours answer, in a form short
// enough to be read in a table and exact enough to be a test.
import { type Answer, call } from "../../../apps/control/src/testing/call.ts";

/** A service that is asked. */
export interface Side {
  readonly isOurs: boolean;
  readonly url: string;
}

/** A row. Rows of a table are asked in order: what one leaves behind is there for the next. */
export interface Row<S extends Side> {
  readonly call: string;
  readonly about: string;
  readonly theirs: string;
  readonly ours: string;
  /** Why ours is another, where that is not plain. */
  readonly why?: string;
  readonly ask: (side: S) => Promise<Answer | string>;
}

/** How the two stand to each other. */
export type Standing = "same" | "other words" | "different";

/** A row in which both answer alike. */
export function same<S extends Side>(
  name: string,
  about: string,
  answer: string,
  ask: Row<S>["ask"],
): Row<S> {
  return { call: name, about, theirs: answer, ours: answer, ask };
}

/** A row in which they don't. */
export function differs<S extends Side>(
  name: string,
  about: string,
  answers: Pick<Row<S>, "theirs" | "ours" | "why">,
  ask: Row<S>["ask"],
): Row<S> {
  return { call: name, about, ...answers, ask };
}

/** `same`, `other words` for the same status with a problem document, or `different`. */
export function standingOf({ theirs, ours }: Row<never>): Standing {
  if (theirs === ours) return "same";
  return theirs.slice(0, 3) === ours.slice(0, 3) && /^[45]/.test(ours)
    ? "other words"
    : "different";
}

/** Asks one row of a side. */
export async function askRow<S extends Side>({ ask }: Row<S>, side: S): Promise<string> {
  const answer = await ask(side);
  return typeof answer === "string" ? answer : summaryOf(answer);
}

/** Sends a request to a side. */
export function ask(
  { url }: Side,
  request: string,
  options: Parameters<typeof call>[2] = {},
): Promise<Answer> {
  const [method = "", path = ""] = request.split(" ");
  return call(method, url + path, options);
}

/**
 * An answer in short: status and sentence, status and JSON, or status and code. Digests, policies, ports and what a
 * validator says are named instead of shown.
 */
export function summaryOf({ status, type, text }: Answer): string {
  if (type === "application/problem+json") return `${status} ${JSON.parse(text).code}`;
  if (type === "application/json") return `${status} ${JSON.stringify(JSON.parse(text), inShort)}`;
  if (type !== "text/html; charset=utf-8") return `${status} ${type}: ${text}`;
  if (text.startsWith("<!doctype html>")) return `${status} page of Flask`;
  const sentence = text
    .replace(/(Json object is not correct) [\s\S]*(<\/p>)/, "$1 ...$2")
    .replace(/(Error accessing k8s \(409\))[\s\S]*(<\/p>)/, "$1 ...$2")
    .replace(/(could not be created: ).*(<\/p>)/, "$1...$2");
  return `${status} ${withoutPorts(sentence).replace(/\b[0-9a-f]{59,64}\b/g, "HASH")}`;
}

function inShort(name: string, value: unknown): unknown {
  if (name === "policy") return "POLICY";
  if (name === "instance_hash") return /^[0-9a-f]{59}$/.test(String(value)) ? "HASH" : value;
  if (name !== "veracruz" || !Array.isArray(value)) return value;
  return value.map((entry) =>
    Object.fromEntries(Object.entries(entry).map(([key, each]) => [withoutPorts(key), each])),
  );
}

function withoutPorts(text: string): string {
  return text.replace(/(veracruz-nitro-server|127\.0\.0\.1):\d{4,5}/g, "$1:PORT");
}
