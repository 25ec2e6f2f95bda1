// Quotes whose certificates, or those of their collateral, have exactly one thing wrong.
import { basicConstraints, keyUsage, type NewExtension } from "@holdfast/core";
import { type IntelRequest, SGX_EXTENSION } from "@holdfast/evidence";
import type { Defect } from "../defect.ts";
import { newKeys, newList, newParty, PARTY_FROM, reissued, serialOf } from "../pki/party.ts";
import { type IntelChanges, type IntelWorld, newPck, pckExtension } from "./world.ts";

/** One defect. */
export type IntelDefect = Defect<IntelChanges, IntelRequest>;

const past = new Date("2026-05-31T23:59:59Z");
const SIGNS = keyUsage("keyCertSign", "cRLSign");

/** Defects of the path from the platform's certificate to the root. */
export const INTEL_PATH_DEFECTS: readonly IntelDefect[] = (
  [
    [
      "platform under a root nobody trusts",
      "pck.path.anchor",
      {
        root: async () => await otherRoot,
        intermediate: async ({ platformCa }) =>
          await reissued(platformCa, {
            issuer: await otherRoot,
            change: { extensions: [basicConstraints(true), SIGNS] },
          }),
      },
    ],
    [
      "PCK certificate that a stranger signed",
      "pck.path.signatures",
      {
        pck: ({ platformCa }) => newPck({ ...platformCa, privateKey: newKeys("p256").privateKey }),
      },
    ],
    ["intermediate that is no CA", "pck.path.ca", intermediate(basicConstraints(false), SIGNS)],
    [
      "intermediate that may not sign",
      "pck.path.key-usage",
      intermediate(basicConstraints(true), keyUsage("cRLSign")),
    ],
    [
      "root that allows no intermediate",
      "pck.path.path-length",
      {
        anchor: async ({ root }) =>
          await reissued(root, { change: { extensions: [basicConstraints(true, 0), SIGNS] } }),
      },
    ],
    [
      "unknown critical extension in the PCK certificate",
      "pck.path.critical-extensions",
      {
        pck: ({ platformCa }) =>
          newPck(platformCa, {
            change: {
              extensions: [
                { oid: SGX_EXTENSION, value: pckExtension() },
                { oid: "2.25.1", critical: true, value: Uint8Array.of(5, 0) },
              ],
            },
          }),
      },
    ],
  ] as const satisfies readonly (readonly [string, string, IntelChanges])[]
).map(([name, fails, changes]) => ({ name, fails: [fails], changes }));

/** Defects of the signer of one document of collateral, while that of the other is right. */
export const INTEL_SIGNER_DEFECTS: readonly IntelDefect[] = (
  [
    ["TCB information", "tcb-info", "tcbInfoSigner", "info"],
    ["QE identity", "qe-identity", "identitySigner", "identity"],
  ] as const
).flatMap(([what, area, hook, who]): IntelDefect[] => [
  {
    name: `expired signer of the ${what}`,
    fails: [`${area}.signer`],
    changes: { [hook]: async (world: IntelWorld) => await signerOf(world, past) },
  },
  {
    name: `revoked signer of the ${what}`,
    fails: [`${area}.revocation`],
    changes: {
      [hook]: async (world: IntelWorld) => await signerOf(world),
      lists: async ({ root, pckList }, _pck, signers) => [
        pckList,
        await newList(root, { revoked: [{ serial: serialOf(signers[who]), at: PARTY_FROM }] }),
      ],
    },
  },
]);

/** Quotes that leave one question open, which is not refused and not affirmed either. */
export const INTEL_OPEN: readonly IntelDefect[] = [
  {
    name: "no SEPT_VE_DISABLE",
    fails: [],
    changes: { kind: "tdx4", fields: { attributes: new Uint8Array(8) } },
  },
  {
    name: "no list of the authority",
    fails: [],
    changes: { lists: async ({ rootList }) => [rootList] },
  },
];

const otherRoot = newParty({
  name: { CN: "Intel SGX Root CA", O: "Somebody" },
  kind: "p256",
  isCa: true,
});

function intermediate(...extensions: readonly NewExtension[]): IntelChanges {
  return {
    intermediate: async ({ platformCa, root }) =>
      await reissued(platformCa, { issuer: root, change: { extensions } }),
  };
}

async function signerOf({ root }: IntelWorld, notAfter?: Date) {
  return await newParty({
    name: { CN: "Intel SGX TCB Signing", O: "Test" },
    kind: "p256",
    issuer: root,
    ...(notAfter === undefined ? {} : { change: { notAfter } }),
  });
}
