// Tokens of an issuer: a good one is taken, and each way of being no good is refused.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { before, describe, it } from "node:test";
import { systemClock } from "@holdfast/core";
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from "jose";
import {
  AUDIENCE,
  ISSUER,
  type IssuerKey,
  newIssuerKey,
  serveKeySet,
  signToken,
} from "../testing/issuer.ts";
import { type KeySet, parseKeySet } from "./key-set.ts";
import { hasRole, type Principal } from "./principal.ts";
import { ALGORITHMS, type TokenRules } from "./token-rules.ts";
import { verifyToken } from "./token-verifier.ts";

const RULES: TokenRules = {
  issuer: ISSUER,
  audience: [AUDIENCE],
  algorithms: ALGORITHMS,
  namespacesClaim: "holdfast_namespaces",
  nameClaim: "sub",
};
const seconds = (): number => Math.floor(Date.now() / 1000);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const good = () => ({ iss: ISSUER, aud: AUDIENCE, sub: "alice", exp: seconds() + 300 });

describe("tokens of an issuer", () => {
  let key: IssuerKey;
  let rsa: IssuerKey;
  let keys: KeySet;

  before(async () => {
    key = await newIssuerKey("one");
    rsa = await newIssuerKey("two", "RS256");
    keys = parseKeySet(JSON.stringify({ keys: [key.publicJwk, rsa.publicJwk] }));
  });

  const verify = (token: string, rules: Partial<TokenRules> = {}): Promise<Principal> =>
    verifyToken(token, keys, { ...RULES, ...rules }, systemClock);
  const refused = (token: string, fault: RegExp, rules: Partial<TokenRules> = {}): Promise<void> =>
    assert.rejects(verify(token, rules), (thrown: Error & { code?: string }) =>
      fault.test(`${thrown.code} ${thrown.message}`),
    );

  it("are taken, with a name and roles by namespace", async () => {
    const claim = {
      "*": ["reader"],
      blue: ["user", "admin", "another service's"],
      "Not one": ["admin"],
    };
    for (const typ of ["JWT", "at+jwt", undefined]) {
      const token = await signToken(key, { holdfast_namespaces: claim }, { typ });
      const principal = await verify(token);
      assert.equal(principal.name, "alice");
      assert.ok(hasRole(principal, "reader") && hasRole(principal, "admin", "blue"));
      assert.ok(!hasRole(principal, "admin") && !hasRole(principal, "admin", "default"));
      assert.ok(!hasRole(principal, "operator", "blue"));
      assert.deepEqual([...principal.namespaces.keys()], ["blue"]);
    }
  });

  it("may name themselves and their roles by other claims", async () => {
    const token = await signToken(key, { email: "a@b.example", roles: { blue: ["user"] } });
    const principal = await verify(token, { nameClaim: "email", namespacesClaim: "roles" });
    assert.equal(principal.name, "a@b.example");
    assert.ok(hasRole(principal, "user", "blue") && !hasRole(principal, "reader"));
  });

  it("of a namespace called like a property of objects give no roles", async () => {
    const principal = await verify(
      await signToken(key, { holdfast_namespaces: { blue: ["user"] } }),
    );
    for (const name of ["constructor", "__proto__", "toString"])
      assert.ok(!hasRole(principal, "user", name));
  });

  it("may be a little ahead or behind: clocks differ", async () => {
    await verify(await signToken(key, { exp: seconds() - 10 }));
    await verify(await signToken(key, { nbf: seconds() + 10 }));
  });

  it("for one of several audiences are taken", async () => {
    await verify(await signToken(key, { aud: ["x", AUDIENCE] }));
    await verify(await signToken(key, { aud: "other" }), { audience: [AUDIENCE, "other"] });
  });

  const claimFaults: Readonly<Record<string, [() => Record<string, unknown>, RegExp]>> = {
    "has expired": [() => ({ exp: seconds() - 60 }), /ERR_JWT_EXPIRED/],
    "never expires": [() => ({ exp: undefined }), /missing required "exp"/],
    "expires at a text": [() => ({ exp: "tomorrow" }), /"exp" claim must be a number/],
    "is not good yet": [() => ({ nbf: seconds() + 60 }), /"nbf" claim timestamp check failed/],
    "is for another audience": [() => ({ aud: "other" }), /unexpected "aud"/],
    "is for nobody": [() => ({ aud: undefined }), /missing required "aud"/],
    "is of another issuer": [() => ({ iss: `${ISSUER}/` }), /unexpected "iss"/],
    "is of no issuer": [() => ({ iss: undefined }), /missing required "iss"/],
    "names nobody": [() => ({ sub: undefined }), /missing required "sub"/],
    "names somebody by an empty text": [() => ({ sub: "" }), /sub: 1 to 256/],
    "names somebody by a list": [() => ({ sub: ["alice"] }), /sub/],
    "names somebody with a line feed": [() => ({ sub: "a\nb" }), /sub: 1 to 256/],
    "has roles in a list": [() => ({ holdfast_namespaces: ["admin"] }), /an object expected/],
    "has roles in a text": [() => ({ holdfast_namespaces: { "*": "admin" } }), /a list expected/],
  };
  for (const [fault, [claims, message]] of Object.entries(claimFaults)) {
    it(`refused: one that ${fault}`, async () => {
      await refused(await signToken(key, claims()), message);
    });
  }

  it("refused: one of a type for something else", async () => {
    for (const typ of ["logout+jwt", "dpop+jwt", "JOSE"])
      await refused(await signToken(key, {}, { typ }), /type/);
  });

  it("refused: one under a key nobody knows", async () => {
    await refused(await signToken(await newIssuerKey("three")), /NO_MATCHING_KEY/);
  });

  it("refused: one that names a known key, under another", async () => {
    await refused(await signToken(await newIssuerKey("one")), /SIGNATURE_VERIFICATION_FAILED/);
  });

  it("refused: one that was changed after it was signed", async () => {
    const [header, , signature] = (await signToken(key)).split(".");
    const changed = part({ ...good(), holdfast_namespaces: { "*": ["admin"] } });
    await refused(`${header}.${changed}.${signature}`, /SIGNATURE_VERIFICATION_FAILED/);
  });

  it("refused: one that is not signed", async () => {
    for (const alg of ["none", "None", ""])
      await refused(`${part({ alg, kid: "one" })}.${part(good())}.`, /ALG|alg|Invalid/);
  });

  it("refused: one signed with the public key as a secret", async () => {
    const { publicKey } = await generateKeyPair("RS256", { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: "two" };
    const secrets = [
      await exportSPKI(
        (await importJWK(rsa.publicJwk, "RS256", { extractable: true })) as CryptoKey,
      ),
      JSON.stringify(jwk),
    ];
    for (const secret of secrets) {
      const signed = `${part({ alg: "HS256", kid: "two" })}.${part(good())}`;
      const mac = createHmac("sha256", secret).update(signed).digest("base64url");
      await refused(`${signed}.${mac}`, /ALG_NOT_ALLOWED/);
    }
  });

  it("refused: one under a secret key of the set", async () => {
    const secret = Buffer.alloc(32, 7);
    const set = { keys: [{ kty: "oct", kid: "s", k: secret.toString("base64url"), alg: "HS256" }] };
    const token = await new SignJWT(good())
      .setProtectedHeader({ alg: "HS256", kid: "s" })
      .sign(secret);
    await assert.rejects(
      verifyToken(
        token,
        parseKeySet(JSON.stringify(set)),
        { ...RULES, algorithms: ["HS256"] },
        systemClock,
      ),
      /Unsupported "alg"/,
    );
  });

  it("refused: one by another algorithm than its key is for", async () => {
    const { privateKey } = rsa;
    const pss = await importJWK({ ...(await exportJWK(privateKey)), alg: "PS256" }, "PS256");
    const token = await new SignJWT(good())
      .setProtectedHeader({ alg: "PS256", kid: "two" })
      .sign(pss);
    await refused(token, /NO_MATCHING_KEY/);
  });

  it("refused: one by an algorithm that is not allowed", async () => {
    await refused(await signToken(rsa), /ALG_NOT_ALLOWED/, { algorithms: ["ES256"] });
  });

  it("refused: one whose header names two algorithms", async () => {
    const signed = await signToken(key);
    const header = Buffer.from(`{"alg":"none","alg":"ES256","kid":"one"}`).toString("base64url");
    const [, payload, signature] = signed.split(".");
    await refused(`${header}.${payload}.${signature}`, /SIGNATURE_VERIFICATION_FAILED/);
  });

  it("refused: one that brings its own key, which nobody looks at", async () => {
    const stranger = await newIssuerKey("mine");
    const server = await serveKeySet([stranger.publicJwk]);
    try {
      for (const header of [
        { jwk: stranger.publicJwk },
        { jku: server.url },
        { x5u: server.url },
        { jwk: stranger.publicJwk, kid: "one" },
        { jku: server.url, kid: "one" },
      ]) {
        await refused(await signToken(stranger, {}, header), /NO_MATCHING_KEY|SIGNATURE/);
      }
      assert.equal(server.asked, 0);
    } finally {
      await server.close();
    }
  });

  it("refused: one that asks for an extension nobody knows", async () => {
    const token = await new SignJWT(good())
      .setProtectedHeader({ alg: "ES256", kid: "one", crit: ["http://x"], "http://x": 1 } as never)
      .sign(key.privateKey, { crit: { "http://x": true } });
    await refused(token, /crit|NOT_SUPPORTED/);
  });

  it("refused: one that is too long, unread", async () => {
    await refused(await signToken(key, { padding: "x".repeat(8192) }), /longer than 8192/);
  });

  it("refused: what is no token at all", async () => {
    for (const text of ["", ".", "..", "a.b", "a.b.c", "a.b.c.d.e", "Ω.Ω.Ω"]) {
      await assert.rejects(verify(text));
    }
  });
});
