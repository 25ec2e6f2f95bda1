// Where files of functions are kept, when that is not the data directory.
import { type Static, Type } from "typebox";

const CLOSED = { additionalProperties: false };

/** `blobs` in the file. Credentials are those that the SDK finds: environment, profile, role of the machine. */
export const BlobsSection = Type.Object(
  {
    s3: Type.Object(
      {
        bucket: Type.String({ minLength: 3 }),
        /** Before every name. */
        prefix: Type.Optional(Type.String({ pattern: "^([^/].*)?$", maxLength: 512 })),
        endpoint: Type.Optional(Type.String({ pattern: "^https?://" })),
        region: Type.Optional(Type.String({ minLength: 1 })),
        force_path_style: Type.Optional(Type.Boolean()),
      },
      CLOSED,
    ),
  },
  CLOSED,
);

/** A bucket for files of functions. */
export interface BlobsConfig {
  readonly bucket: string;
  /** Ends with a slash. */
  readonly prefix: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly force_path_style?: boolean;
}

const DEFAULT_PREFIX = "holdfast/blobs";

/** The section with its defaults. */
export function blobsOf({ s3 }: Static<typeof BlobsSection>): BlobsConfig {
  const { prefix = DEFAULT_PREFIX, ...rest } = s3;
  return { ...rest, prefix: `${prefix.replace(/\/+$/, "")}/` };
}
