// Plain HTTP, for tests that look at the very words of an answer.
import assert from "node:assert/strict";
import type { Problem } from "@holdfast/contract";

/** An answer, read. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly headers: Headers;
}

/** What is sent. */
export interface Call {
  readonly json?: unknown;
  readonly body?: RequestInit["body"];
  readonly headers?: Record<string, string>;
}

/** Sends a request and reads the answer. */
export async function call(method: string, url: string, options: Call = {}): Promise<Answer> {
  const { json, body, headers } = options;
  const answer = await fetch(url, {
    method,
    headers: { ...(json === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...(body === undefined ? {} : { body, duplex: "half" }),
  } as RequestInit);
  return {
    status: answer.status,
    type: answer.headers.get("content-type") ?? "",
    text: await answer.text(),
    headers: answer.headers,
  };
}

/** Checks that an answer is a paragraph with a sentence. */
export function isParagraph(answer: Answer, sentence: string): void {
  assert.equal(`${answer.status} ${answer.text}`, `200 <p>${sentence}</p>`);
  assert.match(answer.type, /^text\/html/);
}

/** Checks that an answer is JSON of a value. */
export function isJson(answer: Answer, value: unknown): void {
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.type, /^application\/json/);
  assert.deepEqual(JSON.parse(answer.text), value);
}

/** Checks that an answer is a problem document with a code. */
export function isProblem(answer: Answer, status: number, code: string): Problem {
  assert.equal(answer.type, "application/problem+json", answer.text);
  const problem = JSON.parse(answer.text) as Problem;
  assert.equal(`${answer.status} ${problem.code}`, `${status} ${code}`, problem.detail);
  assert.equal(problem.status, status);
  return problem;
}

/** A file's name in a URL. */
export function nameOf(path: string): string {
  return encodeURIComponent(Buffer.from(path).toString("base64"));
}
