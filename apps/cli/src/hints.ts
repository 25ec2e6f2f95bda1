// What a person may try after an error, by its code, when whoever noticed it had nothing better to say.

/** Hints by code. */
export const HINTS: Readonly<Record<string, string>> = {
  CLI_FILE: "check the path, the file's permissions and what is in it",
  CLI_INPUT: "correct what is named above; --help shows what the command takes",
  CHANNEL_IDENTITY:
    "give the certificate with --identity and the private key made with it with --key",
  CHANNEL_UNREACHABLE:
    "see whether the instance still runs: holdfast instance list; an identity outside the policy is cut off as well",
  CHANNEL_CLOSED:
    "the keep may have ended, or does not know this identity: holdfast policy explain POLICY",
  CHANNEL_TIMEOUT: "see whether the instance still runs: holdfast instance list",
  CHANNEL_NOT_PROVEN:
    "do not send anything to this keep; a check is skipped only with an explicit --skip-check NAME",
  SERVICE_UNREACHABLE: "start the platform with: holdfast up; or give the service's address",
  VAAS_UNREACHABLE: "start VaaS: holdfast serve vaas, or the whole platform: holdfast up",
  FUNCTION_EXISTS: "replace it with --replace, or choose another name",
  FUNCTION_INCOMPLETE: "upload what is missing: holdfast function upload NAME",
  FUNCTION_FULL: "remove versions or aliases that nobody needs",
  FUNCTION_CHANGED: "look at it again: holdfast function show NAME",
  FILE_EXISTS:
    "see what is stored: holdfast function show NAME; another content is a new version: holdfast function publish FILE",
  FILE_HASH_MISMATCH:
    "give the file that the definition names by its digest, or correct the digest there",
  FILE_IS_INPUT:
    "leave it out: keeps fetch it themselves from the place that the definition names under inputs",
  FILE_TOO_LARGE: "the administrator of the services sets the limits",
  UPLOAD_BROKEN: "send it again",
  FUNCTION_NOT_FOUND: "see what is registered: holdfast function list",
  DRAFT_NOT_FOUND: "begin a new version: holdfast function publish FILE",
  VERSION_NOT_FOUND: "see which there are: holdfast function versions NAME",
  VERSION_IN_USE:
    "end what uses it, or move the alias: holdfast function alias FUNCTION ALIAS VERSION",
  NAMESPACE_UNKNOWN:
    "see which there are: holdfast namespace list; make one: holdfast namespace create",
  NAMESPACE_IN_USE: "delete its functions and instances first; the namespace default stays",
  NAMESPACE_EXISTS:
    "work in it with --namespace NAME, or change its bounds: holdfast namespace quota",
  ADMIN_REQUIRED:
    "give the token of the attestation service's administrator: --token-file FILE; holdfast up makes access/attestation.token",
  KEY_UNKNOWN: "see which there are: holdfast key list",
  KEY_TAKEN: "choose another name, or change the terms alone: holdfast key grant NAME",
  INSTANCE_EXISTS: "choose another id, or end that instance: holdfast instance delete ID",
  INSTANCE_NOT_FOUND: "see what runs: holdfast instance list",
  INSTANCE_FAILED: "remedy the reason, then make it again under the same id",
  PROVISIONING_FAILED: "remedy the reason, then make it again under the same id",
  RATE_LIMITED: "wait a little, then try again; the administrator sets the rates",
  QUOTA_FUNCTIONS: "delete a function, or have the quota raised: holdfast namespace quota",
  QUOTA_INSTANCES: "delete an instance, or have the quota raised: holdfast namespace quota",
  QUOTA_BYTES:
    "delete files, versions or functions, or have the quota raised: holdfast namespace quota",
  QUOTA_MEMORY: "delete an instance, or have the quota raised: holdfast namespace quota",
  KEEPS_NO_MEMORY: "end an instance, or start the platform with more memory for keeps",
  STORE_UNREACHABLE: "try again later; the service's log says what its database answers",
  NOT_READY: "try again later; the service's log says what it waits for",
  SHUTTING_DOWN: "try again once it was started again",
  SERVICE_FAILED: "the service's log has more under the id that is named above",
  ROUTE_NOT_FOUND:
    "another service, or an older one, answers there: check the address, --url or the profile's",
  REQUEST_INVALID: "correct the places named above",
  KEEPS_NO_PORT: "end an instance, or start the platform with room for more keeps",
  RIGHTS_MISSING: "see what the policy lets you do: holdfast policy explain POLICY",
  S3_READ_FAILED: "check bucket, object, region and credentials",
  POLICY_INVALID: "correct the places named above, then: holdfast policy check FILE",
  ENOENT: "check the spelling of the path",
  EACCES: "check the permissions of the file",
  EADDRINUSE: "another program listens there: choose other ports with --ports",
  ACCESS_KEYS_UNAVAILABLE: "try again later: the issuer of tokens does not answer the service",
  ALIAS_NOT_FOUND: "see which there are: holdfast function versions NAME",
  FILE_NOT_IN_FUNCTION: "see which files it has: holdfast function show NAME",
  BLOBS_UNREACHABLE: "try again later; the service's log says what its bucket answers",
  SOURCE_INVALID: "write it as https://HOST/PATH or oci://REGISTRY/REPOSITORY",
  SOURCE_NOT_ALLOWED: "the administrator allows sources: remote.allow of the configuration",
  SOURCE_FAILED: "see whether the source has the file, and its digest is the definition's",
  INSTANCE_NOT_READY: "wait for it: holdfast instance show ID",
  INSTANCE_ENDED: "make it again: holdfast instance create FILE",
  INSTANCE_BUSY: "try again in a moment",
  VAAS_REFUSED: "remedy what VaaS says, then make it again under the same id",
  VAAS_ANSWER: "see that VaaS and CCFaaS are of one version",
  KEEP_FAILED: "see the keep's log beside the services' logs, then try again",
  KEEP_ENDED: "make the instance again: holdfast instance create FILE",
  KEEP_ELSEWHERE: "try again in a moment",
  BUNDLE_MISSING: "build it: holdfast keep build",
  ATTESTATION_UNREACHABLE:
    "start it: holdfast serve attestation, or the whole platform: holdfast up",
  S3_CREDENTIALS: "give both halves of the credentials, or none to have the bridge use its own",
  S3_NOT_FOUND: "check bucket and object",
  COPIES_BUSY: "try again once other copies have ended",
  KEEP_IDENTITY: "give the certificate that the policy names for the bridge, with its key",
  KEEP_UNREACHABLE: "see whether the instance still runs: holdfast instance list",
  KEEP_NOT_PROVEN: "send nothing to this keep: it is not what the policy says",
  KEEP_REFUSED: "see what the policy lets the bridge do: holdfast policy explain POLICY",
};
