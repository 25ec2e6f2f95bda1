// What a relying party asks of Arm platforms beyond being genuine.
import { type Check, check } from "@holdfast/core";
import type { ArmComponent } from "./claims.ts";

/** A component that is accepted; what is absent is not compared. Byte strings in hexadecimal. */
export interface AcceptedComponent {
  readonly measurementType?: string;
  readonly measurement: string;
  readonly signerId?: string;
}

/** Demands on a platform; what is absent is not asked for. */
export interface ArmPolicy {
  /** Every measured component must be one of these. */
  readonly components?: readonly AcceptedComponent[];
  readonly implementationIds?: readonly string[];
}

/** Demands of the relying party, a check for each that is made. */
export function armDemandChecks(
  area: string,
  found: { readonly components: readonly ArmComponent[]; readonly implementationId: string },
  { components, implementationIds }: ArmPolicy,
): Check[] {
  const strange = found.components.find((each) => !components?.some((one) => matches(each, one)));
  const name = strange?.measurementType ?? strange?.measurement;
  return [
    ...(components === undefined
      ? []
      : [
          check(
            `${area}.components`,
            strange === undefined,
            strange === undefined
              ? `${found.components.length} components, all accepted`
              : `component ${name} is not accepted`,
          ),
        ]),
    ...(implementationIds === undefined
      ? []
      : [
          check(
            `${area}.implementation`,
            implementationIds.some((id) => id.toLowerCase() === found.implementationId),
            `implementation ${found.implementationId}`,
          ),
        ]),
  ];
}

function matches(found: ArmComponent, accepted: AcceptedComponent): boolean {
  const same = (left: string | undefined, right: string | undefined): boolean =>
    right === undefined || left?.toLowerCase() === right.toLowerCase();
  return (
    same(found.measurement, accepted.measurement) &&
    same(found.measurementType, accepted.measurementType) &&
    same(found.signerId, accepted.signerId)
  );
}
