// Documents whose certificates have exactly one defect, by the check that must name it.
import { generateKeyPairSync } from "node:crypto";
import type { ChangeCertificate, NitroLevel } from "@holdfast/attester";
import { messageSigner, newNitroChain } from "@holdfast/attester";
import {
  basicConstraints,
  derWrite,
  EXTENSION,
  encodeName,
  fixedClock,
  keyUsage,
  type NewCertificate,
} from "@holdfast/core";
import type { NitroDefect } from "./defect.ts";
import { newNitroWorld } from "./world.ts";

const HOUR = 60 * 60 * 1000;

/** Defects of the path from the leaf to the root. */
export const CHAIN_DEFECTS: readonly NitroDefect[] = [
  {
    name: "more certificates than a path may have",
    fails: ["path.length"],
    changes: () => ({
      chain: (chain) => ({
        ...chain,
        bundle: [...Array(6).fill(chain.bundle[0]), ...chain.bundle],
      }),
    }),
  },
  {
    name: "a root nobody trusts",
    fails: ["path.anchor"],
    changes: async () => {
      const { chain } = await newNitroWorld();
      return { chain: () => chain };
    },
  },
  {
    name: "a bundle without the issuing certificate",
    fails: ["path.names", "path.signatures"],
    changes: () => ({
      chain: (chain) => ({ ...chain, bundle: chain.bundle.slice(0, -1) }),
    }),
  },
  {
    name: "a leaf that names another issuer",
    fails: ["path.names"],
    changes: () => ({
      certificate: at("leaf", () => ({ issuer: encodeName({ CN: "somebody else" }) })),
    }),
  },
  {
    name: "a leaf signed by a stranger of the right name",
    fails: ["path.signatures"],
    changes: async (world) => {
      const stranger = await newNitroChain(
        world.authority,
        "i-0123456789abcdef0-enc0123456789abcdef",
        fixedClock(world.at),
      );
      return { chain: (chain) => ({ ...stranger, bundle: chain.bundle }) };
    },
  },
  ...(["leaf", "instance", "zonal", "regional"] as const).flatMap((level): NitroDefect[] => [
    {
      name: `an expired ${level} certificate`,
      fails: ["path.validity"],
      changes: (world) => ({
        certificate: at(level, () => ({ notAfter: new Date(world.at.getTime() - 1000) })),
      }),
    },
    {
      name: `a ${level} certificate that is not valid yet`,
      fails: ["path.validity"],
      changes: (world) => ({
        certificate: at(level, () => ({ notBefore: new Date(world.at.getTime() + HOUR) })),
      }),
    },
    {
      name: `an unknown critical extension in the ${level} certificate`,
      fails: ["path.critical-extensions"],
      changes: () => ({
        certificate: at(level, ({ extensions }) => ({
          extensions: [
            ...extensions,
            { oid: "1.2.3.4.5", critical: true, value: derWrite.boolean(true) },
          ],
        })),
      }),
    },
    {
      name: `a ${level} certificate signed with SHA-256`,
      fails: ["nitro.algorithms"],
      changes: () => ({ certificate: at(level, () => ({ algorithm: "ecdsa-sha256" })) }),
    },
  ]),
  {
    name: "a leaf key on P-256",
    fails: ["nitro.algorithms", "nitro.signature"],
    changes: () => {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const spki = publicKey.export({ type: "spki", format: "der" });
      return { certificate: at("leaf", () => ({ spki })), sign: messageSigner(privateKey) };
    },
  },
  ...(["instance", "zonal", "regional"] as const).flatMap((level): NitroDefect[] => [
    {
      name: `a ${level} certificate that is not a CA`,
      fails: ["path.ca"],
      changes: () => ({
        certificate: replacing(level, EXTENSION.basicConstraints, basicConstraints(false)),
      }),
    },
    {
      name: `a ${level} certificate that may not sign certificates`,
      fails: ["path.key-usage"],
      changes: () => ({
        certificate: replacing(level, EXTENSION.keyUsage, keyUsage("digitalSignature")),
      }),
    },
    {
      name: `a ${level} certificate without key usage`,
      fails: ["path.key-usage"],
      changes: () => ({ certificate: replacing(level, EXTENSION.keyUsage) }),
    },
  ]),
  {
    name: "a zonal certificate with an issuer below it too many",
    fails: ["path.path-length"],
    changes: () => ({
      certificate: replacing("zonal", EXTENSION.basicConstraints, basicConstraints(true, 0)),
    }),
  },
  {
    name: "a leaf that is a CA",
    fails: ["path.ca", "nitro.leaf"],
    changes: () => ({
      certificate: replacing("leaf", EXTENSION.basicConstraints, basicConstraints(true)),
    }),
  },
  {
    name: "a leaf that may not sign",
    fails: ["path.key-usage", "nitro.leaf"],
    changes: () => ({
      certificate: replacing("leaf", EXTENSION.keyUsage, keyUsage("keyAgreement")),
    }),
  },
  {
    name: "a leaf without key usage",
    fails: ["nitro.leaf"],
    changes: () => ({ certificate: replacing("leaf", EXTENSION.keyUsage) }),
  },
];

function at(
  wanted: NitroLevel,
  change: (certificate: NewCertificate) => Partial<NewCertificate>,
): ChangeCertificate {
  return (level, certificate) =>
    level === wanted ? { ...certificate, ...change(certificate) } : certificate;
}

function replacing(
  level: NitroLevel,
  oid: string,
  ...instead: NewCertificate["extensions"]
): ChangeCertificate {
  return at(level, ({ extensions }) => ({
    extensions: [...extensions.filter((extension) => extension.oid !== oid), ...instead],
  }));
}
