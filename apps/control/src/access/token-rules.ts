// Which tokens of an issuer are good. Apart from whoever checks them, which is loaded only when there are such rules.

/** Algorithms with a key pair: a secret that both sides know would let every service make tokens. */
export const ALGORITHMS = [
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
] as const;

/** Which tokens are good. */
export interface TokenRules {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  /** Claim of roles by namespace; `*` stands for every namespace. */
  readonly namespacesClaim: string;
  readonly nameClaim: string;
}

/** Tokens longer than this are refused unread. */
export const LONGEST_TOKEN = 8192;

/** Keys can't be had: nobody can say whether a token is good. */
export class KeysUnavailable extends Error {}
