import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ConfigFile, parseConfig } from "./config.ts";
import type { ControlError } from "./errors.ts";

const VALID: ConfigFile = {
  local_development: true,
  data_dir: "data",
  attestation_url: "http://127.0.0.1:3010",
  vaas: { host: "127.0.0.1", port: 5000 },
  ccfaas: { host: "127.0.0.1", port: 5010, vaas_url: "http://127.0.0.1:5000" },
  s3: { host: "127.0.0.1", port: 5020, endpoint: "http://127.0.0.1:9000", force_path_style: true },
  keeps: {
    bundle: "keep.mjs",
    host: "127.0.0.1",
    port_min: 3014,
    port_max: 3016,
    platform: { kind: "simulated-nitro", authority_dir: "authority" },
  },
};

describe("configuration", () => {
  it("takes relative paths from the file's own directory, and fills in defaults", () => {
    const config = parseConfig(VALID, "/etc/holdfast");
    assert.equal(config.dataDir, "/etc/holdfast/data");
    assert.equal(config.keeps?.bundle, "/etc/holdfast/keep.mjs");
    const platform = { kind: "simulated-nitro", authority_dir: "/etc/holdfast/authority" };
    assert.deepEqual(config.keeps?.platform, platform);
    assert.equal(config.keeps?.listenHost, "127.0.0.1");
    assert.equal(config.keeps?.loader, "/etc/holdfast/loader.mjs");
    assert.deepEqual(config.limits, { programBytes: 64_000_000, dataFileBytes: 300_000_000 });
    assert.equal(config.logLevel, "info");
  });

  it("opens a door to other machines with access rules and TLS", () => {
    const s3 = { host: "0.0.0.0", port: 5020 };
    const tls = { certificate_file: "c", key_file: "k" };
    const guarded = { data_dir: "x", s3, access: { principals_file: "p", tls } };
    const { principalsFile, tls: files } = parseConfig(guarded, "/etc").access ?? {};
    assert.equal(principalsFile, "/etc/p");
    assert.deepEqual(files, { kind: "files", certificateFile: "/etc/c", keyFile: "/etc/k" });
    const made = { ...guarded, access: { principals_file: "p", tls: { auto_dir: "tls" } } };
    assert.deepEqual(parseConfig(made, "/etc").access?.tls, {
      kind: "auto",
      directory: "/etc/tls",
      names: [],
    });
    const behind = {
      data_dir: "x",
      s3,
      access: { principals_file: "p", tls_ends_elsewhere: true },
    };
    assert.equal(parseConfig(behind, "/etc").access?.tls, undefined);
  });

  it("keeps files of functions in a bucket, under names of their own", () => {
    const s3 = { bucket: "functions", endpoint: "http://127.0.0.1:9000", force_path_style: true };
    const of = (change: object) =>
      parseConfig({ ...VALID, blobs: { s3: { ...s3, ...change } } }, "/");
    assert.deepEqual(of({}).blobs, { ...s3, prefix: "holdfast/blobs/" });
    assert.equal(of({ prefix: "a/b/" }).blobs?.prefix, "a/b/");
    assert.equal(parseConfig(VALID, "/").blobs, undefined);
  });

  it("has one identity toward keeps, in its data or where it is told", () => {
    const ccfaas = { ...VALID.ccfaas, identity_file: "shared/id.json" };
    assert.equal(
      parseConfig({ ...VALID, ccfaas }, "/etc").ccfaas?.identityFile,
      "/etc/shared/id.json",
    );
    const { dataDir, ccfaas: own } = parseConfig(VALID, "/etc");
    assert.equal(own?.identityFile, `${dataDir}/ccfaas/loader.json`);
  });

  it("believes the attestation service under an authority of its own", () => {
    const { attestationCaFile } = parseConfig({ ...VALID, attestation_ca_file: "ca.pem" }, "/etc");
    assert.equal(attestationCaFile, "/etc/ca.pem");
    assert.equal(parseConfig(VALID, "/etc").attestationCaFile, undefined);
  });

  it("takes tokens of an issuer, and rates", () => {
    const s3 = { host: "127.0.0.1", port: 5020 };
    const oidc = {
      issuer: "https://i.example",
      audience: "holdfast",
      jwks_url: "https://[::1]:8080/keys",
      jwks_ca_file: "ca.pem",
      algorithms: ["ES256"],
    };
    const rates = { principal: { per_second: 5, burst: 10 } };
    const access = { oidc, tls_ends_elsewhere: true, rates };
    const config = parseConfig({ data_dir: "x", s3, access }, "/etc");
    assert.deepEqual(config.access?.oidc, {
      issuer: "https://i.example",
      audience: ["holdfast"],
      algorithms: ["ES256"],
      namespacesClaim: "holdfast_namespaces",
      nameClaim: "sub",
      keys: { url: "https://[::1]:8080/keys", caFile: "/etc/ca.pem" },
    });
    const { jwks_ca_file: _ca, ...plain } = { ...oidc, jwks_url: "http://127.0.0.1:80/keys" };
    const here = { data_dir: "x", s3, access: { oidc: plain, tls_ends_elsewhere: true } };
    assert.deepEqual(parseConfig(here, "/etc").access?.oidc?.keys, {
      url: "http://127.0.0.1:80/keys",
    });
    assert.deepEqual(config.access?.rates.principal, { perSecond: 5, burst: 10 });
    assert.equal(config.access?.rates.failures.burst, 20);
  });

  it("serves any subset", () => {
    const { s3, data_dir, local_development } = VALID;
    const config = parseConfig({ data_dir, s3, local_development }, "/");
    assert.equal(config.vaas, undefined);
    assert.equal(config.ccfaas, undefined);
  });

  it("takes evidence of a real enclave, whose measurement is its image's", () => {
    const platform = { kind: "aws-nitro", pcr0: "AB".repeat(32) + "00".repeat(16) };
    const of = (change: object) =>
      parseConfig({ ...VALID, keeps: { ...keeps, platform: { ...platform, ...change } } }, "/etc")
        .keeps?.platform;
    const expected = { kind: "aws-nitro", measurement: "ab".repeat(32) };
    assert.deepEqual(of({}), expected);
    assert.deepEqual(of({ device: "nsm" }), { ...expected, device: "/etc/nsm" });
  });

  const keeps = VALID.keeps;
  const guarded = { ...VALID, local_development: false };
  const tls = { certificate_file: "c", key_file: "k" };
  const oidc = { issuer: "https://i.example", audience: "holdfast" };
  const faults: Readonly<Record<string, unknown>> = {
    "a text": "text",
    "an unknown member": { ...VALID, extra: 1 },
    "no service at all": { data_dir: "x", local_development: true },
    "vaas without keeps": { ...VALID, keeps: undefined },
    "vaas without the attestation service": { ...VALID, attestation_url: undefined },
    "a port out of range": { ...VALID, vaas: { host: "127.0.0.1", port: 65_536 } },
    "ports the wrong way round": { ...VALID, keeps: { ...keeps, port_min: 2, port_max: 1 } },
    "another platform": {
      ...VALID,
      keeps: { ...keeps, platform: { kind: "none", authority_dir: "x" } },
    },
    "a simulated platform without its root": {
      ...VALID,
      keeps: { ...keeps, platform: { kind: "simulated-nitro" } },
    },
    "an enclave without its measurement": {
      ...VALID,
      keeps: { ...keeps, platform: { kind: "aws-nitro", device: "/dev/nsm" } },
    },
    "an enclave measured to what is no PCR0": {
      ...VALID,
      keeps: { ...keeps, platform: { kind: "aws-nitro", pcr0: "ab".repeat(32) } },
    },
    "an enclave with the root of a simulated one": {
      ...VALID,
      keeps: {
        ...keeps,
        platform: { kind: "aws-nitro", pcr0: "ab".repeat(48), authority_dir: "authority" },
      },
    },
    "a public name without an address to listen on": {
      ...VALID,
      keeps: { ...keeps, host: "keeps.example" },
    },
    "nobody asked, without saying that it is for development": guarded,
    "development that other machines reach": { ...VALID, vaas: { host: "0.0.0.0", port: 5000 } },
    "development on a name that is any machine's": {
      ...VALID,
      s3: { host: "127.0.0.1.example", port: 5000 },
    },
    "development beside access rules": { ...VALID, access: { principals_file: "p", tls } },
    "a certificate for any name": {
      ...guarded,
      access: { principals_file: "p", tls: { auto_dir: "d", names: ["*.example"] } },
    },
    "certificates both made and given": {
      ...guarded,
      access: { principals_file: "p", tls: { auto_dir: "d", ...tls } },
    },
    "access that nobody can have": { ...guarded, access: { tls } },
    "tokens of an issuer without keys": { ...guarded, access: { tls, oidc } },
    "tokens of an issuer with keys from two places": {
      ...guarded,
      access: { tls, oidc: { ...oidc, jwks_file: "k", jwks_url: "https://i.example/k" } },
    },
    "keys over plain HTTP": {
      ...guarded,
      access: { tls, oidc: { ...oidc, jwks_url: "http://i.example/k" } },
    },
    "keys from an address with a user": {
      ...guarded,
      access: { tls, oidc: { ...oidc, jwks_url: "https://u:p@i.example/k" } },
    },
    "tokens by a secret": {
      ...guarded,
      access: { tls, oidc: { ...oidc, jwks_file: "k", algorithms: ["HS256"] } },
    },
    "tokens for nobody": {
      ...guarded,
      access: { tls, oidc: { ...oidc, jwks_file: "k", audience: [] } },
    },
    "a rate of nothing": {
      ...guarded,
      access: { principals_file: "p", tls, rates: { address: { per_second: 0, burst: 1 } } },
    },
    "access without TLS": { ...guarded, access: { principals_file: "p" } },
    "access with TLS both here and elsewhere": {
      ...guarded,
      access: { principals_file: "p", tls, tls_ends_elsewhere: true },
    },
    "a bucket without a name": { ...VALID, blobs: { s3: { endpoint: "http://127.0.0.1" } } },
    "names in a bucket that begin with a slash": {
      ...VALID,
      blobs: { s3: { bucket: "functions", prefix: "/a" } },
    },
    "a URL that is none": { ...VALID, attestation_url: "127.0.0.1:3010" },
  };
  for (const [name, value] of Object.entries(faults)) {
    it(`refuses ${name}`, () => {
      const json: unknown = JSON.parse(JSON.stringify(value));
      assert.throws(
        () => parseConfig(json, "/"),
        (thrown: ControlError) => thrown.code === "CONFIG_INVALID",
      );
    });
  }
});
