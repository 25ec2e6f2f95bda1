// Whether a request comes from the administrator: it carries the token that the configuration names. Only the token's
// hash is kept, and hashes are compared, so neither memory nor time gives the token away.
import { createHash, timingSafeEqual } from "node:crypto";

/** Tells the administrator's requests from others. */
export interface Administrator {
  /** @param authorization the header's value */
  is(authorization: string | undefined): boolean;
}

const BEARER = /^Bearer +([!-~]{1,512})$/i;

/** The administrator who holds a token; nobody when there is none. */
export function administratorOf(token: string | undefined): Administrator {
  if (token === undefined) return { is: () => false };
  const expected = hashOf(token);
  return {
    is(authorization) {
      const presented = BEARER.exec(authorization ?? "")?.[1];
      return presented !== undefined && timingSafeEqual(hashOf(presented), expected);
    },
  };
}

function hashOf(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
