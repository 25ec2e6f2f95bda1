// Distinguished names (RFC 5280 section 4.1.2.4). Compared byte for byte, which is stricter than the RFC.
import { DerCursor, type DerNode, derChildren, expectTag, fault, TAG } from "../der/read.ts";
import { derOid, derString } from "../der/values.ts";
import { oid, sequence, setOf, utf8String } from "../der/write.ts";

const LABELS: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
};

/** A distinguished name: its bytes, and its attributes for people and look-ups. */
export interface Name {
  readonly der: Uint8Array;
  /** In the order of the certificate; `label` is the short name or the dotted OID. */
  readonly attributes: readonly { readonly label: string; readonly value: string }[];
  /** `CN=keep, O=Holdfast` in the order of the certificate. */
  readonly text: string;
}

/** Reads a Name. */
export function parseName(node: DerNode, where: string): Name {
  expectTag(node, TAG.sequence, where);
  const attributes = derChildren(node).flatMap((set) => {
    expectTag(set, TAG.set, where);
    const members = derChildren(set);
    if (members.length === 0) throw fault(`${where}: empty relative name`);
    return members.map((member) => parseAttribute(member, where));
  });
  return {
    der: node.bytes,
    attributes,
    text: attributes.map(({ label, value }) => `${label}=${value}`).join(", "),
  };
}

/** Bytes of a name of short labels, one attribute a relative name. */
export function encodeName(attributes: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const byLabel = new Map(Object.entries(LABELS).map(([dotted, label]) => [label, dotted]));
  return sequence(
    ...Object.entries(attributes).map(([label, value]) => {
      const type = byLabel.get(label);
      if (type === undefined) throw fault(`unknown name attribute ${label}`);
      return setOf(sequence(oid(type), utf8String(value)));
    }),
  );
}

/** The first value of an attribute. */
export function nameAttribute(name: Name, label: string): string | undefined {
  return name.attributes.find((attribute) => attribute.label === label)?.value;
}

function parseAttribute(node: DerNode, where: string): { label: string; value: string } {
  const cursor = new DerCursor(node, where);
  const type = derOid(cursor.next("type"), where);
  const value = derString(cursor.next("value"), where);
  cursor.end();
  return { label: LABELS[type] ?? type, value };
}
