// A typed client of VaaS, over any transport that carries exchanges to it.
import type { HttpTransport } from "@holdfast/core";
import {
  allPages,
  Caller,
  type CallOptions,
  type CreateOptions,
  encode,
  jsonRequest,
} from "./caller.ts";
import {
  KeepList,
  KeepResource,
  type VaasPolicyBody,
  VeracruzCreated,
  VeracruzInstance,
  VeracruzList,
} from "./vaas.ts";

/** Speaks with VaaS. Every method throws ServiceRefusal when it refuses. */
export class VaasClient {
  readonly #caller: Caller;

  constructor(transport: HttpTransport) {
    this.#caller = new Caller("VaaS", transport);
  }

  /** Starts a keep for a policy; answers once it is attested and serves. */
  create(policy: VaasPolicyBody, options: CreateOptions = {}): Promise<VeracruzCreated> {
    const { idempotencyKey, signal } = options;
    const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
    return this.#caller.json(VeracruzCreated, {
      ...jsonRequest("POST", "/veracruz", policy, headers),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Living instances, all or those with an id or hash. */
  list(filter: { instance_id?: string; instance_hash?: string } = {}): Promise<VeracruzList> {
    return this.#caller.json(VeracruzList, {
      method: "GET",
      path: "/veracruz",
      query: { ...filter },
    });
  }

  /** One instance by its name, `veracruz-nitro-server:PORT`. */
  get(name: string): Promise<VeracruzInstance> {
    return this.#caller.json(VeracruzInstance, {
      method: "GET",
      path: `/veracruz/${encode(name)}`,
    });
  }

  /** Ends an instance. Its hash says which is meant: names are used again. */
  async delete(
    name: string,
    query: { instance_hash: string; instance_id?: string },
    options: CallOptions = {},
  ): Promise<void> {
    await this.#caller.text({
      method: "DELETE",
      path: `/veracruz/${encode(name)}`,
      query: { ...query },
      ...options,
    });
  }

  /** Every keep VaaS remembers, newest first; or those that a request made. */
  async keeps({
    requestKey,
    signal,
  }: CallOptions & { requestKey?: string } = {}): Promise<KeepList> {
    const filter = requestKey === undefined ? {} : { request_key: requestKey };
    const options = {
      method: "GET",
      path: "/v1/keeps",
      ...(signal === undefined ? {} : { signal }),
    };
    const keeps = await allPages(async (page) => {
      const answer = await this.#caller.json(KeepList, {
        ...options,
        query: { ...filter, ...page },
      });
      return { items: answer.keeps, next: answer.next };
    });
    return { keeps };
  }

  /** One keep by its instance hash. */
  keep(instanceHash: string): Promise<KeepResource> {
    return this.#caller.json(KeepResource, {
      method: "GET",
      path: `/v1/keeps/${encode(instanceHash)}`,
    });
  }
}
