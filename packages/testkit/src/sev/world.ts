// The certificates of a SEV platform under keys of our own, changed exactly as told.
import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { concat } from "@holdfast/core";
import {
  parseSevAuthority,
  parseSevCertificate,
  type SevChain,
  type TrustedKey,
} from "@holdfast/evidence";
import { newKeys } from "../pki/party.ts";

/** Certificates of a platform, by what they are. */
export type SevName = keyof SevChain;

/** What to change of a chain; everything else, signatures included, is right. */
export interface SevChanges {
  /** What a certificate says that it is. */
  readonly usage?: Partial<Record<SevName, SevName>>;
  /** Who signs whom instead. */
  readonly signer?: Partial<Record<SevName, readonly SevName[]>>;
  /** Where a bit of a certificate is turned over. */
  readonly flip?: Partial<Record<SevName, number>>;
  /** Roots that are trusted in place of the chain's own. */
  readonly anchors?: (chain: SevChain) => readonly TrustedKey[];
}

const USAGE: Readonly<Record<SevName, number>> = {
  ark: 0,
  ask: 19,
  oca: 4097,
  pek: 4098,
  pdh: 4099,
  cek: 4100,
};
/** Who signs a certificate, when nothing is changed. */
const SIGNERS: Readonly<Record<SevName, readonly SevName[]>> = {
  ark: ["ark"],
  ask: ["ark"],
  cek: ["ask"],
  oca: ["oca"],
  pek: ["cek", "oca"],
  pdh: ["pek"],
};
const NAMES: readonly SevName[] = ["ark", "ask", "cek", "oca", "pek", "pdh"];
const keys = new Map<SevName, ReturnType<typeof newKeys>>();

/** The chain, read. */
export function newSevChain(changes: SevChanges = {}): SevChain {
  const files = encodeSevChain(changes);
  return {
    ark: parseSevAuthority(files.ark),
    ask: parseSevAuthority(files.ask),
    cek: parseSevCertificate(files.cek),
    oca: parseSevCertificate(files.oca),
    pek: parseSevCertificate(files.pek),
    pdh: parseSevCertificate(files.pdh),
  };
}

/** The chain as its files are. */
export function encodeSevChain({
  usage,
  signer,
  flip,
}: SevChanges = {}): Record<SevName, Uint8Array> {
  const encode = (name: SevName): Uint8Array => {
    const signers = signer?.[name] ?? SIGNERS[name];
    const claimed = usage?.[name] ?? name;
    const bytes =
      name === "ark" || name === "ask"
        ? encodeAuthority(name, signers[0] ?? "ark", claimed)
        : encodeCertificate(name, signers, claimed);
    const at = flip?.[name];
    return at === undefined ? bytes : bytes.with(at, (bytes[at] ?? 0) ^ 1);
  };
  const [ark, ask, cek, oca, pek, pdh] = NAMES.map(encode);
  if (!ark || !ask || !cek || !oca || !pek || !pdh) throw new Error("a certificate is missing");
  return { ark, ask, cek, oca, pek, pdh };
}

/** Made when they are first needed: RSA keys take their time. */
function keysOf(name: SevName): ReturnType<typeof newKeys> {
  const known = keys.get(name);
  if (known !== undefined) return known;
  const made =
    name === "ark" || name === "ask"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : newKeys("p384");
  keys.set(name, made);
  return made;
}

function encodeAuthority(name: "ark" | "ask", by: SevName, usage: SevName): Uint8Array {
  const { n = "", e = "" } = keysOf(name).publicKey.export({ format: "jwk" });
  const [modulus, exponent] = [n, e].map((part) => new Uint8Array(Buffer.from(part, "base64url")));
  const keyId = (of: SevName): Uint8Array => new Uint8Array(16).fill(USAGE[of] + 1);
  const signed = concat(
    little(4, 1),
    keyId(name),
    keyId("ark"),
    little(4, USAGE[usage]),
    new Uint8Array(16),
    little(4, 2048),
    little(4, 2048),
    padded(exponent?.toReversed() ?? new Uint8Array(), 256),
    padded(modulus?.toReversed() ?? new Uint8Array(), 256),
  );
  return concat(signed, signPss(keysOf(by).privateKey, signed));
}

function encodeCertificate(name: SevName, by: readonly SevName[], usage: SevName): Uint8Array {
  const { x = "", y = "" } = keysOf(name).publicKey.export({ format: "jwk" });
  const [first, second] = [x, y].map((part) => new Uint8Array(Buffer.from(part, "base64url")));
  const signed = concat(
    little(4, 1),
    Uint8Array.of(0, 17),
    new Uint8Array(2),
    little(4, USAGE[usage]),
    little(4, name === "pdh" ? 0x103 : 0x102),
    little(4, 2),
    padded(first?.toReversed() ?? new Uint8Array(), 72),
    padded(second?.toReversed() ?? new Uint8Array(), 72),
    new Uint8Array(1028 - 148),
  );
  const places = [by[0], by[1]].map((each) =>
    each === undefined
      ? concat(little(4, 0x1000), little(4, 0), new Uint8Array(512))
      : signature(each, signed),
  );
  return concat(signed, ...places);
}

function signature(by: SevName, signed: Uint8Array): Uint8Array {
  const key = keysOf(by).privateKey;
  if (key.asymmetricKeyType === "rsa") {
    return concat(little(4, USAGE[by]), little(4, 1), padded(signPss(key, signed), 512));
  }
  const raw = new Uint8Array(sign("sha384", signed, { key, dsaEncoding: "ieee-p1363" }));
  const halves = [raw.subarray(0, 48), raw.subarray(48)].map((half) =>
    padded(half.toReversed(), 72),
  );
  return concat(little(4, USAGE[by]), little(4, 0x102), padded(concat(...halves), 512));
}

/** Little-endian, as all of it. */
function signPss(key: KeyObject, signed: Uint8Array): Uint8Array {
  if (key.asymmetricKeyType !== "rsa") return new Uint8Array(256);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return new Uint8Array(sign("sha256", signed, { key, padding, saltLength: 32 })).toReversed();
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  return concat(bytes, new Uint8Array(length - bytes.length));
}

function little(length: number, value: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** index) % 256);
}
