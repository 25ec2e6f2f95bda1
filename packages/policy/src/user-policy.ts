// The user policy: what a user sends to CCFaaS to have a function instantiated. Schema and members are the seed's.
import {
  type FileRight,
  MAXIMUM_IDENTITIES,
  readCertificate,
  readFileRights,
  refuseSameCertificates,
} from "./parts.ts";
import { child, Faults, Shape } from "./shape.ts";

/** Someone who may talk to the instance. */
export interface UserIdentity {
  /** One certificate, PEM, as written. */
  readonly certificate: string;
  readonly file_rights: readonly FileRight[];
}

/** A user policy. */
export interface UserPolicy {
  readonly function: string;
  readonly instanceid: string;
  readonly identities: readonly UserIdentity[];
}

/**
 * Reads a user policy.
 * @throws PolicyError POLICY_INVALID with all faults
 */
export function parseUserPolicy(value: unknown): UserPolicy {
  const shape = new Shape(new Faults());
  const object = shape.object(value, "", { required: ["function", "instanceid", "identities"] });
  const name = shape.name(object["function"], "/function");
  const instanceid = shape.name(object["instanceid"], "/instanceid");
  const identities = shape.array(
    object["identities"],
    "/identities",
    MAXIMUM_IDENTITIES,
    (entry, at) => {
      const identity = shape.object(entry, at, { required: ["file_rights", "certificate"] });
      const { text, der } = readCertificate(
        shape,
        identity["certificate"],
        child(at, "certificate"),
      );
      const file_rights = readFileRights(shape, identity["file_rights"], child(at, "file_rights"));
      return { certificate: text, der, file_rights };
    },
  );
  refuseSameCertificates(shape, identities, "/identities");
  shape.faults.settle("user policy");
  return {
    function: name,
    instanceid,
    identities: identities.map(({ certificate, file_rights }) => ({ certificate, file_rights })),
  };
}
