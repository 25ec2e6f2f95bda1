// Collateral of Intel's provisioning service as objects that tests change before they are signed.

/** A level with its status. */
export interface LevelJson {
  tcb: Record<string, unknown>;
  tcbDate: string;
  tcbStatus: string;
  advisoryIDs?: string[];
}

/** TCB information, version 3. */
export interface TcbInfoJson {
  id: string;
  version: number;
  issueDate: string;
  nextUpdate: string;
  fmspc: string;
  pceId: string;
  tcbType: number;
  tcbEvaluationDataNumber: number;
  tdxModule?: Record<string, unknown>;
  tdxModuleIdentities?: { id: string; tcbLevels: LevelJson[]; [member: string]: unknown }[];
  tcbLevels: LevelJson[];
}

/** Identity of a quoting enclave, version 2. */
export interface IdentityJson {
  id: string;
  version: number;
  issueDate: string;
  nextUpdate: string;
  tcbEvaluationDataNumber: number;
  miscselect: string;
  miscselectMask: string;
  attributes: string;
  attributesMask: string;
  mrsigner: string;
  isvprodid: number;
  tcbLevels: LevelJson[];
}

const ISSUED = "2026-05-20T00:00:00Z";
const NEXT = "2026-06-19T00:00:00Z";
const NEW = "2025-11-12T00:00:00Z";
const OLD = "2024-03-13T00:00:00Z";

/** TCB information under which the world's platform is up to date, with an older level below it. */
export function tcbInfoJson(
  id: "SGX" | "TDX",
  pcesvn: number,
  components: readonly number[],
): TcbInfoJson {
  const listed = (svns: readonly number[]) => svns.map((svn) => ({ svn }));
  const tdx = [6, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const level = (older: number, tcbDate: string, tcbStatus: string, advisoryIDs: string[]) => ({
    tcb: {
      sgxtcbcomponents: listed(components.map((svn) => Math.max(0, svn - older))),
      pcesvn,
      ...(id === "TDX"
        ? { tdxtcbcomponents: listed(tdx.map((svn) => Math.max(0, svn - older))) }
        : {}),
    },
    tcbDate,
    tcbStatus,
    ...(advisoryIDs.length === 0 ? {} : { advisoryIDs }),
  });
  const module = {
    mrsigner: "00".repeat(48),
    attributes: "00".repeat(8),
    attributesMask: "ff".repeat(8),
  };
  const levels = [
    isvLevel(6, NEW, "UpToDate"),
    isvLevel(3, OLD, "OutOfDate", ["INTEL-SA-00002"]),
    isvLevel(1, OLD, "Revoked"),
  ];
  return {
    id,
    version: 3,
    issueDate: ISSUED,
    nextUpdate: NEXT,
    fmspc: "B0C06F000000",
    pceId: "0000",
    tcbType: 0,
    tcbEvaluationDataNumber: 18,
    ...(id === "TDX"
      ? {
          tdxModule: module,
          tdxModuleIdentities: [{ id: "TDX_01", ...module, tcbLevels: levels }],
        }
      : {}),
    tcbLevels: [level(0, NEW, "UpToDate", []), level(1, OLD, "OutOfDate", ["INTEL-SA-00001"])],
  };
}

/** The identity that the world's quoting enclave has. */
export function identityJson(id: "QE" | "TD_QE"): IdentityJson {
  return {
    id,
    version: 2,
    issueDate: ISSUED,
    nextUpdate: NEXT,
    tcbEvaluationDataNumber: 18,
    miscselect: "00000000",
    miscselectMask: "FFFFFFFF",
    attributes: "11000000000000000000000000000000",
    attributesMask: "FBFFFFFFFFFFFFFF0000000000000000",
    mrsigner: "DC".repeat(32),
    isvprodid: 2,
    tcbLevels: [
      isvLevel(8, NEW, "UpToDate"),
      isvLevel(5, OLD, "OutOfDate", ["INTEL-SA-00003"]),
      isvLevel(2, OLD, "Revoked"),
    ],
  };
}

function isvLevel(
  isvsvn: number,
  tcbDate: string,
  tcbStatus: string,
  advisoryIDs?: string[],
): LevelJson {
  return {
    tcb: { isvsvn },
    tcbDate,
    tcbStatus,
    ...(advisoryIDs === undefined ? {} : { advisoryIDs }),
  };
}
