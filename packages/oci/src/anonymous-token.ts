// The token that a registry gives to everybody who asks (Distribution token authentication).
import { readBody, toText } from "@holdfast/core";
import { type Asking, ask, failed } from "./ask.ts";
import { withinSilence } from "./within-silence.ts";

const MAXIMUM_BYTES = 64 * 1024;
/** What may stand in a header. */
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * A token.
 * @param challenge the registry's `www-authenticate`
 * @throws SourceError SOURCE_NOT_ALLOWED, SOURCE_FAILED
 */
export async function anonymousToken(challenge: string, asking: Asking): Promise<string> {
  const url = addressIn(challenge);
  const answer = await ask(url, asking);
  try {
    const bytes = await withinSilence(readBody(answer, MAXIMUM_BYTES), asking.silenceMs);
    const { token, access_token: other } = JSON.parse(toText(bytes ?? new Uint8Array()));
    const given: unknown = token ?? other;
    if (answer.statusCode === 200 && typeof given === "string" && TOKEN.test(given)) return given;
  } catch {
    // Said below.
  } finally {
    answer.destroy();
  }
  throw failed(`${url.origin} gives no token`);
}

function addressIn(challenge: string): URL {
  const field = (name: string): string | undefined =>
    new RegExp(`\\b${name}="([^"]*)"`).exec(challenge)?.[1];
  const url = URL.parse(field("realm") ?? "");
  if (url === null || !/^https?:$/.test(url.protocol) || !challenge.startsWith("Bearer ")) {
    throw failed("the registry wants credentials of a kind that is not known");
  }
  for (const name of ["service", "scope"]) {
    const value = field(name);
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url;
}
