// How commands reach services: addresses, the authority to believe and the token to show, from a profile or as the
// person says. What a profile holds goes to the profile's own addresses alone.
import { type ClientIdentity, fetchTrusting, type TrustingFetch } from "@holdfast/channel";
import {
  AttestationClient,
  BridgeClient,
  CcfaasClient,
  DEFAULT_NAMESPACE,
  fetchTransport,
  NamespaceClient,
  namespaceTransport,
  VaasClient,
} from "@holdfast/contract";
import type { HttpTransport } from "@holdfast/core";
import { CliError } from "../errors.ts";
import { explainedTransport } from "./explained-transport.ts";
import type { ServiceName } from "./profile.ts";

/** What lets somebody in. */
export interface Grant {
  /** Certificates of authorities, PEM; the system's own when absent. */
  readonly authoritiesPem?: string;
  /** Where they are from, in words. */
  readonly authoritiesFrom?: string;
  /** Shown as a bearer token. Never printed. */
  readonly token?: string;
  /** Where it is from, in words. */
  readonly tokenFrom?: string;
  /** Shown in TLS to a service that asks for a certificate. */
  readonly identity?: ClientIdentity;
}

/** What an access is made of. */
export interface AccessParts {
  readonly urls: Readonly<Partial<Record<ServiceName, string>>>;
  /** For the addresses above. */
  readonly own?: Grant;
  /** For any address: the person named it. */
  readonly given?: Grant;
  readonly namespace?: string;
}

/** Makes clients of services. */
export class Access {
  readonly #parts: AccessParts;
  /** They keep their connections. */
  readonly #fetchers = new Map<string, TrustingFetch>();

  constructor(parts: AccessParts) {
    this.#parts = parts;
  }

  /** The same services, as somebody else. */
  as(token: string | undefined): Access {
    const { token: _token, identity: _identity, ...own } = this.#parts.own ?? {};
    const grant = token === undefined ? own : { ...own, token, tokenFrom: "the token given" };
    const { urls, namespace } = this.#parts;
    return new Access({ urls, own: grant, ...(namespace === undefined ? {} : { namespace }) });
  }

  /** Client of CCFaaS, at the address of the profile or at another. */
  ccfaas(url: string = this.#url("ccfaas")): CcfaasClient {
    return new CcfaasClient(this.#within(url));
  }

  /** Client of VaaS. */
  vaas(url: string = this.#url("vaas")): VaasClient {
    return new VaasClient(this.#within(url));
  }

  /** Client of the S3 bridge. */
  bridge(url: string = this.#url("s3")): BridgeClient {
    return new BridgeClient(this.#within(url));
  }

  /** Client of the attestation service, which knows no namespaces and asks nobody who he is. */
  attestation(url: string = this.#url("attestation")): AttestationClient {
    return new AttestationClient(this.as(undefined).transport(url));
  }

  /** Client of all namespaces at once, as CCFaaS knows them. */
  namespaces(url: string = this.#url("ccfaas")): NamespaceClient {
    return new NamespaceClient(this.transport(url));
  }

  /** Client of the namespace that is worked in. */
  ownNamespace(url: string = this.#url("ccfaas")): NamespaceClient {
    return new NamespaceClient(this.#within(url));
  }

  /**
   * Carries exchanges to a service.
   * @throws CliError CLI_PLAIN_HTTP when a token would cross a network in clear
   */
  transport(url: string): HttpTransport {
    const { origin, protocol, hostname } = new URL(url);
    const { urls, own, given } = this.#parts;
    const isOwn = Object.values(urls).some((each) => new URL(each).origin === origin);
    const grant: Grant = { ...(isOwn ? own : {}), ...given };
    if (grant.token !== undefined && protocol === "http:" && !isLoopback(hostname)) {
      throw new CliError("CLI_PLAIN_HTTP", `a token is not sent to ${url}: it would go in clear`, {
        hint: "give the service's https address",
      });
    }
    const headers = grant.token === undefined ? {} : { authorization: `Bearer ${grant.token}` };
    const transport = fetchTransport(url, {
      headers,
      ...(protocol === "https:" ? { fetcher: this.#fetcher(grant) } : {}),
    });
    return explainedTransport(transport, grant);
  }

  #within(url: string): HttpTransport {
    return namespaceTransport(this.transport(url), this.#parts.namespace ?? DEFAULT_NAMESPACE);
  }

  #fetcher({ authoritiesPem, identity }: Grant): TrustingFetch {
    const key = `${authoritiesPem}${identity?.certificatePem}`;
    const made =
      this.#fetchers.get(key) ??
      fetchTrusting({
        ...(authoritiesPem === undefined ? {} : { authoritiesPem }),
        ...(identity === undefined ? {} : { identity }),
      });
    this.#fetchers.set(key, made);
    return made;
  }

  #url(name: ServiceName): string {
    const url = this.#parts.urls[name];
    if (url !== undefined) return url;
    throw new CliError("CLI_NO_PROFILE", `nobody said where ${name} is`, {
      hint: "start the platform in this directory: holdfast up; or name the profile it wrote: --profile FILE or HOLDFAST_PROFILE; or give an address",
    });
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
