// A typed client of CCFaaS, over any transport that carries exchanges to it.
import { fromText, type HttpRequest, type HttpTransport, toBase64, toText } from "@holdfast/core";
import type { Static, TSchema } from "typebox";
import {
  allPages,
  Caller,
  type CallOptions,
  type CreateOptions,
  encode,
  jsonRequest,
} from "./caller.ts";
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
import {
  AliasResource,
  AliasResources,
  DraftResource,
  type NewInstanceBody,
  VersionDetail,
  type VersionName,
  type VersionResource,
  VersionResources,
} from "./versions.ts";

/** Options of an upload. */
export interface UploadOptions extends CallOptions {
  readonly onProgress?: OnProgress;
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
    return this.#caller.json(FunctionSchema, jsonRequest("POST", "/function", definition));
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
    return this.#caller.text(
      uploadRequest("POST", filePath(name, "program", path), source, options),
    );
  }

  /** Uploads a data file; the service checks it against the definition's hash. */
  uploadDataFile(
    name: string,
    path: string,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: UploadOptions = {},
  ): Promise<string> {
    return this.#caller.text(
      uploadRequest("POST", filePath(name, "data_file", path), source, options),
    );
  }

  /** Has the service fetch a file from where it is, instead of uploading it. */
  fetchFile(
    name: string,
    request: FetchBody,
    options: CallOptions = {},
  ): Promise<FunctionResource> {
    const path = `/v1/functions/${encode(name)}/fetch`;
    return this.#caller.json(FunctionResource, {
      ...jsonRequest("POST", path, request),
      ...options,
    });
  }

  /** Removes a stored program or data file. */
  async deleteFile(name: string, kind: "program" | "data_file", path: string): Promise<void> {
    await this.#caller.text({ method: "DELETE", path: filePath(name, kind, path) });
  }

  /**
   * Begins a new definition of a function. Files that one of its versions has need not be sent again; the answer says
   * which are missing, and when none is, that it is published.
   */
  putDraft(name: string, definition: FunctionBody): Promise<DraftResource> {
    return this.#caller.json(DraftResource, jsonRequest("PUT", draftPath(name), definition));
  }

  /** The draft of a function. */
  getDraft(name: string): Promise<DraftResource> {
    return this.#get(DraftResource, draftPath(name));
  }

  /** Gives a draft up. */
  async deleteDraft(name: string): Promise<void> {
    await this.#caller.text({ method: "DELETE", path: draftPath(name) });
  }

  /** Uploads a program or data file of a draft; with the last one it is published. */
  uploadDraftFile(
    name: string,
    path: string,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: UploadOptions = {},
  ): Promise<DraftResource> {
    const url = `${draftPath(name)}/files/${encode(toBase64(fromText(path)))}`;
    return this.#caller.json(DraftResource, uploadRequest("PUT", url, source, options));
  }

  /** Has the service fetch a file of a draft from where it is. */
  fetchDraftFile(
    name: string,
    request: FetchBody,
    options: CallOptions = {},
  ): Promise<DraftResource> {
    const path = `${draftPath(name)}/fetch`;
    return this.#caller.json(DraftResource, { ...jsonRequest("POST", path, request), ...options });
  }

  /** Versions of a function, oldest first. */
  listVersions(name: string): Promise<VersionResource[]> {
    return allPages(async (query) => {
      const request = { method: "GET", path: versionPath(name), query };
      const { versions, next } = await this.#caller.json(VersionResources, request);
      return { items: versions, next };
    });
  }

  /** One version, by number or digest, with its definition. */
  getVersion(name: string, version: VersionName): Promise<VersionDetail> {
    return this.#get(VersionDetail, versionPath(name, version));
  }

  /** Removes a version that nobody needs. */
  async deleteVersion(name: string, version: VersionName): Promise<void> {
    await this.#caller.text({ method: "DELETE", path: versionPath(name, version) });
  }

  /** Aliases of a function. */
  async listAliases(name: string): Promise<AliasResource[]> {
    return (await this.#get(AliasResources, aliasPath(name))).aliases;
  }

  /** What an alias means. */
  getAlias(name: string, alias: string): Promise<AliasResource> {
    return this.#get(AliasResource, aliasPath(name, alias));
  }

  /** Makes an alias mean a version from now on, whatever it meant before. */
  setAlias(name: string, alias: string, version: VersionName): Promise<AliasResource> {
    const path = aliasPath(name, alias);
    return this.#caller.json(AliasResource, jsonRequest("PUT", path, { version }));
  }

  /** Removes an alias; the version stays. */
  async deleteAlias(name: string, alias: string): Promise<void> {
    await this.#caller.text({ method: "DELETE", path: aliasPath(name, alias) });
  }

  /** Ids of living instances. */
  async listInstances(): Promise<string[]> {
    return (await this.#get(InstanceList, "/instance")).instances;
  }

  /** Makes an instance of a function; answers once it is provisioned. */
  createInstance(policy: UserPolicyBody, options: CreateOptions = {}): Promise<InstanceAnswer> {
    return this.#caller.json(InstanceAnswer, creation("/instance", policy, options));
  }

  /** Makes an instance of a version of a function (`NAME@VERSION`); answers once it is provisioned. */
  startInstance(body: NewInstanceBody, options: CreateOptions = {}): Promise<InstanceResource> {
    return this.#caller.json(InstanceResource, creation("/v1/instances", body, options));
  }

  /** The exact text of the policy that an instance's keep runs. */
  instancePolicy(id: string): Promise<string> {
    return this.#caller.text({ method: "GET", path: `/v1/instances/${encode(id)}/policy` });
  }

  /** A ready instance. */
  getInstance(id: string): Promise<InstanceAnswer> {
    return this.#get(InstanceAnswer, `/instance/${encode(id)}`);
  }

  /** An instance's state and progress. */
  describeInstance(id: string, options: CallOptions = {}): Promise<InstanceResource> {
    const path = `/v1/instances/${encode(id)}`;
    return this.#caller.json(InstanceResource, { method: "GET", path, ...options });
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
}

function creation(
  path: string,
  body: object,
  { idempotencyKey, signal }: CreateOptions,
): HttpRequest {
  const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
  return {
    ...jsonRequest("POST", path, body, headers),
    ...(signal === undefined ? {} : { signal }),
  };
}

function uploadRequest(
  method: string,
  path: string,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  { onProgress, signal }: UploadOptions,
): HttpRequest {
  const body =
    source instanceof Uint8Array || onProgress === undefined ? source : counted(source, onProgress);
  return {
    method,
    path,
    headers: { "content-type": "application/octet-stream" },
    body,
    ...(signal === undefined ? {} : { signal }),
  };
}

function filePath(name: string, kind: "program" | "data_file", path: string): string {
  return `/function/${encode(name)}/${kind}/${encode(toBase64(fromText(path)))}`;
}

function fromBase64Name(name: string): string {
  return toText(Uint8Array.fromBase64(name));
}

function draftPath(name: string): string {
  return `/v1/functions/${encode(name)}/draft`;
}

function versionPath(name: string, version?: VersionName): string {
  const all = `/v1/functions/${encode(name)}/versions`;
  return version === undefined ? all : `${all}/${encode(String(version))}`;
}

function aliasPath(name: string, alias?: string): string {
  const all = `/v1/functions/${encode(name)}/aliases`;
  return alias === undefined ? all : `${all}/${encode(alias)}`;
}
