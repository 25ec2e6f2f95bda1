// Statuses of security versions in Intel's words, and how those of module and quoting enclave converge into that of the
// platform (Intel QVL). It is not "the worse of two": configuration needs survive beside being out of date.

/** A status, as Intel names it. */
export type TcbStatus =
  | "UpToDate"
  | "SWHardeningNeeded"
  | "ConfigurationNeeded"
  | "ConfigurationAndSWHardeningNeeded"
  | "OutOfDate"
  | "OutOfDateConfigurationNeeded"
  | "TDRelaunchAdvised"
  | "TDRelaunchAdvisedConfigurationNeeded"
  | "Revoked";

const STATUSES: ReadonlySet<string> = new Set<TcbStatus>([
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "TDRelaunchAdvised",
  "TDRelaunchAdvisedConfigurationNeeded",
  "Revoked",
]);

/** Whether a text is a status known here. */
export function isTcbStatus(text: string): text is TcbStatus {
  return STATUSES.has(text);
}

/** Whether a status asks for a change of configuration. */
export function needsConfiguration(status: TcbStatus): boolean {
  return status.includes("Configuration");
}

/** Whether a status says that something is out of date. */
export function isOutOfDate(status: TcbStatus): boolean {
  return status === "OutOfDate" || status === "OutOfDateConfigurationNeeded";
}

/** The status of a platform together with that of a part of it. */
export function converge(platform: TcbStatus, part: TcbStatus): TcbStatus {
  if (platform === "Revoked" || part === "Revoked") return "Revoked";
  if (!isOutOfDate(part)) return platform;
  return needsConfiguration(platform) ? "OutOfDateConfigurationNeeded" : "OutOfDate";
}
