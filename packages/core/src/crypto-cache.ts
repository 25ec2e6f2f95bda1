// Remembers signatures that held, so that the certificates of a platform, the same in evidence after evidence, cost their
// signatures once. Nothing but the signature itself is remembered: dates, names and trust are judged every time.
import { concat, fromText, toHex } from "./bytes.ts";
import type { CryptoPort } from "./crypto-port.ts";

const MOST = 1024;

/**
 * A crypto port that remembers which signatures held under another one.
 * @param most how many it remembers; the one used longest ago makes room
 */
export function rememberingCrypto(port: CryptoPort, most: number = MOST): CryptoPort {
  const held = new Set<string>();
  return {
    digest: (name, data) => port.digest(name, data),
    async verify(scheme, spki, signature, data) {
      const identity = await identify(port, [
        fromText(JSON.stringify(scheme)),
        spki,
        signature,
        data,
      ]);
      const known = held.delete(identity);
      // Failures are not remembered: a flood of them would drive out what is worth keeping.
      if (!known && !(await port.verify(scheme, spki, signature, data))) return false;
      held.add(identity);
      const [oldest] = held;
      if (held.size > most && oldest !== undefined) held.delete(oldest);
      return true;
    },
  };
}

async function identify(port: CryptoPort, parts: readonly Uint8Array[]): Promise<string> {
  // Each part with its length: no two different calls give the same bytes.
  const whole = concat(...parts.flatMap((part) => [fromText(`${part.length}:`), part]));
  return toHex(await port.digest("SHA-256", whole));
}
