// Makes the same signature check only once while one piece of evidence is judged: looking for an issuer and verifying the
// path found ask the same questions. What is remembered lives as long as the judging.
import { type CryptoPort, type SignatureScheme, sameBytes } from "@holdfast/core";

interface Asked {
  readonly scheme: SignatureScheme;
  readonly spki: Uint8Array;
  readonly signature: Uint8Array;
  readonly answer: Promise<boolean>;
}

/** A crypto port that remembers its answers, by the very bytes it was asked about. */
export function askingOnce(crypto: CryptoPort): CryptoPort {
  const asked = new WeakMap<Uint8Array, Asked[]>();
  return {
    digest: (name, data) => crypto.digest(name, data),
    verify(scheme, spki, signature, data) {
      const before = asked.get(data) ?? [];
      const same = before.find(
        (each) =>
          sameScheme(each.scheme, scheme) &&
          sameBytes(each.spki, spki) &&
          sameBytes(each.signature, signature),
      );
      if (same !== undefined) return same.answer;
      const answer = crypto.verify(scheme, spki, signature, data);
      asked.set(data, [...before, { scheme, spki, signature, answer }]);
      return answer;
    },
  };
}

function sameScheme(left: SignatureScheme, right: SignatureScheme): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
