// A typed client of the namespaces of a service: CCFaaS and VaaS answer alike, and share them where they share a store.
import type { HttpTransport } from "@holdfast/core";
import { allPages, Caller, encode, jsonRequest } from "./caller.ts";
import {
  type NamespaceBody,
  type NamespaceQuotaChange,
  NamespaceResource,
  NamespaceResources,
  type NewNamespaceBody,
} from "./namespaces.ts";

/** Speaks with CCFaaS or VaaS about namespaces. Every method throws ServiceRefusal when it refuses. */
export class NamespaceClient {
  readonly #caller: Caller;

  constructor(transport: HttpTransport) {
    this.#caller = new Caller("the service", transport);
  }

  /** The namespace of the transport itself, with what is used of its quotas. */
  own(): Promise<NamespaceResource> {
    return this.#caller.json(NamespaceResource, { method: "GET", path: "/v1/namespace" });
  }

  /** All namespaces in order of names. */
  list(): Promise<NamespaceResource[]> {
    return allPages(async (query) => {
      const request = { method: "GET", path: PATH, query };
      const { namespaces, next } = await this.#caller.json(NamespaceResources, request);
      return { items: namespaces, next };
    });
  }

  /** One namespace. */
  get(name: string): Promise<NamespaceResource> {
    return this.#caller.json(NamespaceResource, { method: "GET", path: pathOf(name) });
  }

  /** Makes a namespace. */
  create(body: NewNamespaceBody): Promise<NamespaceResource> {
    return this.#caller.json(NamespaceResource, jsonRequest("POST", PATH, body));
  }

  /** Makes a namespace unless it is there, and sets all of its quotas. */
  put(name: string, body: NamespaceBody): Promise<NamespaceResource> {
    return this.#caller.json(NamespaceResource, jsonRequest("PUT", pathOf(name), body));
  }

  /** Changes quotas: null lifts one, an absent one stays. */
  change(name: string, quotas: NamespaceQuotaChange): Promise<NamespaceResource> {
    return this.#caller.json(NamespaceResource, jsonRequest("PATCH", pathOf(name), { quotas }));
  }

  /** Removes an empty namespace. */
  async delete(name: string): Promise<void> {
    await this.#caller.text({ method: "DELETE", path: pathOf(name) });
  }
}

const PATH = "/v1/namespaces";

function pathOf(name: string): string {
  return `${PATH}/${encode(name)}`;
}
