// Answers as the original services gave them: JSON with sorted members, sentences as HTML paragraphs.
import type { FastifyReply } from "fastify";

/** What the schema of a route says that answers with a sentence. */
export const PARAGRAPH = { produces: "text/html" } as const;

/** JSON with its members sorted at every depth, two spaces each, as the original services print it. */
export function sortedJson(value: unknown): string {
  return `${JSON.stringify(sorted(value), undefined, 2)}\n`;
}

/** Answers with sorted JSON; as bytes, because to text Fastify would add a charset, which the originals don't name. */
export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.type("application/json").send(Buffer.from(sortedJson(value)));
}

/** Answers with a sentence in a paragraph; names in it come from outside and can't become markup. */
export function sendParagraph(reply: FastifyReply, sentence: string): FastifyReply {
  return reply.type("text/html; charset=utf-8").send(`<p>${escapeHtml(sentence)}</p>`);
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}
