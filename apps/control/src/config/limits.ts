// How large files of a function may be, and where they may come from.
import { type Static, Type } from "typebox";

const CLOSED = { additionalProperties: false };

/** `limits` in the file. */
export const LimitsSection = Type.Object(
  {
    program_bytes: Type.Optional(Type.Integer({ minimum: 1 })),
    data_file_bytes: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  CLOSED,
);

/** `remote` in the file: bases of addresses that CCFaaS and keeps may fetch files from. */
export const RemoteSection = Type.Object(
  { allow: Type.Array(Type.String({ pattern: "^https?://" })) },
  CLOSED,
);

/** Sizes of uploads to CCFaaS. */
export interface UploadLimits {
  readonly programBytes: number;
  readonly dataFileBytes: number;
}

/** The original services allow 10 and 300 million bytes; a program of today is larger than theirs. */
const DEFAULT_LIMITS: UploadLimits = { programBytes: 64_000_000, dataFileBytes: 300_000_000 };

/** The section with its defaults. */
export function limitsOf(limits: Static<typeof LimitsSection> | undefined): UploadLimits {
  return {
    programBytes: limits?.program_bytes ?? DEFAULT_LIMITS.programBytes,
    dataFileBytes: limits?.data_file_bytes ?? DEFAULT_LIMITS.dataFileBytes,
  };
}
