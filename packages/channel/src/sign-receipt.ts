// Signs receipts with the key that a keep's certificate vouches for.
import { sign } from "node:crypto";
import { canonicalJson, fromText, type JsonValue, toBase64, toBase64Url } from "@holdfast/core";
import { RECEIPT_TYPE, type ReceiptClaims } from "./receipt.ts";
import { chainOf, type KeepCredentials } from "./serve-keep.ts";

/** A receipt as text: a compact JWS with the keep's chain. */
export function signReceipt(claims: ReceiptClaims, credentials: KeepCredentials): string {
  const header = {
    alg: "ES256",
    typ: RECEIPT_TYPE,
    x5c: chainOf(credentials.chainPem).map(toBase64),
  };
  const signed = `${part(header)}.${part(claims as unknown as JsonValue)}`;
  const signature = sign("sha256", fromText(signed), {
    key: credentials.privateKey,
    dsaEncoding: "ieee-p1363",
  });
  return `${signed}.${toBase64Url(signature)}`;
}

function part(value: JsonValue): string {
  return toBase64Url(fromText(canonicalJson(value)));
}
