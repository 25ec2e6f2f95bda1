// The service's configuration: one JSON file, read once, every unknown member refused.
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  type CallerRates,
  isLoopback,
  type Rate,
  type TlsSource,
  tlsSourceOf,
} from "@holdfast/channel";
import { type Certificate, fromPem, messageOf, parseCertificate } from "@holdfast/core";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { TrustError } from "./errors.ts";
import { type SetSigner, setSignerOf } from "./services/signed-set.ts";

const TOKEN = /^[!-~]{32,512}$/;
const CLOSED = { additionalProperties: false };

const Path = Type.String({ minLength: 1 });
const Source = Type.Object({ url: Type.String({ minLength: 1, maxLength: 1024 }) }, CLOSED);

const RateSection = Type.Object(
  {
    per_second: Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 }),
    burst: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  },
  CLOSED,
);
/** For a start of many keeps at once on one machine, and little enough that one address can't stand in everybody's way. */
const DEFAULT_RATES: CallerRates = {
  address: { perSecond: 200, burst: 2000 },
  failures: { perSecond: 0.2, burst: 20 },
};

const ConfigFile = Type.Object(
  {
    listen: Type.Object(
      { host: Type.String({ minLength: 1 }), port: Type.Integer({ minimum: 0, maximum: 65535 }) },
      CLOSED,
    ),
    /** Plain HTTP when absent, which is for this machine alone. */
    tls: Type.Optional(
      Type.Union([
        Type.Object({ certificate_file: Path, key_file: Path }, CLOSED),
        Type.Object(
          { auto_dir: Path, names: Type.Optional(Type.Array(Type.String(), { maxItems: 64 })) },
          CLOSED,
        ),
      ]),
    ),
    /** Something in front of the service speaks TLS for it. */
    tls_ends_elsewhere: Type.Optional(Type.Boolean()),
    /** How often callers may ask. */
    rates: Type.Optional(
      Type.Object(
        { address: Type.Optional(RateSection), failures: Type.Optional(RateSection) },
        CLOSED,
      ),
    ),
    /** Keys and the log of decisions; relative to the file. */
    data_dir: Type.String({ minLength: 1 }),
    /** Certificate of a simulated root, PEM: naming it accepts evidence that only software stands behind. */
    simulated_root: Type.Optional(Type.String({ minLength: 1 })),
    certificate_hours: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 24 * 30 })),
    challenge_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 3600 })),
    /** File with the administrator's token, for the owner alone; without it nobody administers over the network. */
    admin_token_file: Type.Optional(Type.String({ minLength: 1 })),
    /** Directory of vendors' endorsements and of keys enrolled by the operator, for appraisals. */
    collateral_dir: Type.Optional(Type.String({ minLength: 1 })),
    /** Where vendors' documents are asked for that nobody brought; without them no vendor is asked. */
    collateral_sources: Type.Optional(
      Type.Object({ intel: Type.Optional(Source), amd: Type.Optional(Source) }, CLOSED),
    ),
    /** Public keys, PEM files: with them only sets of reference values signed by one of them are taken. */
    reference_keys: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { maxItems: 16 })),
    /** Who attestation results say they are from. */
    issuer: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  },
  CLOSED,
);

/** The configuration, read. */
export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  /** Plain HTTP when absent. */
  readonly tls?: TlsSource;
  /** Whether who connects is a proxy, which names the address of its client last in X-Forwarded-For. */
  readonly isBehindProxy?: boolean;
  readonly rates: CallerRates;
  readonly dataDirectory: string;
  readonly simulatedRoots: readonly Certificate[];
  readonly certificateHours: number;
  readonly challengeSeconds: number;
  readonly adminToken: string | undefined;
  readonly issuer: string;
  readonly collateralDirectory: string | undefined;
  /** Base addresses by vendor. */
  readonly collateralSources: { readonly intel?: string; readonly amd?: string };
  readonly referenceSigners: readonly SetSigner[];
}

/**
 * Reads a configuration file.
 * @throws TrustError CONFIG_INVALID
 */
export async function readConfig(file: string): Promise<Config> {
  const values = await readValues(file);
  const base = dirname(resolve(file));
  return {
    listen: values.listen,
    ...tlsOf(values, base),
    ...(values.tls_ends_elsewhere === true ? { isBehindProxy: true } : {}),
    rates: {
      address: rateOf(values.rates?.address) ?? DEFAULT_RATES.address,
      failures: rateOf(values.rates?.failures) ?? DEFAULT_RATES.failures,
    },
    dataDirectory: resolve(base, values.data_dir),
    simulatedRoots:
      values.simulated_root === undefined
        ? []
        : [await readRoot(resolve(base, values.simulated_root))],
    certificateHours: values.certificate_hours ?? 24,
    challengeSeconds: values.challenge_seconds ?? 300,
    adminToken:
      values.admin_token_file === undefined
        ? undefined
        : await readToken(resolve(base, values.admin_token_file)),
    issuer: values.issuer ?? "holdfast-attestation",
    collateralDirectory:
      values.collateral_dir === undefined ? undefined : resolve(base, values.collateral_dir),
    collateralSources: {
      ...sourceOf("intel", values.collateral_sources?.intel?.url),
      ...sourceOf("amd", values.collateral_sources?.amd?.url),
    },
    referenceSigners: await Promise.all(
      (values.reference_keys ?? []).map((each) => readSigner(resolve(base, each))),
    ),
  };
}

/**
 * What is asked and answered is public or signed, but keys of results and the administrator's token are not safe from who
 * sits on the way: other machines are served over TLS only.
 */
function tlsOf(
  { listen, tls, tls_ends_elsewhere }: Static<typeof ConfigFile>,
  base: string,
): Pick<Config, "tls"> {
  if (tls === undefined) {
    if (isLoopback(listen.host) || tls_ends_elsewhere === true) return {};
    throw invalid(`listen.host: beyond this machine (${listen.host}) tls is needed`);
  }
  if (tls_ends_elsewhere === true) throw invalid("tls can't stand beside tls_ends_elsewhere");
  try {
    return { tls: tlsSourceOf(tls, base) };
  } catch (cause) {
    throw invalid(messageOf(cause));
  }
}

function rateOf(rate: Static<typeof RateSection> | undefined): Rate | undefined {
  return rate && { perSecond: rate.per_second, burst: rate.burst };
}

async function readValues(file: string): Promise<Static<typeof ConfigFile>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw invalid(`${file} can't be read: ${messageOf(cause)}`, cause);
  }
  if (Value.Check(ConfigFile, value)) return value;
  const [first] = Value.Errors(ConfigFile, value);
  // The schema of what a closed object does not name is `false`.
  const fault = first?.message === "schema is false" ? "is not known" : first?.message;
  throw invalid(`${file}: ${first?.instancePath || "/"} ${fault}`);
}

async function readRoot(file: string): Promise<Certificate> {
  try {
    const blocks = fromPem("CERTIFICATE", await readFile(file, "utf8"));
    const [der] = blocks;
    if (der === undefined || blocks.length > 1) throw new Error("one certificate expected");
    return parseCertificate(der);
  } catch (cause) {
    throw invalid(`simulated_root ${file}: ${messageOf(cause)}`, cause);
  }
}

/** A base address: paths are added to it, so it has none of what comes after paths. */
function sourceOf(vendor: string, url: string | undefined): Record<string, string> {
  if (url === undefined) return {};
  const parsed = URL.parse(url);
  const plain =
    parsed !== null &&
    /^https?:$/.test(parsed.protocol) &&
    parsed.username + parsed.password === "" &&
    !/[?#]/.test(url);
  if (!plain) {
    throw invalid(
      `collateral_sources.${vendor}.url: an http or https address without user, query and fragment is expected`,
    );
  }
  return { [vendor]: parsed.href.replace(/\/+$/, "") };
}

async function readSigner(file: string): Promise<SetSigner> {
  try {
    return setSignerOf(await readFile(file, "utf8"));
  } catch (cause) {
    throw invalid(`reference_keys ${file}: ${messageOf(cause)}`, cause);
  }
}

async function readToken(file: string): Promise<string> {
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) throw new Error("others than its owner may read it (chmod 600)");
    const token = (await readFile(file, "utf8")).trim();
    if (!TOKEN.test(token)) throw new Error("32 to 512 visible characters are expected");
    return token;
  } catch (cause) {
    throw invalid(`admin_token_file ${file}: ${messageOf(cause)}`, cause);
  }
}

function invalid(message: string, cause?: unknown): TrustError {
  return new TrustError("CONFIG_INVALID", message, cause === undefined ? {} : { cause });
}
