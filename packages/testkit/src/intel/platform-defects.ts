// Quotes whose platform's certificate, or the lists that it is checked against, have exactly one thing wrong.
import { newKeys, newList, newParty, PARTY_FROM, serialOf } from "../pki/party.ts";
import type { IntelDefect } from "./path-defects.ts";
import { type IntelChanges, newPck, pckExtension, platformName } from "./world.ts";

const past = new Date("2026-05-31T23:59:59Z");
const future = new Date("2026-06-01T00:00:01Z");
const stranger = newKeys("p256").privateKey;

/** Defects of the platform's certificates. */
export const INTEL_PLATFORM_DEFECTS: readonly IntelDefect[] = [
  {
    name: "certificate of another PPID than the quote names",
    fails: ["pck.extension"],
    changes: {
      certificationType: 1,
      platformName: platformName(1, { ppid: new Uint8Array(16).fill(0x22) }),
    },
  },
  {
    name: "certificate of another PCEID than the quote names",
    fails: ["pck.extension"],
    changes: {
      certificationType: 3,
      platformName: platformName(3, { pceId: Uint8Array.of(1, 0) }),
    },
  },
  {
    name: "certificates under another root of the same name",
    fails: ["pck.path.signatures"],
    changes: {
      intermediate: async () =>
        await newParty({
          name: { CN: "Intel SGX PCK Platform CA", O: "Test" },
          kind: "p256",
          isCa: true,
          issuer: await newParty({
            name: { CN: "Intel SGX Root CA", O: "Test" },
            kind: "p256",
            isCa: true,
          }),
        }),
    },
  },
  {
    name: "expired PCK certificate",
    fails: ["pck.path.validity"],
    changes: { pck: ({ platformCa }) => newPck(platformCa, { change: { notAfter: past } }) },
  },
  {
    name: "PCK certificate of tomorrow",
    fails: ["pck.path.validity"],
    changes: { pck: ({ platformCa }) => newPck(platformCa, { change: { notBefore: future } }) },
  },
  {
    name: "PCK certificate of another name",
    fails: ["pck.names"],
    changes: { pck: ({ platformCa }) => newPck(platformCa, { name: "Somebody" }) },
  },
  {
    name: "PCK certificate without the SGX extension",
    fails: ["pck.extension"],
    changes: { pck: ({ platformCa }) => newPck(platformCa, { change: { extensions: [] } }) },
  },
  {
    name: "PCK certificate with a broken SGX extension",
    fails: ["pck.extension"],
    changes: {
      pck: ({ platformCa }) => newPck(platformCa, { extension: pckExtension({ components: [1] }) }),
    },
  },
  ...(
    [
      ["revoked PCK certificate", "pck"],
      ["revoked authority", "platformCa"],
    ] as const
  ).map(([name, who]) => ({
    name,
    fails: ["pck.revocation"],
    changes: {
      lists: async (world, pck) => {
        const gone = who === "pck" ? pck : world.platformCa;
        const revoked = [{ serial: serialOf(gone), at: PARTY_FROM }];
        return [
          await newList(world.root, who === "pck" ? {} : { revoked }),
          await newList(world.platformCa, who === "pck" ? { revoked } : {}),
        ];
      },
    } satisfies IntelChanges,
  })),
  ...(
    [
      ["forged list of the authority", {}, stranger],
      ["expired list of the authority", { nextUpdate: past }, undefined],
      ["list of the authority of tomorrow", { thisUpdate: future }, undefined],
    ] as const
  ).map(([name, change, key]) => ({
    name,
    fails: ["pck.revocation"],
    changes: {
      lists: async ({ rootList, platformCa }) => [rootList, await newList(platformCa, change, key)],
    } satisfies IntelChanges,
  })),
  ...(
    [
      ["forged list of the root", {}, stranger],
      ["expired list of the root", { nextUpdate: past }, undefined],
    ] as const
  ).map(([name, change, key]) => ({
    name,
    fails: ["pck.revocation", "tcb-info.revocation", "qe-identity.revocation"],
    changes: {
      lists: async ({ pckList, root }) => [pckList, await newList(root, change, key)],
    } satisfies IntelChanges,
  })),
];
