// Typed clients of VaaS, CCFaaS and the S3 bridge, over any transport that carries exchanges to them.
import {
  fromText,
  type HttpRequest,
  type HttpTransport,
  readBody,
  toBase64,
  toText,
} from "@holdfast/core";
import type { Static, TSchema } from "typebox";
import { Value } from "typebox/value";
import { CopyResource, type S3StreamBody } from "./bridge.ts";
import {
  DataFileList,
  type FetchBody,
  type FunctionBody,
  FunctionList,
  FunctionResource,
  FunctionBody as FunctionSchema,
  InstanceAnswer,
  InstanceList,
  InstanceResource,
  InstanceResources,
  ProgramList,
  type UserPolicyBody,
} from "./ccfaas.ts";
import { counted, type OnProgress } from "./counted.ts";
import { ServiceError, ServiceRefusal } from "./errors.ts";
import { parseProblem, problem } from "./problem.ts";
import {
  KeepList,
  KeepResource,
  type VaasPolicyBody,
  VeracruzCreated,
  VeracruzInstance,
  VeracruzList,
} from "./vaas.ts";

/** Options of a call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** Options of a call that makes something: repeated with the same key it makes it once. */
export interface CreateOptions extends CallOptions {
  readonly idempotencyKey?: string;
}

/** Options of an upload. */
export interface UploadOptions extends CallOptions {
  readonly onProgress?: OnProgress;
}

const PAGE = 1000;
const MAXIMUM_ANSWER = 16 * 1024 * 1024;

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
      ...jsonPost("/veracruz", policy, headers),
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

/** Speaks with CCFaaS. Every method throws ServiceRefusal when it refuses. */
export class CcfaasClient {
  readonly #caller: Caller;

  constructor(transport: HttpTransport) {
    this.#caller = new Caller("CCFaaS", transport);
  }

  /** Names of all functions. */
  async listFunctions(): Promise<string[]> {
    return (await this.#get(FunctionList, "/function")).functions;
  }

  /** Registers a function; answers its definition. */
  registerFunction(definition: FunctionBody): Promise<FunctionBody> {
    return this.#caller.json(FunctionSchema, jsonPost("/function", definition));
  }

  /** A function's definition. */
  getFunction(name: string): Promise<FunctionBody> {
    return this.#get(FunctionSchema, `/function/${encode(name)}`);
  }

  /** A function's state: which files it still misses. */
  describeFunction(name: string): Promise<FunctionResource> {
    return this.#get(FunctionResource, `/v1/functions/${encode(name)}`);
  }

  /** Removes a function and its files; running instances keep theirs. */
  async deleteFunction(name: string): Promise<void> {
    await this.#caller.text({ method: "DELETE", path: `/function/${encode(name)}` });
  }

  /** Paths of a function's stored programs. */
  async listPrograms(name: string): Promise<string[]> {
    const { programs } = await this.#get(ProgramList, `/function/${encode(name)}/program`);
    return programs.map(fromBase64Name);
  }

  /** Paths of a function's stored data files. */
  async listDataFiles(name: string): Promise<string[]> {
    const { data_files } = await this.#get(DataFileList, `/function/${encode(name)}/data_file`);
    return data_files.map(fromBase64Name);
  }

  /** Uploads a program; the service checks it against the definition's hash. */
  uploadProgram(
    name: string,
    path: string,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: UploadOptions = {},
  ): Promise<string> {
    return this.#upload(filePath(name, "program", path), source, options);
  }

  /** Uploads a data file; the service checks it against the definition's hash. */
  uploadDataFile(
    name: string,
    path: string,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: UploadOptions = {},
  ): Promise<string> {
    return this.#upload(filePath(name, "data_file", path), source, options);
  }

  /** Has the service fetch a file from where it is, instead of uploading it. */
  fetchFile(
    name: string,
    request: FetchBody,
    options: CallOptions = {},
  ): Promise<FunctionResource> {
    const path = `/v1/functions/${encode(name)}/fetch`;
    return this.#caller.json(FunctionResource, { ...jsonPost(path, request), ...options });
  }

  /** Removes a stored program or data file. */
  async deleteFile(name: string, kind: "program" | "data_file", path: string): Promise<void> {
    await this.#caller.text({ method: "DELETE", path: filePath(name, kind, path) });
  }

  /** Ids of living instances. */
  async listInstances(): Promise<string[]> {
    return (await this.#get(InstanceList, "/instance")).instances;
  }

  /** Makes an instance of a function; answers once it is provisioned. */
  createInstance(policy: UserPolicyBody, options: CallOptions = {}): Promise<InstanceAnswer> {
    return this.#caller.json(InstanceAnswer, { ...jsonPost("/instance", policy), ...options });
  }

  /** A ready instance. */
  getInstance(id: string): Promise<InstanceAnswer> {
    return this.#get(InstanceAnswer, `/instance/${encode(id)}`);
  }

  /** An instance's state and progress. */
  describeInstance(id: string): Promise<InstanceResource> {
    return this.#get(InstanceResource, `/v1/instances/${encode(id)}`);
  }

  /** Every instance the service remembers, with state and reason. */
  describeInstances(): Promise<InstanceResource[]> {
    return allPages(async (query) => {
      const path = "/v1/instances";
      const request = { method: "GET", path, query };
      const { instances, next } = await this.#caller.json(InstanceResources, request);
      return { items: instances, next };
    });
  }

  /** Ends an instance and its keep. */
  async deleteInstance(id: string): Promise<void> {
    await this.#caller.text({ method: "DELETE", path: `/instance/${encode(id)}` });
  }

  #get<T extends TSchema>(schema: T, path: string): Promise<Static<T>> {
    return this.#caller.json(schema, { method: "GET", path });
  }

  #upload(
    path: string,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    { onProgress, signal }: UploadOptions,
  ): Promise<string> {
    const body =
      source instanceof Uint8Array || onProgress === undefined
        ? source
        : counted(source, onProgress);
    return this.#caller.text({
      method: "POST",
      path,
      headers: { "content-type": "application/octet-stream" },
      body,
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

/** Speaks with the S3 bridge. */
export class BridgeClient {
  readonly #caller: Caller;

  constructor(transport: HttpTransport) {
    this.#caller = new Caller("S3 bridge", transport);
  }

  /** Streams an object of S3 into a keep; answers the bridge's sentence once the keep has all of it. */
  copy(request: S3StreamBody, options: CallOptions = {}): Promise<string> {
    return this.#caller.text({ ...jsonPost("/s3_stream_veracruz", request), ...options });
  }

  /** Starts a copy that goes on by itself. */
  startCopy(request: S3StreamBody, options: CallOptions = {}): Promise<CopyResource> {
    return this.#caller.json(CopyResource, { ...jsonPost("/v1/copies", request), ...options });
  }

  /** How far a copy is; with `wait`, in seconds, answered once it has ended. */
  getCopy(id: string, options: CallOptions & { wait?: number } = {}): Promise<CopyResource> {
    const { wait, signal } = options;
    return this.#caller.json(CopyResource, {
      method: "GET",
      path: `/v1/copies/${encode(id)}`,
      ...(wait === undefined ? {} : { query: { wait: String(wait) } }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Ends a copy; the keep has nothing of one that was not done. */
  async deleteCopy(id: string): Promise<void> {
    await this.#caller.text({ method: "DELETE", path: `/v1/copies/${encode(id)}` });
  }
}

class Caller {
  readonly #service: string;
  readonly #transport: HttpTransport;

  constructor(service: string, transport: HttpTransport) {
    this.#service = service;
    this.#transport = transport;
  }

  async json<T extends TSchema>(schema: T, request: HttpRequest): Promise<Static<T>> {
    const text = await this.text(request);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw this.#badAnswer(request, "is not JSON", cause);
    }
    if (!Value.Check(schema, value))
      throw this.#badAnswer(request, "has another shape than expected");
    return value;
  }

  async text(request: HttpRequest): Promise<string> {
    const { status, body } = await this.#transport.request(request);
    const bytes = await readBody(body, MAXIMUM_ANSWER);
    if (bytes === undefined) throw this.#badAnswer(request, `is over ${MAXIMUM_ANSWER} bytes`);
    if (status >= 200 && status < 300) return toText(bytes);
    const text = new TextDecoder().decode(bytes);
    const said = `answered ${status} to ${request.method} ${request.path}`;
    throw new ServiceRefusal(
      this.#service,
      parseProblem(text) ?? problem(status, "SERVICE_ANSWER", `${this.#service} ${said}`),
    );
  }

  #badAnswer(request: HttpRequest, fault: string, cause?: unknown): ServiceError {
    const message = `the answer of ${this.#service} to ${request.path} ${fault}`;
    return new ServiceError("SERVICE_ANSWER", message, cause === undefined ? {} : { cause });
  }
}

/** All pages of a list, one after the other. */
async function allPages<T>(
  read: (query: Record<string, string>) => Promise<{ items: T[]; next: string | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  let query: Record<string, string> = { limit: String(PAGE) };
  for (;;) {
    const { items, next } = await read(query);
    all.push(...items);
    if (next === undefined) return all;
    query = { limit: String(PAGE), after: next };
  }
}

function jsonPost(path: string, value: unknown, headers: Record<string, string> = {}): HttpRequest {
  return {
    method: "POST",
    path,
    headers: { "content-type": "application/json", ...headers },
    body: fromText(JSON.stringify(value)),
  };
}

function filePath(name: string, kind: "program" | "data_file", path: string): string {
  return `/function/${encode(name)}/${kind}/${encode(toBase64(fromText(path)))}`;
}

function fromBase64Name(name: string): string {
  return toText(Uint8Array.fromBase64(name));
}

function encode(segment: string): string {
  return encodeURIComponent(segment);
}
