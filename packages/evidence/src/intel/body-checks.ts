// Checks of what a quote says about the enclave or TD itself.
import { type Check, check, equalBytes, fromHex, notPerformed, toHex } from "@holdfast/core";
import { isIntelDebug } from "./claims.ts";
import { SGX_ATTRIBUTE } from "./enclave-report.ts";
import { moduleIdentityOf } from "./evaluate-tcb.ts";
import type { IntelPolicy } from "./policy.ts";
import type { Quote } from "./quote.ts";
import type { TcbInfo } from "./tcb-info.ts";
import type { TdReport } from "./td-report.ts";

/** Attribute bits of a TD that have a meaning which keeps others out: SEPT_VE_DISABLE, PKS, KL, PERFMON and DEBUG. */
const TD_KNOWN = (1n << 0n) | (1n << 28n) | (1n << 30n) | (1n << 31n) | (1n << 63n);
const TD_SEPT_VE_DISABLE = 1n << 28n;

/** The host can't look inside. */
export function intelDebugCheck(quote: Quote, allowed: boolean): Check {
  const debug = isIntelDebug(quote);
  const what = quote.body.kind === "sgx" ? "enclave" : "TD";
  if (!debug) return check("quote.debug", true, `the ${what} is not in debug mode`);
  return check(
    "quote.debug",
    allowed,
    allowed
      ? `the ${what} is in debug mode, which the caller allows`
      : `the ${what} is in debug mode: its host can read its memory`,
  );
}

/** Checks that only enclaves or only TDs have. */
export function bodyChecks(
  quote: Quote,
  tcbInfo: TcbInfo | undefined,
  policy: IntelPolicy,
): Check[] {
  if (quote.body.kind === "sgx") return [sgxAttributesCheck(quote.body.report.attributes, policy)];
  const { report } = quote.body;
  return [
    moduleCheck(report, tcbInfo),
    ...tdAttributesChecks(report, policy),
    ...(report.extension === undefined
      ? []
      : [serviceTdCheck(report.extension.mrServiceTd, policy)]),
  ];
}

function sgxAttributesCheck(attributes: Uint8Array, policy: IntelPolicy): Check {
  const name = "sgx.attributes";
  const bits = attributes[0] ?? 0;
  const text = toHex(attributes);
  const keys = SGX_ATTRIBUTE.provisionKey | SGX_ATTRIBUTE.launchKey;
  if ((bits & keys) !== 0 && !policy.allowProvisionKey) {
    return check(name, false, `attributes ${text}: the enclave may use the platform's own keys`);
  }
  return check(name, true, `attributes ${text}`);
}

/** The TDX module is signed by Intel, and is the one that its version says. */
function moduleCheck(report: TdReport, tcbInfo: TcbInfo | undefined): Check {
  const name = "tdx.module";
  if (tcbInfo === undefined) return notPerformed(name, "no verified TCB information");
  const version = report.teeTcbSvn[1] ?? 0;
  const identity = moduleIdentityOf(tcbInfo, report.teeTcbSvn);
  if (identity === undefined) {
    return check(name, false, `Intel names no TDX module of version ${version}`);
  }
  const mask = fromHex(identity.attributesMask);
  const attributes = report.seamAttributes.map((byte, index) => byte & (mask[index] ?? 0));
  if (!equalBytes(report.mrSignerSeam, fromHex(identity.mrSigner))) {
    return check(name, false, `module signed by ${toHex(report.mrSignerSeam)}, not by Intel`);
  }
  if (
    toHex(attributes) !== identity.attributes ||
    report.seamAttributes.some((byte) => byte !== 0)
  ) {
    return check(name, false, `module attributes ${toHex(report.seamAttributes)}`);
  }
  return check(name, true, `${identity.id ?? "first generation"}, signed by Intel`);
}

function tdAttributesChecks({ tdAttributes }: TdReport, policy: IntelPolicy): Check[] {
  const bits = BigInt(`0x${toHex(tdAttributes.toReversed())}`);
  const text = toHex(tdAttributes);
  const disabled = (bits & TD_SEPT_VE_DISABLE) !== 0n;
  const name = "tdx.sept-ve";
  return [
    check(
      "tdx.attributes",
      (bits & ~TD_KNOWN) === 0n,
      (bits & ~TD_KNOWN) === 0n
        ? `attributes ${text}`
        : `attributes ${text}: reserved bits are set`,
    ),
    disabled || policy.allowSeptVe
      ? check(name, true, disabled ? "SEPT_VE_DISABLE is set" : "not set, which the caller allows")
      : notPerformed(
          name,
          "SEPT_VE_DISABLE is not set: say whether the TD's kernel withstands that",
        ),
  ];
}

function serviceTdCheck(mrServiceTd: Uint8Array, { serviceTds }: IntelPolicy): Check {
  const name = "tdx.service-td";
  const measured = toHex(mrServiceTd);
  const none = mrServiceTd.every((byte) => byte === 0);
  const known = serviceTds?.some((each) => each.toLowerCase() === measured) ?? false;
  return check(
    name,
    none || known,
    none ? "no service TD is bound" : `service TD ${measured} is ${known ? "" : "not "}accepted`,
  );
}
