// A vendor's service for tests: a real server on the loopback that answers with documents of a throw-away world.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { type Certificate, toHex, toPem } from "@holdfast/core";
import {
  COMPONENTS,
  ENCRYPTED_PPID,
  type IntelChanges,
  type IntelWorld,
  newIntelEvidence,
  newSnpEvidence,
  type SnpWorld,
} from "@holdfast/testkit";

/** What the server answers. */
export interface VendorAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** A server that tests change while it runs. */
export interface VendorServer {
  readonly url: string;
  /** Paths with queries, as they were asked for. */
  readonly asked: string[];
  /** By path with query, below the base. */
  answers: ReadonlyMap<string, VendorAnswer>;
  /** Instead of every answer. */
  instead: VendorAnswer | undefined;
}

/** Starts a server; its base address has a path of its own. */
export async function newVendor(
  t: TestContext,
  answers: ReadonlyMap<string, VendorAnswer>,
): Promise<VendorServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const found = vendor.answers.get((request.url ?? "").replace(/^\/base/, ""));
    const { status = 200, headers = {}, body = "" } = vendor.instead ?? found ?? { status: 404 };
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const vendor: VendorServer = {
    url: `http://127.0.0.1:${port}/base`,
    asked,
    answers,
    instead: undefined,
  };
  return vendor;
}

/** Where the certificate of the platform is asked for that a quote only names. */
const PCK_PATH =
  `/sgx/certification/v4/pckcert?qeid=${"00".repeat(16)}&encrypted_ppid=${toHex(ENCRYPTED_PPID)}` +
  `&cpusvn=${toHex(Uint8Array.from(COMPONENTS))}&pcesvn=0d00&pceid=0000`;

/** A quote of a TD, what Intel's service says about its platform, and the platform's certificate. */
export async function intelAnswers(world: IntelWorld, changes: IntelChanges = {}) {
  const { evidence, request } = await newIntelEvidence(world, changes);
  const [info, identity] = request.endorsements.intel;
  const signed = (name: string, document: typeof info): string =>
    `{"${name}":${document?.text},"signature":"${toHex(document?.signature ?? new Uint8Array())}"}`;
  const issuers = (...chain: readonly { readonly certificate: Certificate }[]): string =>
    encodeURIComponent(
      chain.map(({ certificate }) => toPem("CERTIFICATE", certificate.der)).join(""),
    );
  const signers = issuers(world.tcbSigner, world.root);
  const answers = new Map<string, VendorAnswer>([
    [
      "/tdx/certification/v4/tcb?fmspc=B0C06F000000",
      { headers: { "TCB-Info-Issuer-Chain": signers }, body: signed("tcbInfo", info) },
    ],
    [
      "/tdx/certification/v4/qe/identity",
      {
        headers: { "SGX-Enclave-Identity-Issuer-Chain": signers },
        body: signed("enclaveIdentity", identity),
      },
    ],
    [
      "/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
      {
        headers: { "SGX-PCK-CRL-Issuer-Chain": issuers(world.platformCa, world.root) },
        body: world.pckList.der,
      },
    ],
    ["/sgx/certification/v4/rootcacrl", { body: toHex(world.rootList.der) }],
  ]);
  const platform: readonly [string, VendorAnswer] = [
    PCK_PATH,
    {
      headers: { "SGX-PCK-Certificate-Issuer-Chain": issuers(world.platformCa, world.root) },
      body: toPem("CERTIFICATE", world.pck.certificate.der),
    },
  ];
  return { evidence, answers, platform };
}

/** An SNP report, and what AMD's service says about its chip. */
export async function amdAnswers(world: SnpWorld) {
  const { evidence, leaf } = await newSnpEvidence(world);
  const chip = Array.from({ length: 64 }, (_, index) => 200 - index);
  const query = "blSPL=04&teeSPL=01&snpSPL=24&ucodeSPL=219";
  const chain = [world.ask, world.ark].map(({ certificate }) =>
    toPem("CERTIFICATE", certificate.der),
  );
  const answers = new Map<string, VendorAnswer>([
    [`/vcek/v1/Milan/${toHex(Uint8Array.from(chip))}?${query}`, { body: leaf.certificate.der }],
    ["/vcek/v1/Milan/cert_chain", { body: chain.join("") }],
    ["/vcek/v1/Milan/crl", { body: world.list.der }],
  ]);
  return { evidence, answers };
}
