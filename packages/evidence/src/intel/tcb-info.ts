// TCB information of Intel (PCS API v4, get TCB info): which security versions of a platform have which status. Version 3,
// and version 2 for SGX.
import { malformed } from "../errors.ts";
import {
  asObject,
  hexOf,
  itemsOf,
  type JsonObject,
  jsonObject,
  numberOf,
  textOf,
  textsOf,
  timeOf,
} from "../json/members.ts";
import { isTcbStatus, type TcbStatus } from "./tcb-status.ts";

/** A level with its status. */
export interface StatusLevel {
  readonly tcbDate: Date;
  readonly tcbStatus: TcbStatus;
  readonly advisoryIds: readonly string[];
}

/** A level of a platform. */
export interface PlatformLevel extends StatusLevel {
  readonly sgxComponents: readonly number[];
  readonly pceSvn: number;
  readonly tdxComponents?: readonly number[];
}

/** A level of an enclave or a TDX module. */
export interface IsvLevel extends StatusLevel {
  readonly isvSvn: number;
}

/** What a TDX module must be. */
export interface ModuleIdentity {
  /** `TDX_01`; of the first generation none. */
  readonly id?: string;
  /** Hexadecimal. */
  readonly mrSigner: string;
  readonly attributes: string;
  readonly attributesMask: string;
  readonly levels: readonly IsvLevel[];
}

/** TCB information, read but not verified. */
export interface TcbInfo {
  readonly id: "SGX" | "TDX";
  readonly version: 2 | 3;
  readonly issueDate: Date;
  readonly nextUpdate: Date;
  readonly fmspc: string;
  readonly pceId: string;
  readonly tcbEvaluationDataNumber: number;
  readonly module?: ModuleIdentity;
  readonly moduleIdentities: readonly ModuleIdentity[];
  /** Newest first. */
  readonly levels: readonly PlatformLevel[];
}

const COMPONENTS = 16;

/**
 * Reads TCB information.
 * @throws EvidenceError EVIDENCE_MALFORMED
 */
export function parseTcbInfo(text: string): TcbInfo {
  const info = jsonObject(text);
  const version = numberOf(info, "version", 3);
  if (version !== 2 && version !== 3) throw malformed(`TCB information of version ${version}`);
  const id = version === 2 ? "SGX" : textOf(info, "id");
  if (id !== "SGX" && id !== "TDX") throw malformed(`TCB information of ${id}`);
  if (numberOf(info, "tcbType", 255) !== 0) throw malformed("TCB information: tcbType 0 expected");
  const module = info["tdxModule"];
  return {
    id,
    version,
    issueDate: timeOf(info, "issueDate"),
    nextUpdate: timeOf(info, "nextUpdate"),
    fmspc: hexOf(info, "fmspc", 6),
    pceId: hexOf(info, "pceId", 2),
    tcbEvaluationDataNumber: numberOf(info, "tcbEvaluationDataNumber", 2 ** 31),
    ...(module === undefined ? {} : { module: parseModule(asObject(module, "tdxModule")) }),
    moduleIdentities: itemsOf(info, "tdxModuleIdentities", { optional: true }).map((item) =>
      parseModule(asObject(item, "tdxModuleIdentities")),
    ),
    levels: itemsOf(info, "tcbLevels").map((item) =>
      parsePlatformLevel(asObject(item, "tcbLevels"), { id, version }),
    ),
  };
}

/** A level of an enclave or a module. */
export function parseIsvLevel(item: unknown): IsvLevel {
  const level = asObject(item, "tcbLevels");
  return {
    isvSvn: numberOf(asObject(level["tcb"], "tcb"), "isvsvn", 65_535),
    ...parseStatus(level),
  };
}

function parseStatus(level: JsonObject): StatusLevel {
  const tcbStatus = textOf(level, "tcbStatus");
  if (!isTcbStatus(tcbStatus)) throw malformed(`tcbStatus ${tcbStatus} is not known`);
  return {
    tcbDate: timeOf(level, "tcbDate"),
    tcbStatus,
    advisoryIds: textsOf(level, "advisoryIDs"),
  };
}

function parseModule(module: JsonObject): ModuleIdentity {
  const id = module["id"];
  return {
    ...(id === undefined ? {} : { id: textOf(module, "id") }),
    mrSigner: hexOf(module, "mrsigner", 48),
    attributes: hexOf(module, "attributes", 8),
    attributesMask: hexOf(module, "attributesMask", 8),
    levels: itemsOf(module, "tcbLevels", { optional: true }).map(parseIsvLevel),
  };
}

function parsePlatformLevel(
  level: JsonObject,
  { id, version }: Pick<TcbInfo, "id" | "version">,
): PlatformLevel {
  const tcb = asObject(level["tcb"], "tcb");
  const sgxComponents =
    version === 2 ? numberedComponents(tcb) : listedComponents(tcb, "sgxtcbcomponents");
  return {
    sgxComponents,
    pceSvn: numberOf(tcb, "pcesvn", 65_535),
    ...(id === "TDX" ? { tdxComponents: listedComponents(tcb, "tdxtcbcomponents") } : {}),
    ...parseStatus(level),
  };
}

function listedComponents(tcb: JsonObject, name: string): number[] {
  const items = itemsOf(tcb, name);
  if (items.length !== COMPONENTS) throw malformed(`${name}: ${items.length} components`);
  return items.map((item) => numberOf(asObject(item, name), "svn", 255));
}

function numberedComponents(tcb: JsonObject): number[] {
  return Array.from({ length: COMPONENTS }, (_, index) =>
    numberOf(tcb, `sgxtcbcomp${String(index + 1).padStart(2, "0")}svn`, 255),
  );
}
