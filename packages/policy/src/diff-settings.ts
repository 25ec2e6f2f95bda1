// How the settings of two policies differ: pins, platform, dates, limits and terms.
import type { Change, Effect } from "./diff.ts";
import { explainTerms } from "./explain-terms.ts";
import type { Policy } from "./policy.ts";

/** Differences beside rights. */
export function diffSettings(before: Policy, after: Policy): Change[] {
  return [
    ...diffPins(before, after),
    ...diffMeasurements(before, after),
    ...SETTINGS.flatMap(([subject, read, effectOf]) => {
      const [old, now] = [read(before), read(after)];
      if (old === now) return [];
      const effect = effectOf?.(old, now) ?? "changes";
      return [{ effect, subject, sentence: `${subject} is ${now}, was ${old}` }];
    }),
    ...(before.attestation.certificatePem === after.attestation.certificatePem
      ? []
      : [AUTHORITY_CHANGED]),
    ...diffTerms(before, after),
  ];
}

type Value = string | number | boolean;
type Setting = readonly [
  subject: string,
  read: (policy: Policy) => Value,
  effectOf?: (old: Value, now: Value) => Effect,
];

const more = (old: Value, now: Value): Effect => (now > old ? "allows" : "forbids");

const SETTINGS: readonly Setting[] = [
  ["debug", ({ debug }) => debug, more],
  ["clock", ({ enableClock }) => enableClock, more],
  ["memory in MiB", ({ maxMemoryMib }) => maxMemoryMib, more],
  ["end of the policy", ({ certificateExpiry }) => certificateExpiry.toISOString(), more],
  ["ciphersuite", ({ ciphersuite }) => ciphersuite],
  ["execution strategy", ({ executionStrategy }) => executionStrategy],
  ["address", ({ serverUrl: { host, port } }) => `${host}:${port}`],
  ["attestation service", ({ attestation }) => attestation.url],
  ["dialect", ({ dialect }) => dialect],
];

const AUTHORITY_CHANGED: Change = {
  effect: "changes",
  subject: "attestation authority",
  sentence: "keeps are vouched for by another authority",
};

function diffPins(before: Policy, after: Policy): Change[] {
  const paths = new Set([...before.fileHashes.keys(), ...after.fileHashes.keys()]);
  return [...paths].sort().flatMap((path): Change[] => {
    const [old, now] = [before.fileHashes.get(path), after.fileHashes.get(path)];
    if (old === now) return [];
    const subject = "pinned file";
    if (now === undefined) {
      const sentence = `${path} is no longer pinned: any content is taken`;
      return [{ effect: "allows", subject, path, sentence }];
    }
    if (old === undefined) {
      return [{ effect: "forbids", subject, path, sentence: `${path} must now have hash ${now}` }];
    }
    const sentence = `${path} must have hash ${now}, was ${old}`;
    return [{ effect: "changes", subject, path, sentence }];
  });
}

function diffMeasurements(before: Policy, after: Policy): Change[] {
  const platforms = ["linux", "nitro", "sevsnp"] as const;
  return platforms.flatMap((platform): Change[] => {
    const [old, now] = [before.measurements[platform], after.measurements[platform]];
    if (old === now) return [];
    const subject = `${platform} measurement`;
    if (old === undefined) {
      return [{ effect: "allows", subject, sentence: `keeps on ${platform} measured ${now} pass` }];
    }
    if (now === undefined) {
      return [{ effect: "forbids", subject, sentence: `no keep on ${platform} passes any more` }];
    }
    return [{ effect: "changes", subject, sentence: `${subject} is ${now}, was ${old}` }];
  });
}

function diffTerms(before: Policy, after: Policy): Change[] {
  const [old, now] = [explainTerms(before), explainTerms(after)];
  const subject = "terms";
  return [
    ...now
      .filter((sentence) => !old.includes(sentence))
      .map((sentence): Change => ({ effect: "changes", subject, sentence: `new: ${sentence}` })),
    ...old
      .filter((sentence) => !now.includes(sentence))
      .map((sentence): Change => ({ effect: "changes", subject, sentence: `gone: ${sentence}` })),
  ];
}
