// What it means to this person that he was not let in, or does not believe who answered: which file, and what to do.
import { parseProblem, problem, ServiceError, ServiceRefusal } from "@holdfast/contract";
import {
  type HoldfastError,
  type HttpResponse,
  type HttpTransport,
  readBody,
} from "@holdfast/core";
import { HintedError } from "../errors.ts";
import type { Grant } from "./access.ts";

const MAXIMUM_REFUSAL = 64 * 1024;

/** A transport whose refusals say what this person may do about them. */
export function explainedTransport(transport: HttpTransport, grant: Grant): HttpTransport {
  return {
    async request(request) {
      const answer = await transport.request(request).catch((thrown: unknown) => {
        throw thrown instanceof ServiceError ? unreached(thrown, grant) : thrown;
      });
      if (answer.status === 401 || answer.status === 403) throw await refusal(answer, grant);
      return answer;
    },
  };
}

function unreached(error: ServiceError, { authoritiesFrom }: Grant): HoldfastError {
  if (error.code === "SERVICE_UNTRUSTED" && /has expired/i.test(error.message)) {
    const file = authoritiesFrom ?? "the authority that you trust";
    const hint = `${file} has ended, or the service's own certificate has: take the platform's present ca.pem or profile, start the service again if it has not renewed its own, and look at both clocks`;
    return new HintedError(error, hint);
  }
  if (error.code === "SERVICE_UNTRUSTED") {
    const hint =
      authoritiesFrom === undefined
        ? "name the authority that its certificate hangs under: --ca-file FILE, or the profile that `holdfast up` wrote"
        : `its certificate does not hang under ${authoritiesFrom}: if the platform was set up anew, use its new profile or ca.pem (--profile, --ca-file); if not, somebody else answers there`;
    return new HintedError(error, hint);
  }
  const plain = /wrong version number|packet length too long|EPROTO/i.test(error.message);
  if (!plain) return error;
  return new HintedError(error, "no TLS is spoken there: an http address may be what is meant");
}

async function refusal(answer: HttpResponse, grant: Grant): Promise<HoldfastError> {
  const { status, body } = answer;
  const said =
    parseProblem(new TextDecoder().decode(await readBody(body, MAXIMUM_REFUSAL))) ??
    problem(status, "SERVICE_ANSWER", `the service answered ${status}`);
  const error = new ServiceRefusal("service", said);
  if (said.code === "ACCESS_UNKNOWN") return new HintedError(error, unknownHint(grant));
  if (said.code === "ACCESS_DENIED") return new HintedError(error, deniedHint(grant));
  return error;
}

function unknownHint({ token, tokenFrom, identity }: Grant): string {
  if (token === undefined && identity !== undefined) {
    return "your certificate is not known there, or not of its time: holdfast token new NAME --certificate FILE makes it known";
  }
  return token === undefined
    ? "no token was sent: name yours with --token-file FILE or HOLDFAST_TOKEN, or use a profile that has one (--profile FILE)"
    : `${tokenFrom} is not known there (any more): ask for a new one, made with holdfast token new`;
}

function deniedHint({ tokenFrom = "this principal" }: Grant): string {
  return `${tokenFrom} lacks the role, in this namespace or at all: holdfast token list shows who has which`;
}
