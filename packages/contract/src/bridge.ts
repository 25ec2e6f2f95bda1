// Words of the S3 bridge: the seed's schema, with the session token that its text documents and its schema forgets.
// Unlike there, both members are required: without them there is nothing to do.
import { type Static, Type } from "typebox";

const CLOSED = { additionalProperties: false };
/** Without a name S3 would answer with a list, as if that were the object. */
const Name = Type.String({ minLength: 1 });

/** One object of S3 and the file of a keep it goes into. */
export const S3StreamBody = Type.Object(
  {
    s3: Type.Object(
      {
        region_name: Type.Optional(Type.String()),
        bucket: Name,
        filename: Name,
        aws_access_key_id: Type.Optional(Type.String()),
        aws_secret_access_key: Type.Optional(Type.String()),
        aws_session_token: Type.Optional(Type.String()),
      },
      CLOSED,
    ),
    veracruz: Type.Object(
      {
        filename: Type.String(),
        policy: Type.String(),
        certificate: Type.String(),
        key: Type.String(),
      },
      CLOSED,
    ),
  },
  CLOSED,
);

/** A copy that goes on by itself. */
export const CopyResource = Type.Object({
  id: Type.String(),
  state: Type.Union([
    Type.Literal("running"),
    Type.Literal("done"),
    Type.Literal("failed"),
    Type.Literal("cancelled"),
  ]),
  bucket: Type.String(),
  object: Type.String(),
  file: Type.String(),
  /** Bytes that are in the keep, and of how many, once S3 said so. */
  bytes: Type.Integer(),
  size: Type.Optional(Type.Integer()),
  /** The store's checksum that the bytes are checked against, such as `SHA256`; absent when it gives none. */
  checksum: Type.Optional(Type.String()),
  /** Why it failed. */
  code: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
  started_at: Type.String(),
  ended_at: Type.Optional(Type.String()),
});

/** Copies, newest last. */
export const CopyList = Type.Object({ copies: Type.Array(CopyResource) });

export type CopyResource = Static<typeof CopyResource>;
export type CopyList = Static<typeof CopyList>;
export type S3StreamBody = Static<typeof S3StreamBody>;
